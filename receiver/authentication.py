"""Says who makes a request: by a bearer token, a user's password, or a client certificate."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from flask import Request

from receiver.config import Config
from receiver.identity import Identity, Proof, Role
from receiver.log import get_log
from receiver.passwords import Passwords
from receiver.secret import SecretFile
from receiver.throttle import Throttle, Throttled
from receiver.web_config import WebConfig

CERTIFICATE = "rollback_agent.client_certificate"
"""Where the server puts the verified certificate of a client, as `ssl.SSLSocket.getpeercert` gives it."""
_AMBIENT = (Proof.PASSWORD, Proof.CERTIFICATE)
"""What a browser sends along by itself, whoever wrote the page that makes it ask."""
_READING = ("GET", "HEAD", "OPTIONS")
_UNKNOWN = "credentials are needed, and they must be ones that are configured"


class Refused(Exception):
    """A request that is answered with `status` and the error's text; `outcome` is what a notification is counted as."""

    def __init__(self, status: int, text: str, outcome: str = "failed", retry_after: int | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.outcome = outcome
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who has a bearer token; `key` is where the configuration names its file."""

    key: str
    name: str
    role: Role
    token: SecretFile


class Access:
    """Who may use the HTTP interface, by one configuration; `clock` is monotonic seconds."""

    def __init__(self, config: Config, web: WebConfig, clock: Callable[[], float]) -> None:
        self._holders = holders(config)
        self._is_local = config.listens_on_loopback
        self._external = urlsplit(config.web.external_url or "").netloc
        self._roles = config.web.roles
        self._users = {name: sha256(hash_.encode()).hexdigest() for name, hash_ in web.basic_auth_users.items()}
        self._passwords = Passwords(web.basic_auth_users, clock)
        self._wrong_tokens = Throttle(clock)

    @property
    def has_users(self) -> bool:
        """Whether anybody can sign in with a password."""
        return bool(self._users)

    def require(self, request: Request, *roles: Role) -> Identity:
        """Who makes the request; raises Refused where that is not known (401) or is none of `roles` (403)."""
        identity = self.identify(request)
        if identity.via in _AMBIENT and request.method not in _READING and self._is_of_another_site(request):
            raise Refused(403, "another site's page sent this; a browser's credentials do not count for it")
        if not identity.may(*roles):
            needed = " or ".join(roles)
            raise Refused(403, f"{identity.name} is {identity.role}, and this needs {needed}", "unauthorized")
        return identity

    def identify(self, request: Request) -> Identity:
        """Who makes the request; raises Refused (401, 429, or 503 where it cannot be checked)."""
        address = request.remote_addr or ""
        scheme, _, offered = request.headers.get("Authorization", "").partition(" ")
        match scheme.lower():
            case "bearer":
                return self._holder(offered.strip(), address)
            case "basic":
                name, password = _user_and_password(offered.strip())
                identity = self.check_password(name, password, address)
                if identity is None:
                    raise Refused(401, _UNKNOWN, "unauthorized")
                return identity
            case "":
                return self._certified(request.environ.get(CERTIFICATE))
            case _:
                raise Refused(401, _UNKNOWN, "unauthorized")

    @property
    def challenges(self) -> tuple[str, ...]:
        """What a refused client is told of the credentials that are taken here."""
        basic = ('Basic realm="rollback-agent", charset="UTF-8"',) if self._users else ()
        return ('Bearer realm="rollback-agent"', *basic)

    @property
    def shows_metrics_to_all(self) -> bool:
        """Whether a scrape needs no credentials: nobody can ask from another machine."""
        return self._is_local

    def check_password(self, name: str, password: str, address: str) -> Identity | None:
        """The user, where the password is theirs; raises Refused (429) where too many were wrong."""
        try:
            is_right = self._passwords.check(name, password, address)
        except Throttled as error:
            raise _too_often(error) from None
        if not is_right:
            get_log().warning("a name and a password did not belong together", address=address)
        role = self.role_of(name)
        return Identity(name, role, Proof.PASSWORD) if is_right and role else None

    def role_of(self, name: str) -> Role | None:
        """The role of a user who has signed in, or None where that name is no user's any more."""
        return self._roles.get(name) if name in self._users else None

    def credential_of(self, name: str) -> str | None:
        """What stands for a user's password, and changes with it."""
        return self._users.get(name)

    def _is_of_another_site(self, request: Request) -> bool:
        origin = request.headers.get("Origin")
        return origin is not None and urlsplit(origin).netloc not in {request.host, self._external} - {""}

    def _holder(self, offered: str, address: str) -> Identity:
        unreadable: Exception | None = None
        found: Holder | None = None
        for holder in self._holders:  # all of them, so that the time does not tell which one it was
            try:
                if holder.token.matches(offered):
                    found = holder
            except (OSError, ValueError) as error:
                get_log().error("a token cannot be read", key=holder.key, error=str(error))
                unreadable = error
        if found:
            return Identity(found.name, found.role, Proof.TOKEN)
        if unreadable:
            raise Refused(503, "the token cannot be checked; see the agent's log") from unreadable
        try:
            self._wrong_tokens.begin(address, "")
        except Throttled as error:
            raise _too_often(error) from None
        raise Refused(401, _UNKNOWN, "unauthorized")

    def _certified(self, certificate: Mapping[str, Any] | None) -> Identity:
        if not certificate:
            raise Refused(401, _UNKNOWN, "unauthorized")
        names = certified_names(certificate)
        for name in names:
            if role := self._roles.get(name):
                return Identity(name, role, Proof.CERTIFICATE)
        shown = names[0] if names else "without a name"
        raise Refused(403, f"the certificate {shown} is good, but has no role in web.roles", "unauthorized")


def holders(config: Config) -> tuple[Holder, ...]:
    """Everybody who has a bearer token."""
    found = [Holder("webhook.token_file", "webhook", Role.WEBHOOK, SecretFile(config.webhook.token_file))]
    if config.pipeline:
        found.append(Holder("pipeline.token_file", "pipeline", Role.PIPELINE, SecretFile(config.pipeline.token_file)))
    for name, token in config.web.tokens.items():
        found.append(Holder(f"web.tokens.{name}.file", name, token.role, SecretFile(token.file)))
    return tuple(found)


def certified_names(certificate: Mapping[str, Any]) -> list[str]:
    """The names that a verified certificate is for: the common name, then the alternative ones."""
    common = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    others = [value for _kind, value in certificate.get("subjectAltName", ()) if isinstance(value, str)]
    return common + others


def _user_and_password(offered: str) -> tuple[str, str]:
    try:
        name, colon, password = base64.b64decode(offered, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:  # a UnicodeDecodeError is a ValueError
        raise Refused(401, _UNKNOWN, "unauthorized") from error
    if not colon:
        raise Refused(401, _UNKNOWN, "unauthorized")
    return name, password


def _too_often(error: Throttled) -> Refused:
    return Refused(429, str(error), "unauthorized", error.retry_after)
