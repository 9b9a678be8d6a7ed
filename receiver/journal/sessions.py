"""Sessions of the web page: who signed in, and until when; who reads the journal cannot sign in with what it holds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa

from receiver.journal import tables


@dataclass(frozen=True, slots=True)
class Session:
    """One person who has signed in; times are Unix seconds."""

    person: str
    credential: str
    """What stood for their password when they signed in."""
    opened_at: float
    expires_at: float


def begin(tx: sa.Connection, secret: str, person: str, credential: str, now: float, lifetime: float) -> None:
    """`person` has signed in, for `lifetime` seconds; sessions that have expired are forgotten."""
    table = tables.session
    tx.execute(sa.delete(table).where(table.c.expires_at <= now))
    who = {"person": person, "credential": credential}
    tx.execute(sa.insert(table).values(id=_id(secret), opened_at=now, expires_at=now + lifetime, **who))


def find(tx: sa.Connection, secret: str, now: float) -> Session | None:
    """The session whose cookie holds `secret`, unless it has ended."""
    table = tables.session
    row = tx.execute(sa.select(table).where(table.c.id == _id(secret), table.c.expires_at > now)).first()
    return None if row is None else Session(row.person, row.credential, row.opened_at, row.expires_at)


def end(tx: sa.Connection, secret: str) -> None:
    """The person has signed out; a copy of the cookie is worth nothing from now on."""
    tx.execute(sa.delete(tables.session).where(tables.session.c.id == _id(secret)))


def _id(secret: str) -> str:
    # The secret is 256 random bits, so that no salt and no slow hash is needed.
    return hashlib.sha256(secret.encode()).hexdigest()
