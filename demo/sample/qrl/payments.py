"""Authorises, voids and lists payments."""

from __future__ import annotations

import sqlite3
import time


def authorise(connection: sqlite3.Connection, user: str, cents: int) -> int:
    """The number of a new authorised payment of `user`."""
    cursor = connection.execute(
        "INSERT INTO payments (user_id, cents, state, created_at)"
        " SELECT id, ?, 'authorised', ? FROM users WHERE name = ?",
        (cents, time.time(), user),
    )
    if cursor.rowcount != 1 or cursor.lastrowid is None:
        raise LookupError(f"no user {user!r}")
    return cursor.lastrowid


def void(connection: sqlite3.Connection, payment: int) -> bool:
    """Whether an authorised payment of that number was there and is now void."""
    cursor = connection.execute(
        "UPDATE payments SET state = 'voided' WHERE id = ? AND state = 'authorised'", (payment,)
    )
    return cursor.rowcount == 1


def of_user(connection: sqlite3.Connection, user: str) -> list[dict[str, object]]:
    """Payments of `user`, newest first."""
    rows = connection.execute(
        "SELECT payments.id, cents, state FROM payments JOIN users ON user_id = users.id"
        " WHERE name = ? ORDER BY payments.id DESC LIMIT 20",
        (user,),
    )
    return [dict(row) for row in rows]


def forget_voided(connection: sqlite3.Connection, user: str, keep: int = 20) -> None:
    """Delete all but the last `keep` voided payments of `user`, so that self tests do not fill the table."""
    connection.execute(
        "DELETE FROM payments WHERE state = 'voided' AND user_id = (SELECT id FROM users WHERE name = ?)"
        " AND id <= (SELECT max(id) FROM payments) - ?",
        (user, keep),
    )
