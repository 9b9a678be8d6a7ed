"""TLS and client certificates, as the real server speaks them."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from receiver.tls import Tls, TlsError
from receiver.web_config import WebConfig
from tests.receiver.certificates import Authority
from tests.receiver.serving import BEARER, VIEWER, Receiver, notification, serving

ROLES = {"prometheus": "viewer", "alice": "operator", "spiffe://example/alertmanager": "webhook"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def speaking(authority: Authority, directory: Path, **more: Any) -> Iterator[Receiver]:
    """The interface behind TLS."""
    tls = authority.serve(directory, **more)
    with serving(directory, WebConfig(tls_server_config=tls), web={"roles": ROLES}) as here:
        yield here


def ask(here: Receiver, authority: Authority, method: str = "GET", path: str = "/api/v1/incidents", **more: Any) -> int:
    """The status of an answer; the server's certificate is verified."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(
            method, here.url + path, verify=str(authority.certificate), timeout=30, **more
        ).status_code


def test_a_token_works_over_tls(authority: Authority, tmp_path: Path) -> None:
    """Where a client need not show a certificate a token is enough, and without either nobody is let in."""
    with speaking(authority, tmp_path) as here:
        assert ask(here, authority, headers={"Authorization": VIEWER}) == 200
        assert ask(here, authority) == 401


def test_a_certificate_proves_a_name(authority: Authority, tmp_path: Path) -> None:
    """The common name or an alternative one finds the role; a good certificate without a role may nothing."""
    webhook = authority.sign("any", alternative="URI:spiffe://example/alertmanager")
    with speaking(
        authority, tmp_path, client_ca_file=str(authority.certificate), client_auth_type="VerifyClientCertIfGiven"
    ) as here:
        assert ask(here, authority, cert=authority.sign("prometheus")) == 200
        assert ask(here, authority, "POST", "/-/reload", cert=authority.sign("prometheus")) == 403
        assert ask(here, authority, "POST", "/api/v1/alerts", cert=webhook, json=notification()) == 202
        assert ask(here, authority, cert=authority.sign("mallory")) == 403
        assert ask(here, authority, cert=authority.sign("")) == 403
        assert ask(here, authority) == 401
        assert ask(here, authority, headers={"Authorization": VIEWER}) == 200


def test_a_wrong_header_is_not_mended_by_a_certificate(authority: Authority, tmp_path: Path) -> None:
    """Whoever offers a token is who the token says, and nobody where it is wrong."""
    with speaking(
        authority, tmp_path, client_ca_file=str(authority.certificate), client_auth_type="RequireAndVerifyClientCert"
    ) as here:
        cert = authority.sign("alice")
        assert ask(here, authority, cert=cert, headers={"Authorization": "Bearer wrong-and-long-enough"}) == 401
        assert ask(here, authority, cert=cert, headers={"Authorization": BEARER}) == 403


@pytest.mark.parametrize("whose", ["none", "strangers", "self-signed"])
def test_who_must_show_a_certificate_must(authority: Authority, tmp_path: Path, whose: str) -> None:
    """Without one, or with one of another authority, no request is read, a token in it or not."""
    stranger = Authority(tmp_path / "stranger")
    cert = {"none": None, "strangers": stranger.sign("alice"), "self-signed": (stranger.certificate, stranger.key)}
    with (
        speaking(
            authority,
            tmp_path,
            client_ca_file=str(authority.certificate),
            client_auth_type="RequireAndVerifyClientCert",
        ) as here,
        pytest.raises(requests.ConnectionError),
    ):
        ask(here, authority, cert=cert[whose], headers={"Authorization": VIEWER})


def test_a_header_is_no_certificate(authority: Authority, tmp_path: Path) -> None:
    """What looks like a certificate in a header or under the environment's own name proves nothing."""
    with speaking(authority, tmp_path) as here:
        headers = {"rollback_agent.client_certificate": "alice", "SSL-Client-Verify": "SUCCESS", "SSL-Client-S-DN": "a"}
        assert ask(here, authority, headers=headers) == 401


def test_plain_http_is_told_so(authority: Authority, tmp_path: Path) -> None:
    """A client that speaks http gets a sentence, and nothing is read of what it sent."""
    with speaking(authority, tmp_path) as here:
        answer = requests.post(
            here.url.replace("https", "http") + "/api/v1/alerts", headers={"Authorization": BEARER}, timeout=30
        )
        assert (answer.status_code, answer.json()) == (400, {"error": "this address speaks https, not http"})


def test_old_versions_are_not_spoken(authority: Authority, tmp_path: Path) -> None:
    """With min_version TLS13 a client of TLS 1.2 is refused."""
    with speaking(authority, tmp_path, min_version="TLS13") as here:
        context = ssl.create_default_context(cafile=str(authority.certificate))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        host, port = here.url.removeprefix("https://").split(":")
        with (
            socket.create_connection((host, int(port)), timeout=30) as plain,
            pytest.raises(ssl.SSLError),
        ):
            context.wrap_socket(plain, server_hostname=host)


def test_a_client_that_shakes_no_hands_keeps_nobody_waiting(authority: Authority, tmp_path: Path) -> None:
    """Among thirty connections that say nothing a request is answered at once (T12)."""
    with speaking(authority, tmp_path) as here:
        host, port = here.url.removeprefix("https://").split(":")
        silent = [socket.create_connection((host, int(port)), timeout=30) for _ in range(30)]
        try:
            assert ask(here, authority, headers={"Authorization": VIEWER}) == 200
        finally:
            for one in silent:
                one.close()


def test_a_renewed_certificate_is_taken_up(authority: Authority, tmp_path: Path) -> None:
    """The next connection sees the new one without a reload; one that cannot be used leaves the old in force."""
    with speaking(authority, tmp_path) as here:
        assert ask(here, authority, headers={"Authorization": VIEWER}) == 200
        other = Authority(tmp_path / "other")
        for file in other.sign("agent", file="server"):
            new = tmp_path / f"{file.name}.new"
            new.write_bytes(file.read_bytes())
            new.chmod(0o600)
            os.replace(new, tmp_path / file.name)  # noqa: PTH105 - as a renewal does it
        assert ask(here, other, headers={"Authorization": VIEWER}) == 200

        (tmp_path / "server.crt").write_text("no certificate")
        assert ask(here, other, headers={"Authorization": VIEWER}) == 200


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda d: (d / "server.crt").unlink(), "server.crt: No such file or directory"),
        (lambda d: (d / "server.key").unlink(), "server.key: No such file or directory"),
        (lambda d: (d / "server.key").chmod(0o644), "key_file: .*server.key: others may read it; run: chmod 600"),
        (lambda d: (d / "server.crt").write_text("nothing"), "cert_file, key_file: not a certificate and its key"),
        (lambda d: (d / "ca.crt").write_text("nothing"), "client_ca_file: .*ca.crt: holds no certificate"),
        (lambda d: (d / "ca.crt").unlink(), "client_ca_file: .*ca.crt: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(authority: Authority, tmp_path: Path, damage: Any, fault: str) -> None:
    """A missing, open or wrong file is named with its key."""
    (tmp_path / "ca.crt").write_bytes(authority.certificate.read_bytes())
    tls = authority.serve(tmp_path, client_ca_file="ca.crt", client_auth_type="VerifyClientCertIfGiven")
    damage(tmp_path)
    with pytest.raises(TlsError, match=fault):
        Tls(tls)


def test_an_encrypted_key_is_no_question_on_the_terminal(authority: Authority, tmp_path: Path) -> None:
    """The agent has nobody to ask for a key's password, and says so."""
    tls = authority.serve(tmp_path)
    key = tmp_path / "server.key"
    subprocess.run(
        ("openssl", "pkey", "-aes256", "-passout", "pass:x", "-in", key, "-out", tmp_path / "encrypted"), check=True
    )
    (tmp_path / "encrypted").replace(key)
    key.chmod(0o600)
    with pytest.raises(TlsError, match=r"server\.key: the key is encrypted"):
        Tls(tls)
