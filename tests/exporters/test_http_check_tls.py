"""HTTPS checks against a real TLS server whose certificate a throw-away authority signed."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configfile import ConfigError, load
from exporters.config import Config, HttpCheck, Tls
from exporters.deadline import Deadline
from exporters.http_check import probe_http
from exporters.outcome import Outcome, Reason
from exporters.resolver import Resolver
from tests.exporters.servers import WebServer

HOST = "qrl.example"


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def issue(directory: Path, name: str, subject: str, *extensions: str) -> None:
    """Write `name`.pem and `name`.key, signed by the authority of the directory."""
    key, request, certificate = (directory / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={subject}")
    (directory / f"{name}.ext").write_text("\n".join(extensions))
    openssl(
        *("x509", "-req", "-in", request, "-out", certificate, "-days", "2", "-CAcreateserial"),
        *("-CA", directory / "ca.pem", "-CAkey", directory / "ca.key", "-extfile", directory / f"{name}.ext"),
    )


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an authority, a server certificate for qrl.example, and a client certificate."""
    directory = tmp_path_factory.mktemp("certificates")
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=throw-away"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),  # Python 3.13 asks for it
        *("-keyout", directory / "ca.key", "-out", directory / "ca.pem"),
    )
    issue(directory, "server", HOST, f"subjectAltName=DNS:{HOST}")
    issue(directory, "client", "exporter", "extendedKeyUsage=clientAuth")
    return directory


@pytest.fixture(params=[False], ids=["any client"])
def tls_server(request: pytest.FixtureRequest, certificates: Path) -> Iterator[WebServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    if request.param:
        context.load_verify_locations(certificates / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    server = WebServer(tls=context)
    yield server
    server.stop()


def probe(url: str, **tls: Any) -> Outcome:
    return probe_http(HttpCheck(url=url, tls=Tls(**tls)), Resolver(), Deadline.after(0.5))


def test_trusted_certificate_of_the_right_name_succeeds(tls_server: WebServer, certificates: Path) -> None:
    """With its authority and its name the server is trusted."""
    assert probe(tls_server.url, ca_file=certificates / "ca.pem", server_name=HOST) == Outcome(http_status=200)


def test_unknown_authority_fails_by_tls(tls_server: WebServer) -> None:
    """Without its authority the certificate is refused, and that is no success with a warning."""
    outcome = probe(tls_server.url, server_name=HOST)
    assert (outcome.failure, outcome.http_status) == (Reason.TLS, 0)
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.detail


def test_wrong_name_fails_by_tls(tls_server: WebServer, certificates: Path) -> None:
    """A certificate for another name is refused."""
    assert probe(tls_server.url, ca_file=certificates / "ca.pem").failure is Reason.TLS


def test_verification_can_be_switched_off(tls_server: WebServer) -> None:
    """insecure_skip_verify accepts any certificate."""
    assert probe(tls_server.url, insecure_skip_verify=True).failure is None


@pytest.mark.parametrize("tls_server", [True], indirect=True, ids=["known clients only"])
def test_client_certificate_is_shown(tls_server: WebServer, certificates: Path) -> None:
    """A server that asks for a client certificate gets the configured one, and refuses a probe without."""
    trusted: dict[str, Any] = {"ca_file": certificates / "ca.pem", "server_name": HOST}
    pair = {"cert_file": certificates / "client.pem", "key_file": certificates / "client.key"}
    assert probe(tls_server.url, **trusted, **pair).failure is None
    # In TLS 1.3 the refusal comes after the client's handshake, and the reset can overtake the alert that says why.
    assert probe(tls_server.url, **trusted).failure in (Reason.TLS, Reason.CONNECTION)


def test_plain_server_fails_by_tls(web_server: WebServer) -> None:
    """A server that speaks plain HTTP on the port of an https URL fails by TLS."""
    assert probe(web_server.url.replace("http:", "https:")).failure is Reason.TLS


def test_handshake_that_hangs_is_cut_off_at_the_deadline() -> None:
    """A server that accepts the connection but never shakes hands costs the deadline and no more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        begin = time.monotonic()
        outcome = probe(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        took = time.monotonic() - begin
    assert outcome.failure is Reason.TIMEOUT
    assert 0.45 < took < 30


def test_key_of_another_certificate_is_refused_at_load(certificates: Path, tmp_path: Path) -> None:
    """A certificate and a key that do not belong together are found when the file is read."""
    path = tmp_path / "exporter.yaml"
    tls = f"{{cert_file: {certificates}/client.pem, key_file: {certificates}/server.key}}"
    path.write_text(
        "deployments:\n  qrl:\n    services:\n      fastapi:\n"
        f"        checks: [{{name: home, kind: ui, http: {{url: 'https://h/', tls: {tls}}}}}]\n"
    )
    with pytest.raises(ConfigError, match="the certificates cannot be used: KEY_VALUES_MISMATCH"):
        load(path, Config)
