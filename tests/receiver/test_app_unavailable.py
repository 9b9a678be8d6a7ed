"""Where the journal or the token cannot be used nothing is accepted, and it is accepted again afterwards."""

from __future__ import annotations

import sqlite3

import pytest

from tests.receiver.serving import BEARER, VIEWER, Receiver, notification


def test_a_locked_journal_is_503_until_it_is_free(receiver: Receiver) -> None:
    """What cannot be stored is answered 503, so that Alertmanager sends it again; afterwards it is accepted."""
    other = sqlite3.connect(receiver.directory / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    refused = receiver.post(notification())
    assert (refused.status_code, refused.json()) == (
        503,
        {"error": "the notification could not be stored; send it again"},
    )
    assert (receiver.stored(), receiver.told) == ([], [])

    other.execute("ROLLBACK")
    other.close()
    assert receiver.post(notification()).status_code == 202
    assert receiver.counted() == {"accepted": 1, "failed": 1}


def test_a_journal_that_is_gone_is_503(receiver: Receiver) -> None:
    """Where the database cannot be opened nothing is accepted, reads say so, and metrics still answer."""
    receiver.database.close()
    for file in receiver.directory.glob("state.db*"):
        file.unlink()
    (receiver.directory / "state.db").mkdir()

    assert receiver.post(notification()).status_code == 503
    shown = receiver.get("/api/v1/incidents", Authorization=VIEWER)
    assert (shown.status_code, shown.json()) == (503, {"error": "the journal cannot be read now"})
    scraped = receiver.get("/metrics")
    assert (scraped.status_code, "rollback_journal_up 0.0" in scraped.text) == (200, True)


def test_counts_of_rejections_wait_for_the_journal(receiver: Receiver) -> None:
    """A rejection while the journal is locked is counted once it can be written, and only once."""
    receiver.post(b"", authorization=None)
    other = sqlite3.connect(receiver.directory / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert receiver.counted() == {}
    other.close()

    assert [receiver.counted(), receiver.counted()] == [{"unauthorized": 1}] * 2


@pytest.mark.parametrize("damage", ["others may read it", "gone", "empty", "short", "a directory"])
def test_without_a_usable_token_file_nothing_is_accepted(receiver: Receiver, damage: str) -> None:
    """A token file that others may read, is missing or holds no secret is 503: the configured token is unknown."""
    offered = BEARER
    match damage:
        case "others may read it":
            receiver.token_file.chmod(0o604)
        case "gone":
            receiver.token_file.unlink()
        case "empty":
            receiver.token_file.write_text("")
            offered = "Bearer "
        case "short":
            receiver.token_file.write_text("short")
            offered = "Bearer short"
        case _:
            receiver.token_file.unlink()
            receiver.token_file.mkdir(mode=0o700)

    answer = receiver.post(notification(), authorization=offered)

    assert (answer.status_code, answer.json()) == (503, {"error": "the token cannot be checked; see the agent's log"})
    assert receiver.stored() == []
    assert receiver.counted() == {"failed": 1}


def test_a_changed_token_counts_at_once(receiver: Receiver) -> None:
    """A rotated token is accepted, and the old one is not, without a restart."""
    receiver.token_file.write_text("another-token-for-the-tests")

    assert receiver.post(notification()).status_code == 401
    assert receiver.post(notification(), authorization="Bearer another-token-for-the-tests").status_code == 202
