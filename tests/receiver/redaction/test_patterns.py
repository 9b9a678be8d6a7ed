"""Secrets of a well-known form are recognised where nothing beside them says so."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.redaction.names import REDACTED
from receiver.redaction.patterns import hide_patterns

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nq83vEjRW\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Bearer abc.DEF-123", f"Authorization: {REDACTED}"),
        ('{"Authorization": "Digest a=b, c=d"}', f'{{"Authorization": "{REDACTED}"}}'),
        ("Set-Cookie: id=abc; Path=/\r\nServer: x", f"Set-Cookie: {REDACTED}\r\nServer: x"),
        ("sent Bearer 0123456789abcdef to it", f"sent Bearer {REDACTED} to it"),
        ("-H 'Basic dXNlcjpodW50ZXIy'", f"-H 'Basic {REDACTED}'"),
        ("http://user:p@ss@host:9090/x", f"http://{REDACTED}@host:9090/x"),
        ("postgresql+psycopg://qrl:hunter2@db/qrl", f"postgresql+psycopg://{REDACTED}@db/qrl"),
        ("https://h/hook?access_token=abc&x=1", f"https://h/hook?access_token={REDACTED}&x=1"),
        ("https://h/blob?sv=1&sig=a%2Fb&x=1", f"https://h/blob?sv=1&sig={REDACTED}&x=1"),
        ("password=hunter2, user=ada", f"password={REDACTED}, user=ada"),
        ("DB_PASSWORD='hunter two'", f"DB_PASSWORD='{REDACTED}'"),
        ('password = "with \\" in it" x', f'password = "{REDACTED}" x'),
        ('password="not closed', f'password="{REDACTED}" closed'),
        ('{"password": "hunter two", "a": 1}', f'{{"password": "{REDACTED}", "a": 1}}'),
        ('"{\\"password\\": \\"hunter2\\"}"', f'"{{\\"password\\": {REDACTED}\\"}}"'),
        (f'token="{JWT} and more" x', f'token="{REDACTED}" x'),
        ("bearer token=hunter2", f"bearer token={REDACTED}"),
        ("password: Bearer hunter2", f"password: {REDACTED}"),
        ("api_key: abc", f"api_key: {REDACTED}"),
        ("secret => abc", f"secret => {REDACTED}"),
        ("curl --password hunter2 --silent", f"curl --password {REDACTED} --silent"),
        ("run -token abc", f"run -token {REDACTED}"),
        ("token_file= password=hunter2 x", f"token_file= password={REDACTED} x"),
        ("token_file='a pwd=\"two words\" b' token=c", f"token_file='a pwd=\"{REDACTED}\" b' token={REDACTED}"),
        ("token_file=a?key_path=b&sig=hunter2", f"token_file=a?key_path=b&sig={REDACTED}"),
        ("not basic bearer abc123", f"not basic bearer {REDACTED}"),
        ("java --args '--token abc", f"java --args '--token {REDACTED}"),
        (f"before\n{PEM}\nafter", f"before\n{REDACTED}\nafter"),
        (PEM.replace("\n", "\\n"), REDACTED),
        (PEM.rpartition("\n")[0], REDACTED),
        ("q83vEjRW\n-----END EC PRIVATE KEY-----\nafter", f"{REDACTED}\nafter"),
        (f"it said {JWT}.", f"it said {REDACTED}."),
        ("AKIAIOSFODNN7EXAMPLE", REDACTED),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", f"aws_secret_access_key = {REDACTED}"),
        ("ghp_" + "a1B2" * 9, REDACTED),
        ("glpat-" + "x" * 20, REDACTED),
        ("xoxb-123456789012-abcdef", REDACTED),
        ("hooks.slack.com/services/T0/B0/abcdef", f"hooks.slack.com/services/{REDACTED}"),
        ("sk_live_" + "a" * 24, REDACTED),
        ("$2b$12$" + "a" * 53, REDACTED),
    ],
)  # fmt: skip
def test_secret_is_hidden_and_what_is_beside_it_stays(text: str, hidden: str) -> None:
    """Headers, cookies, addresses, assignments, options, private keys, tokens: only the secret part goes."""
    assert hide_patterns(text) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "basic authentication and bearer tokens are refused",
        "name a file with a bearer token as pipeline.token_file in the agent's configuration",
        "agent.yml:7: webhook.token_file: /etc/qrl/token: others may read it; run: chmod 600 /etc/qrl/token",
        "agent.yml:3: wrong_key: unknown key",
        "serve --token-file /etc/qrl/token --config x",
        "http://127.0.0.1:9090/api/v1/query?query=up and git@github.com:qrl/app.git, ada@example.org",
        'service:availability:ratio{service="fastapi"} 0.5; monkey=banana',
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "backup of /var/lib/qrl/keys.db: 3 files, sha256 " + "0f" * 32,
    ],
)
def test_harmless_text_stays(text: str) -> None:
    """What only speaks of secrets, paths, series, digests and certificates stays legible."""
    assert hide_patterns(text) == text


@given(st.text())
def test_twice_is_once(text: str) -> None:
    """What was hidden is recognised as such; redacting again changes nothing."""
    once = hide_patterns(text)
    assert hide_patterns(once) == once


@pytest.mark.parametrize(
    "piece",
    [
        "a", "A1-", "eyJ", "eyJ-", "eyJaaaaaaaaa.", "token", "token=", 'token="', 'token="\\"', "token:", "?key",
        "--a ", "://", "a://a:", "a://@", "bearer ", "basic a", "-----BEGIN PRIVATE KEY-----", "-----", "abcd\n",
        "$2b$12$", "Authorization:", "'\"", "\\", " ", "-", "password'", "secret \t",
        "xoxb-", "passw", "A+/=\n", "-t -t", "token_file=", "token_file='", "bearer basic ", "--token -t'",
    ],
)  # fmt: skip
def test_time_grows_no_faster_than_the_text(piece: str) -> None:
    """Four times as much of the most unpleasant text takes about four times as long, and not sixteen."""

    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        took = []
        for _ in range(3):
            began = time.process_time()
            hide_patterns(text)
            took.append(time.process_time() - began)
        return min(took)

    assert seconds(80_000) < 9 * max(seconds(20_000), 0.001)
