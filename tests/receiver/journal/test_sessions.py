"""A session is found by its secret alone, for its time, and holds nothing that lets anybody in."""

from __future__ import annotations

from receiver.journal import sessions
from receiver.journal.database import Database
from receiver.journal.sessions import Session
from tests.receiver.journal.rows import NOW, contents


def test_a_session_lasts_for_its_lifetime(database: Database) -> None:
    """Its secret finds it until the moment at which it ends, and no other secret does."""
    with database.write() as tx:
        sessions.begin(tx, "secret", "alice", "hash", NOW, 60)
        assert sessions.find(tx, "secret", NOW + 59) == Session("alice", "hash", NOW, NOW + 60)
        assert sessions.find(tx, "secret", NOW + 60) is None
        assert [sessions.find(tx, other, NOW) for other in ("", "Secret", "%")] == [None] * 3


def test_who_reads_the_journal_cannot_sign_in(database: Database) -> None:
    """The secret is not in it."""
    with database.write() as tx:
        sessions.begin(tx, "a-secret-of-a-cookie", "alice", "hash", NOW, 60)
    assert "a-secret-of-a-cookie" not in str(contents(database))


def test_signing_out_ends_one_session(database: Database) -> None:
    """The same person's other browser stays signed in."""
    with database.write() as tx:
        for secret in ("phone", "laptop"):
            sessions.begin(tx, secret, "alice", "hash", NOW, 60)
        sessions.end(tx, "phone")
        assert sessions.find(tx, "phone", NOW) is None
        assert sessions.find(tx, "laptop", NOW) is not None


def test_what_has_expired_is_forgotten(database: Database) -> None:
    """The next sign-in removes the sessions that have ended, so that the table stays small."""
    with database.write() as tx:
        for number in range(5):
            sessions.begin(tx, f"old {number}", "alice", "hash", NOW, 60)
        sessions.begin(tx, "new", "bob", "hash", NOW + 60, 60)
    assert [row[1] for row in contents(database)["session"]] == ["bob"]
