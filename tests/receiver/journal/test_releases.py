"""What is remembered of a release only grows: first seen once, good once, held until a person says otherwise."""

from __future__ import annotations

from receiver.journal import releases
from receiver.journal.database import Database
from receiver.journal.releases import Deploy, Migration
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


def test_a_deploy_is_under_way_from_its_start_to_its_end(database: Database) -> None:
    """What a pipeline reports of its start is kept, and its end ends it."""
    with database.write() as tx:
        begun = releases.deploy_started(tx, "qrl", "r3", NOW, commit="abc1234", author="ada")
        assert releases.deploys_under_way(tx, "qrl", NOW + 1) == (begun,)
        ended = releases.deploy_finished(tx, "qrl", "r3", NOW + 5, Migration.OK)
        assert releases.deploys_under_way(tx, "qrl", NOW + 6) == ()

    assert begun == Deploy("r3", "abc1234", "ada", NOW, None, None)
    assert ended == Deploy("r3", "abc1234", "ada", NOW, NOW + 5, Migration.OK)


def test_a_deploy_whose_pipeline_died_is_under_way_for_an_hour(database: Database) -> None:
    """An end that never comes does not block for ever, and the deploys of others are their own."""
    with database.write() as tx:
        for number, release in enumerate(("r3", "r4")):
            releases.deploy_started(tx, "qrl", release, NOW + number, commit=None, author=None)

        for later, under_way in ((3599, ["r3", "r4"]), (3600, ["r4"]), (3601, [])):
            assert [one.release for one in releases.deploys_under_way(tx, "qrl", NOW + later)] == under_way
        assert releases.deploys_under_way(tx, "shop", NOW + 2) == ()


def test_a_new_try_makes_the_earlier_one_void(database: Database) -> None:
    """The same release deployed again is under way again, and its migration has not failed any more."""
    with database.write() as tx:
        releases.deploy_started(tx, "qrl", "r3", NOW, commit="abc1234", author="ada")
        releases.deploy_finished(tx, "qrl", "r3", NOW + 1, Migration.FAILED)
        assert releases.has_failed_migration(tx, "qrl", "r3")
        again = releases.deploy_started(tx, "qrl", "r3", NOW + 2, commit=None, author=None)

        assert again == Deploy("r3", None, None, NOW + 2, None, None)
        assert not releases.has_failed_migration(tx, "qrl", "r3")


def test_an_end_without_a_start_is_believed(database: Database) -> None:
    """A migration that failed is known although the report of the start was lost; a later word replaces it."""
    with database.write() as tx:
        lone = releases.deploy_finished(tx, "qrl", "r3", NOW, Migration.FAILED)
        releases.deploy_finished(tx, "qrl", "r3", NOW + 1, None)
        assert releases.has_failed_migration(tx, "qrl", "r3")
        assert not releases.has_failed_migration(tx, "shop", "r3")
        releases.deploy_finished(tx, "qrl", "r3", NOW + 2, Migration.OK)
        assert not releases.has_failed_migration(tx, "qrl", "r3")

    assert lone == Deploy("r3", None, None, None, NOW, Migration.FAILED)


def test_what_a_pipeline_reports_is_not_what_the_target_says(database: Database) -> None:
    """A release that is only reported is neither live nor good, and a commit written otherwise does not undo "good"."""
    with database.write() as tx:
        releases.deploy_started(tx, "qrl", "r3", NOW, commit="abc1234", author=None)
        assert (releases.live(tx, "qrl"), releases.known(tx, "qrl")) == (None, {"r3": Release("r3", None)})
        releases.seen(tx, "qrl", (Release("r3", "abc1234" + "0" * 33),), NOW + 1)
        releases.set_good(tx, "qrl", "r3", NOW + 2)
        releases.deploy_started(tx, "qrl", "r3", NOW + 3, commit="abc1234", author=None)
        releases.seen(tx, "qrl", (Release("r3", "abc1234" + "0" * 33),), NOW + 4)

    assert known(database) == {"r3": Release("r3", "abc1234" + "0" * 33, None, NOW + 2)}


def known(database: Database) -> dict[str, Release]:
    with database.read() as tx:
        return releases.known(tx, "qrl")


def test_what_cannot_be_undone_is_kept_until_the_opposite_is_said(database: Database) -> None:
    """A deploy's end says whether its migration can be undone; an end without the word, or a new start, say nothing."""
    with database.write() as tx:
        told = [
            releases.deploy_finished(tx, "qrl", "r3", NOW, None, irreversible=True).irreversible,
            releases.deploy_started(tx, "qrl", "r3", NOW + 1, commit=None, author=None).irreversible,
            releases.deploy_finished(tx, "qrl", "r3", NOW + 2, Migration.OK).irreversible,
            releases.deploy_finished(tx, "qrl", "r3", NOW + 3, None, irreversible=False).irreversible,
            releases.deploy_finished(tx, "qrl", "r4", NOW + 4, None).irreversible,
        ]

    assert told == [True, True, True, False, None]
