"""The names beside which a secret stands, and the harmless ones that only look like them."""

from __future__ import annotations

import pytest

from receiver.redaction.names import names_a_secret


@pytest.mark.parametrize(
    "name",
    [
        "password", "DB_PASSWORD", "dbPassword", "passwd", "passphrase", "pwd",
        "token", "bearerToken", "refresh-tokens", "TOKEN_1",
        "key", "keys", "api_key", "apiKey", "APIKey", "apikey", "X-Api-Key", "sshkey", "private.key", "client_key_pem",
        "secret", "client-secret", "aws_secret_access_key", "secret_id",
        "credentials", "Authorization", "Proxy-Authorization", "Set-Cookie", "session_key", "signature",
    ],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    """The guide's four (password, token, key, secret) and their kin, in any spelling and within a longer name."""
    assert names_a_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "42", "keyword", "keyboard", "monkey", "turnkey", "hotkeys_enabled", "plan_hash", "author", "compass",
        "token_file", "webhook.token_file", "key_path", "public_key", "authentication",
        "deployment:authentication:ratio", 'service:availability:ratio{service="token"}', "deployment", "run",
    ],
)  # fmt: skip
def test_names_of_other_things(name: str) -> None:
    """A word that only contains `key`, what says where a secret lies, and signals of log-in stay legible."""
    assert not names_a_secret(name)
