"""Logs people in by name and password, and out again."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import time

_SCRYPT = {"n": 2**12, "r": 8, "p": 1}


def set_password(connection: sqlite3.Connection, name: str, password: str) -> None:
    """Give `name` this password; the account is made if there is none."""
    salt = secrets.token_bytes(16)
    connection.execute(
        "INSERT INTO users (name, salt, password_hash) VALUES (:name, :salt, :hash)"
        " ON CONFLICT (name) DO UPDATE SET salt = :salt, password_hash = :hash",
        {"name": name, "salt": salt, "hash": hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)},
    )


def log_in(connection: sqlite3.Connection, name: str, password: str) -> str | None:
    """The token of a new session, or None when name and password do not belong together."""
    user = connection.execute("SELECT * FROM users WHERE name = ?", (name,)).fetchone()
    if user is None or user["password_hash"] is None:
        return None
    given = hashlib.scrypt(password.encode(), salt=user["salt"], **_SCRYPT)
    if not hmac.compare_digest(given, user["password_hash"]):
        return None
    token = secrets.token_urlsafe(24)
    connection.execute("INSERT INTO sessions VALUES (?, ?, ?)", (token, user["id"], time.time()))
    return token


def who(connection: sqlite3.Connection, token: str) -> str | None:
    """The name of the session's user."""
    row = connection.execute(
        "SELECT name FROM users JOIN sessions ON user_id = users.id WHERE token = ?", (token,)
    ).fetchone()
    return str(row["name"]) if row else None


def log_out(connection: sqlite3.Connection, token: str) -> None:
    """End the session."""
    connection.execute("DELETE FROM sessions WHERE token = ?", (token,))
