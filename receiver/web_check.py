"""Says what the configuration of the HTTP interface has wrong that no single key shows."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.authentication import holders
from receiver.config import Config
from receiver.tls import TlsError, make_context
from receiver.web_config import WebConfig


def faults(config: Config, web: WebConfig) -> Iterator[str]:
    """Each fault as `key: what is wrong, and what to do`."""
    yield from _of_tokens(config)
    yield from _of_roles(config, web)
    if web.tls_server_config:
        try:
            make_context(web.tls_server_config)
        except TlsError as error:
            yield f"web.config_file: {config.web.config_file}: tls_server_config: {error}"
    if not config.listens_on_loopback and not (web.basic_auth_users or web.verifies_clients):
        yield (
            f"listen: {config.listen} can be reached from other machines, and nobody has to say who they are; "
            "name a file with basic_auth_users or client_ca_file as web.config_file, or listen on 127.0.0.1"
        )


def _of_tokens(config: Config) -> Iterator[str]:
    first: dict[bytes, str] = {}
    for holder in holders(config):
        try:
            secret = holder.token.digest()
        except OSError as error:
            yield f"{holder.key}: {error.filename}: {error.strerror}"
        except ValueError as error:
            yield f"{holder.key}: {error}"
        else:
            if secret in first:
                yield f"{holder.key}: holds the same token as {first[secret]}; nobody could tell who of both asks"
            first.setdefault(secret, holder.key)


def _of_roles(config: Config, web: WebConfig) -> Iterator[str]:
    for name in sorted(web.basic_auth_users.keys() - config.web.roles.keys()):
        yield f"web.roles: {name} is a user of {config.web.config_file} and has no role"
    if not web.verifies_clients:
        for name in sorted(config.web.roles.keys() - web.basic_auth_users.keys()):
            yield f"web.roles.{name}: is no user of web.config_file, which verifies no client certificates either"
