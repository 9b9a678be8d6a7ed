"""Who looks at the page: signed in by a cookie whose secret the journal knows only as a hash."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from flask import Flask, Request, Response, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from receiver.identity import Role
from receiver.journal import sessions
from receiver.web.site import site

FRESH_FOR = 900.0
"""Seconds after signing in for which an approval needs no password again."""
ROLES = (Role.VIEWER, Role.OPERATOR)
"""Who may look at the page; other roles are for machines."""
_SECRET = "secret"  # noqa: S105 - the name of a field


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person who has signed in, with the role that they have at this moment."""

    name: str
    role: Role
    is_fresh: bool
    """Whether the password was given so recently that nobody else will have sat down at the phone."""

    @property
    def may_act(self) -> bool:
        """Whether they may do more than look."""
        return self.role is Role.OPERATOR


class Cookies(SecureCookieSessionInterface):
    """Flask's signed cookie; over HTTPS under a name that a browser takes from nobody but this host."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The cookie's content; where none was sent, as by every machine, nothing is made to read one."""
        return super().open_session(app, request) if "Cookie" in request.headers else self.session_class()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie where it has changed; nothing is to be done where nobody has asked for it."""
        if session.accessed or session.modified:
            super().save_session(app, session, response)

    def get_cookie_name(self, _app: Flask) -> str:
        """The name says to the browser what the cookie must be."""
        return "__Host-rollback-agent" if _is_secure() else "rollback-agent"

    def get_cookie_secure(self, _app: Flask) -> bool:
        """Whether it is for HTTPS only."""
        return _is_secure()


def visitor() -> Visitor | None:
    """Who has signed in and may still look, found once a request."""
    if "visitor" not in g:
        g.visitor = _find()
    found: Visitor | None = g.visitor
    return found


def begin(name: str) -> None:
    """`name` has proved who they are: a new session, with a new secret."""
    here = site()
    secret, in_force = secrets.token_urlsafe(32), here.in_force()
    credential = in_force.access.credential_of(name) or ""
    with here.database.write() as tx:
        now = here.database.now(tx)
        sessions.begin(tx, secret, name, credential, now, in_force.config.web.session_lifetime)
    session.clear()  # what came before, its CSRF token too, may be another's
    session[_SECRET] = secret


def end() -> None:
    """Sign out: from now on the cookie is worth nothing, wherever a copy of it is."""
    here = site()
    with here.database.write() as tx:
        sessions.end(tx, str(session.get(_SECRET, "")))
    session.clear()


def _find() -> Visitor | None:
    here = site()
    secret: Any = session.get(_SECRET)
    if not secret:
        return None
    with here.database.read() as tx:
        now = here.database.now(tx)
        found = sessions.find(tx, str(secret), now)
    if found is None:
        return None
    # Asked every time: who is gone from the file, or has lost the role or the password, is out with the next click.
    access = here.in_force().access
    role = access.role_of(found.person)
    if role not in ROLES or access.credential_of(found.person) != found.credential:
        return None
    return Visitor(found.person, role, abs(now - found.opened_at) < FRESH_FOR)


def _is_secure() -> bool:
    """Whether people reach the page by HTTPS, from the agent itself or from a proxy before it."""
    return request.is_secure or (site().in_force().config.web.external_url or "").startswith("https://")
