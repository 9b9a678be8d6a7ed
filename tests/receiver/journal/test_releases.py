"""What is remembered of a release only grows: first seen once, good once, held until a person says otherwise."""

from __future__ import annotations

from receiver.journal import releases
from receiver.journal.database import Database
from receiver.model import Release
from tests.receiver.journal.rows import NOW, contents


def test_a_release_is_remembered_from_when_it_was_first_seen(database: Database) -> None:
    """Seeing a release again changes nothing of what is known of it."""
    with database.write() as tx:
        releases.seen(tx, "qrl", (Release("r1", "c1"), Release("r2", None)), NOW)
        releases.set_good(tx, "qrl", "r1", NOW + 1)
        releases.seen(tx, "qrl", (Release("r1", "c1"), Release("r2", None)), NOW + 9)

    assert known(database) == {"r1": Release("r1", "c1", None, NOW + 1), "r2": Release("r2", None)}
    assert {row[3] for row in contents(database)["release"]} == {NOW}


def test_a_release_that_was_built_anew_must_prove_good_anew(database: Database) -> None:
    """With another commit under its id a release is not known to be good; held it stays, and unreadable it was not."""
    with database.write() as tx:
        releases.seen(tx, "qrl", (Release("r1", "c1"), Release("r2", "c2")), NOW)
        for release in ("r1", "r2"):
            releases.set_good(tx, "qrl", release, NOW + 1)
        releases.hold(tx, "qrl", "r1", NOW + 2, "run1")
        releases.seen(tx, "qrl", (Release("r1", "other"), Release("r2", None)), NOW + 9)

    assert known(database) == {
        "r1": Release("r1", "other", None, None, NOW + 2),
        "r2": Release("r2", "c2", None, NOW + 1),
    }


def test_deployments_do_not_share_releases(database: Database) -> None:
    """The same id in two deployments is two releases."""
    with database.write() as tx:
        for deployment in ("qrl", "shop"):
            releases.seen(tx, deployment, (Release("r1", "c1"),), NOW)
        releases.hold(tx, "shop", "r1", NOW, "run1")
        releases.set_live(tx, "shop", "r1", NOW)
        releases.set_good(tx, "shop", "r1", NOW)

    assert known(database) == {"r1": Release("r1", "c1")}


def test_a_release_proves_good_once(database: Database) -> None:
    """Since when it is good is the first time that it proved so."""
    with database.write() as tx:
        releases.seen(tx, "qrl", (Release("r1", "c1"),), NOW)
        releases.set_good(tx, "qrl", "r1", NOW + 1)
        releases.set_good(tx, "qrl", "r1", NOW + 2)

    assert known(database)["r1"].good_at == NOW + 1


def test_a_release_that_is_live_again_is_live_since_then(database: Database) -> None:
    """Being switched to again starts its time anew."""
    with database.write() as tx:
        releases.seen(tx, "qrl", (Release("r1", "c1"),), NOW)
        releases.set_live(tx, "qrl", "r1", NOW)
        releases.set_live(tx, "qrl", "r1", NOW + 50)

    assert known(database)["r1"].live_since == NOW + 50


def test_the_release_that_went_live_last_is_live(database: Database) -> None:
    """Of all releases that were ever live the latest one is; where none was, none is."""
    with database.write() as tx:
        releases.seen(tx, "qrl", (Release("r1", "c1"), Release("r2", "c2"), Release("r3", "c3")), NOW)
        assert releases.live(tx, "qrl") is None
        releases.set_live(tx, "qrl", "r2", NOW)
        releases.set_live(tx, "qrl", "r1", NOW + 1)

        found = releases.live(tx, "qrl")

    assert found == Release("r1", "c1", NOW + 1)


def test_a_held_release_says_since_when_and_by_which_run(database: Database) -> None:
    """A release that was rolled back is held, good or not, and the run that did it is kept."""
    with database.write() as tx:
        releases.seen(tx, "qrl", (Release("r2", "c2"),), NOW)
        releases.set_good(tx, "qrl", "r2", NOW)
        releases.hold(tx, "qrl", "r2", NOW + 5, "run1")

    assert known(database)["r2"] == Release("r2", "c2", None, NOW, NOW + 5)
    assert "run1" in contents(database)["release"][0]


def known(database: Database) -> dict[str, Release]:
    with database.read() as tx:
        return releases.known(tx, "qrl")
