"""Holds the exporter's configuration: typed, strict, and complete before anything uses it."""

from __future__ import annotations

import re
import ssl
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from configfile import Boolean, Command, FilePath, Integer, Seconds, Section
from exporters.log_formats import USER_FIELDS, Format


class CheckKind(StrEnum):
    """What a check says something about; the signals are recorded by kind."""

    AVAILABILITY = "availability"
    AUTHENTICATION = "authentication"
    PAYMENT = "payment"
    DATABASE = "database"
    UI = "ui"


def _readable(path: Path) -> Path:
    try:
        path.open("rb").close()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    return path


def http_url(url: str) -> str:
    """The URL itself; raises ValueError if it is none that can be asked as it stands."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("a URL holds printable ASCII characters and no spaces; encode others as %XX")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a URL begins with http:// or https:// and a host")
    if "@" in parts.netloc:
        raise ValueError("a URL holds no user or password; use header_files for an Authorization header")
    _ = parts.port  # raises ValueError when it is no port
    return url


def _header_value(value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise ValueError("a header value is one line of printable ASCII characters")
    return value


def _address(listen: str) -> str:
    host, separator, port = listen.rpartition(":")
    if not separator or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{listen!r} is no address; write host:port, such as 127.0.0.1:9196 or [::1]:9196")
    return listen


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
"""A label value that a person reads: letters, digits, dot, dash, underscore."""
Listen = Annotated[str, AfterValidator(_address)]
ReadableFile = Annotated[FilePath, AfterValidator(_readable)]
Timeout = Annotated[Seconds, Field(gt=0)]
Url = Annotated[str, AfterValidator(http_url)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
HeaderValue = Annotated[str, AfterValidator(_header_value)]
Status = Annotated[Integer, Field(ge=100, le=599)]


class Tls(Section):
    """How an https URL is verified, and who asks."""

    ca_file: ReadableFile | None = None
    cert_file: ReadableFile | None = None
    key_file: ReadableFile | None = None
    server_name: str | None = None
    insecure_skip_verify: Boolean = False

    @model_validator(mode="after")
    def _is_usable(self) -> Self:
        if self.key_file and not self.cert_file:
            raise ValueError("key_file needs cert_file")
        if self.ca_file and self.insecure_skip_verify:
            raise ValueError("ca_file has no effect with insecure_skip_verify: true; give one of them")
        if not self.ca_file and not self.cert_file:
            return self
        try:
            self.context()
        except ssl.SSLError as error:
            raise ValueError(f"the certificates cannot be used: {error.reason}") from error
        except OSError as error:
            raise ValueError(f"the certificates cannot be read: {error.strerror}") from error
        return self

    def context(self) -> ssl.SSLContext:
        """Made for each probe, so that a renewed certificate counts at once."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.insecure_skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.cert_file:
            # Without a password argument OpenSSL would ask the terminal for one.
            context.load_cert_chain(self.cert_file, self.key_file, password="")
        return context


class HttpCheck(Section):
    """One request, and what its response has to be."""

    url: Url
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)
    header_files: dict[HeaderName, ReadableFile] = Field(default_factory=dict)
    body: str = ""
    body_file: ReadableFile | None = None
    expected_status: Annotated[tuple[Status, ...], Field(min_length=1)] = (200,)
    body_pattern: re.Pattern[str] | None = None
    timeout: Timeout = 5.0
    tls: Tls = Tls()
    follow_redirects: Boolean = False

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.body and self.body_file:
            raise ValueError("give body or body_file, not both")
        if self.body_pattern and self.method == "HEAD":
            raise ValueError("body_pattern cannot match: the response to HEAD has no body")
        names = Counter(name.lower() for name in (*self.headers, *self.header_files))
        for name, count in names.items():
            if count > 1:
                raise ValueError(f"the header {name!r} is given twice")
        return self


class CommandCheck(Section):
    """One command, and the exit code it has to end with."""

    argv: Command
    expected_exit_code: Annotated[Integer, Field(ge=0, le=255)] = 0
    timeout: Timeout = 5.0


class Check(Section):
    """One health check: exactly one of `http` and `command`."""

    name: Name
    kind: CheckKind
    http: HttpCheck | None = None
    command: CommandCheck | None = None

    @model_validator(mode="after")
    def _has_one_probe(self) -> Self:
        if (self.http is None) == (self.command is None):
            raise ValueError("a check has either http or command")
        return self

    @property
    def probe(self) -> HttpCheck | CommandCheck:
        """Whichever of the two is given."""
        probe = self.http or self.command
        if probe is None:
            raise AssertionError("a check without a probe was refused when the file was read")
        return probe


class AccessLog(Section):
    """One log file of a service."""

    path: FilePath
    format: Format
    user_field: str | None = None

    @field_validator("user_field")
    @classmethod
    def _is_in_the_format(cls, field: str | None, info: ValidationInfo) -> str | None:
        known = USER_FIELDS[info.data["format"]] if "format" in info.data else None
        if field is not None and known is not None and field not in known:
            raise ValueError(f"{info.data['format']} has no field {field!r}; it has {', '.join(known)}")
        return field


class Service(Section):
    """One service of a deployment: its checks and its logs."""

    checks: tuple[Check, ...] = ()
    access_logs: tuple[AccessLog, ...] = ()

    @model_validator(mode="after")
    def _is_watched_once(self) -> Self:
        if not self.checks and not self.access_logs:
            raise ValueError("nothing to watch: give checks or access_logs")
        for name, count in Counter(check.name for check in self.checks).items():
            if count > 1:
                raise ValueError(f"two checks are named {name!r}")
        for path, count in Counter(log.path for log in self.access_logs).items():
            if count > 1:
                raise ValueError(f"{path} is given twice and would be counted twice")
        return self


class Deployment(Section):
    """Services that are released, and rolled back, together."""

    services: Annotated[dict[Name, Service], Field(min_length=1)]


class Config(Section):
    """The whole file."""

    listen: Listen = "127.0.0.1:9196"
    deployments: Annotated[dict[Name, Deployment], Field(min_length=1)]

    @property
    def address(self) -> tuple[str, int]:
        """Where to listen."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    def services(self) -> Iterator[tuple[str, str, Service]]:
        """Each service with the names of its deployment and of itself."""
        for deployment_name, deployment in self.deployments.items():
            for service_name, service in deployment.services.items():
                yield deployment_name, service_name, service
