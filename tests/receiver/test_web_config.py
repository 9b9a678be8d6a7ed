"""The file of users and TLS is read strictly, and a fault in it never shows what may be a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from configfile import ConfigError
from receiver.web_config import ClientAuth, TlsVersion, WebConfig, load_web_config

HASH = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
GOOD = f"""
tls_server_config:
  cert_file: server.crt
  key_file: /etc/keys/server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  min_version: TLS13
basic_auth_users:
  alice: {HASH}
"""


def read(directory: Path, text: str) -> WebConfig:
    """The file with that text, read."""
    file = directory / "web.yml"
    file.write_text(text)
    return load_web_config(file)


def test_a_file_of_the_exporter_toolkit_is_read(tmp_path: Path) -> None:
    """Users, certificate and what is asked of clients arrive; a relative path is meant from the file's directory."""
    web = read(tmp_path, GOOD)
    tls = web.tls_server_config
    assert tls is not None
    assert (tls.cert_file, str(tls.key_file)) == (tmp_path / "server.crt", "/etc/keys/server.key")
    assert (tls.client_auth_type, tls.min_version) == (ClientAuth.REQUIRED, TlsVersion.TLS13)
    assert (web.basic_auth_users, web.verifies_clients) == ({"alice": HASH}, True)


def test_without_a_file_there_are_neither_users_nor_tls() -> None:
    """The file is optional."""
    web = load_web_config(None)
    assert (web.basic_auth_users, web.tls_server_config, web.verifies_clients) == ({}, None, False)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("basic_auth_users: {alice: hunter2}", "1: basic_auth_users.alice: is no bcrypt hash; make one with: htpasswd"),
        (f"basic_auth_users: {{alice: {HASH}x}}", "1: basic_auth_users.alice: is no bcrypt hash"),
        (f"basic_auth_users: {{alice: {HASH.replace('$10$', '$31$')}}}", "cost of a bcrypt hash is 4 to 15"),
        (f"basic_auth_users: {{alice: {HASH.replace('$10$', '$03$')}}}", "cost of a bcrypt hash is 4 to 15"),
        (f'basic_auth_users: {{"a:b": {HASH}}}', "a user's name is not empty, printable and without a colon"),
        (f'basic_auth_users: {{"": {HASH}}}', "a user's name is not empty"),
        (f"basic_auth_users:\n  alice: {HASH}\n  alice: {HASH}", "3: basic_auth_users.alice: key given twice"),
        ("basic_auth_user: {}", "1: basic_auth_user: unknown key; did you mean 'basic_auth_users'?"),
        ("tls_server_config: {key_file: k}", "1: tls_server_config.cert_file: is required and missing"),
        ("tls_server_config: {cert_file: c, key_file: k, min_version: TLS10}", "TLS10 is not offered: it is broken"),
        ("tls_server_config: {cert_file: c, key_file: k, min_version: SSL3}", "should be 'TLS12' or 'TLS13'"),
        (
            "tls_server_config: {cert_file: c, key_file: k, client_auth_type: RequireAnyClientCert, client_ca_file: a}",
            "RequireAnyClientCert does not verify the certificate, so it proves nothing; write RequireAndVerify",
        ),
        (
            "tls_server_config: {cert_file: c, key_file: k, client_auth_type: RequestClientCert}",
            "RequestClientCert does not verify",
        ),
        (
            "tls_server_config: {cert_file: c, key_file: k, client_ca_file: a}",
            "client_ca_file without client_auth_type verifies nobody",
        ),
        (
            "tls_server_config: {cert_file: c, key_file: k, client_auth_type: VerifyClientCertIfGiven}",
            "client_auth_type VerifyClientCertIfGiven needs client_ca_file",
        ),
        ("tls_server_config: {cert_file: c, key_file: k, cipher_suites: [X]}", "cipher_suites: unknown key"),
    ],
)
def test_a_fault_names_its_place(tmp_path: Path, text: str, fault: str) -> None:
    """What cannot be used is refused with file, line and key, and a value that may be a password is not quoted."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert fault in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'web.yml'}:")
    assert "hunter2" not in str(caught.value)
