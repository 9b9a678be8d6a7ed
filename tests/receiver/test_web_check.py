"""What the configuration says of users, roles, tokens and the address must fit together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from receiver.config import Config
from receiver.web_check import faults
from receiver.web_config import WebConfig
from tests.receiver.certificates import Authority
from tests.receiver.test_web_config import HASH

USERS = WebConfig(basic_auth_users={"alice": HASH})


def certified(directory: Path) -> WebConfig:
    """A web configuration that verifies clients' certificates."""
    authority = Authority(directory / "authority")
    more = {"client_ca_file": str(authority.certificate), "client_auth_type": "VerifyClientCertIfGiven"}
    return WebConfig(tls_server_config=authority.serve(directory, **more))


def config(directory: Path, **more: Any) -> Config:
    """A configuration whose webhook's token can be used."""
    token = directory / "webhook.token"
    token.write_text("a-token-that-only-tests-use")
    token.chmod(0o600)
    content = {
        "root": str(directory),
        "webhook": {"token_file": str(token)},
        "prometheus": {"url": "http://127.0.0.1:9"},
        "alertmanager": {"url": "http://127.0.0.1:9"},
        "deployments": {"qrl": {"target": {"releases": {"path": str(directory), "restart": ["/bin/true"]}}}},
    }
    return Config.model_validate(content | more)


@pytest.mark.parametrize("listen", ["127.0.0.1:9195", "127.0.0.2:0", "[::1]:9195", "localhost:9195"])
def test_on_loopback_nobody_need_be_configured(tmp_path: Path, listen: str) -> None:
    """Only this machine can ask, and what is written needs a token all the same."""
    assert list(faults(config(tmp_path, listen=listen), WebConfig())) == []


@pytest.mark.parametrize("listen", ["0.0.0.0:9195", "[::]:9195", "192.0.2.1:9195", "agent.example:9195", "[::2]:1"])
def test_beyond_loopback_somebody_must_be(tmp_path: Path, listen: str) -> None:
    """Without users or client certificates it is refused with what to do; with either it is not (T1)."""
    (fault,) = faults(config(tmp_path, listen=listen), WebConfig())
    assert fault == (
        f"listen: {listen} can be reached from other machines, and nobody has to say who they are; "
        "name a file with basic_auth_users or client_ca_file as web.config_file, or listen on 127.0.0.1"
    )
    with_users = config(tmp_path, listen=listen, web={"config_file": "web.yml", "roles": {"alice": "viewer"}})
    assert list(faults(with_users, USERS)) == []
    assert list(faults(config(tmp_path, listen=listen), certified(tmp_path))) == []


def test_every_user_has_a_role_and_every_role_a_user(tmp_path: Path) -> None:
    """A user without a role, and a role of nobody, are told by name; certificates may have any name."""
    roles = {"web": {"config_file": "/web.yml", "roles": {"bob": "operator"}}}
    assert list(faults(config(tmp_path, **roles), USERS)) == [
        "web.roles: alice is a user of /web.yml and has no role",
        "web.roles.bob: is no user of web.config_file, which verifies no client certificates either",
    ]
    assert list(faults(config(tmp_path, **roles), certified(tmp_path))) == []


def test_certificates_must_be_usable(tmp_path: Path) -> None:
    """A file of TLS that cannot be used is a fault before the agent serves, and is named."""
    web = certified(tmp_path)
    (tmp_path / "server.key").unlink()
    (fault,) = faults(config(tmp_path, web={"config_file": "/web.yml"}), web)
    assert fault.startswith("web.config_file: /web.yml: tls_server_config: ")
    assert fault.endswith("server.key: No such file or directory")


def test_tokens_must_be_usable_and_different(tmp_path: Path) -> None:
    """A file that is missing, that others may read, or that holds another's token is a fault of its key."""
    files = {name: tmp_path / name for name in ("gone", "open", "same", "good")}
    for name, file in files.items():
        if name != "gone":
            file.write_text("a-token-that-only-tests-use" if name == "same" else f"a-token-that-is-{name}")
            file.chmod(0o644 if name == "open" else 0o600)
    tokens = {name: {"file": str(file), "role": "viewer"} for name, file in files.items()}

    assert list(faults(config(tmp_path, web={"tokens": tokens}), WebConfig())) == [
        f"web.tokens.gone.file: {files['gone']}: No such file or directory",
        f"web.tokens.open.file: {files['open']}: others may read it; run: chmod 600 {files['open']}",
        "web.tokens.same.file: holds the same token as webhook.token_file; nobody could tell who of both asks",
    ]


def test_one_name_is_one_person(tmp_path: Path) -> None:
    """A token under the name of a user would let one person vote for two, or two for one."""
    web = {"roles": {"alice": "viewer"}, "tokens": {"alice": {"file": "t", "role": "operator"}}}
    with pytest.raises(ValueError, match=r"tokens\.alice: roles has that name too"):
        config(tmp_path, web=web)
