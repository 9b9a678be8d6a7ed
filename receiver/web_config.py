"""Reads users, TLS and client certificates from a file in the format of Prometheus' exporter-toolkit."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from configfile import FilePath, Section, load

_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_CHEAPEST, _DEAREST = 4, 15


class TlsVersion(StrEnum):
    """The versions of TLS, as the exporter-toolkit writes them."""

    TLS12 = "TLS12"
    TLS13 = "TLS13"


class ClientAuth(StrEnum):
    """Whether a client shows a certificate; it is always verified."""

    NONE = "NoClientCert"
    IF_GIVEN = "VerifyClientCertIfGiven"
    REQUIRED = "RequireAndVerifyClientCert"


def _bcrypt_hash(value: str) -> str:
    # What does not fit is not quoted: it may be a password in plain text.
    found = _BCRYPT.fullmatch(value)
    if found is None:
        raise ValueError("is no bcrypt hash; make one with: htpasswd -nBC 12 NAME")
    if not _CHEAPEST <= int(found[1]) <= _DEAREST:
        raise ValueError(f"the cost of a bcrypt hash is {_CHEAPEST} to {_DEAREST}; above, each sign-in takes seconds")
    return value


def _user_name(value: str) -> str:
    if not value or not value.isprintable() or ":" in value:
        raise ValueError("a user's name is not empty, printable and without a colon")
    return value


def _not_old(value: object) -> object:
    if value in ("TLS10", "TLS11"):
        raise ValueError(f"{value} is not offered: it is broken; write TLS12 or TLS13")
    return value


def _verified(value: object) -> object:
    if value in ("RequestClientCert", "RequireAnyClientCert"):
        raise ValueError(
            f"{value} does not verify the certificate, so it proves nothing; "
            f"write {ClientAuth.REQUIRED} or {ClientAuth.IF_GIVEN}"
        )
    return value


UserName = Annotated[str, AfterValidator(_user_name)]
BcryptHash = Annotated[str, AfterValidator(_bcrypt_hash)]


class TlsServer(Section):
    """The server's certificate, and what it asks of a client's."""

    cert_file: FilePath
    key_file: FilePath
    client_auth_type: Annotated[ClientAuth, BeforeValidator(_verified)] = ClientAuth.NONE
    client_ca_file: FilePath | None = None
    min_version: Annotated[TlsVersion, BeforeValidator(_not_old)] = TlsVersion.TLS12

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.client_auth_type is ClientAuth.NONE and self.client_ca_file:
            raise ValueError(
                f"client_ca_file without client_auth_type verifies nobody; write {ClientAuth.REQUIRED} or "
                f"{ClientAuth.IF_GIVEN}"
            )
        if self.client_auth_type is not ClientAuth.NONE and not self.client_ca_file:
            raise ValueError(f"client_auth_type {self.client_auth_type} needs client_ca_file")
        return self


class WebConfig(Section):
    """The file: users with their bcrypt hashes, and TLS."""

    tls_server_config: TlsServer | None = None
    basic_auth_users: dict[UserName, BcryptHash] = Field(default={})

    @property
    def verifies_clients(self) -> bool:
        """Whether a client can prove with a certificate who it is."""
        return bool(self.tls_server_config and self.tls_server_config.client_ca_file)


def load_web_config(path: Path | None) -> WebConfig:
    """Read the file; raises ConfigError with every fault found. Without one there are neither users nor TLS."""
    return load(path, WebConfig) if path else WebConfig()
