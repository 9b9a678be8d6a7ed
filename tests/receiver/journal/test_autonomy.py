"""The latest word of an operator counts, for one deployment or for all, until it is taken back."""

from __future__ import annotations

from receiver.journal import autonomy
from receiver.journal.autonomy import ALL
from receiver.journal.database import Database
from receiver.model import Autonomy
from tests.receiver.journal.rows import NOW


def test_nothing_is_set_at_first(database: Database) -> None:
    """Without a word of an operator there is no level, and nothing to take back."""
    assert levels(database) == (None, None)
    with database.write() as tx:
        assert not autonomy.take_back(tx, ALL)
        assert not autonomy.take_back(tx, "qrl")


def test_a_deployments_own_level_goes_before_that_of_all(database: Database) -> None:
    """What is set for one counts there only, and what was set for all counts elsewhere and after it is taken back."""
    set_level(database, ALL, Autonomy.L2)
    set_level(database, "qrl", Autonomy.L4)
    assert levels(database) == (Autonomy.L4, Autonomy.L2)

    with database.write() as tx:
        assert autonomy.take_back(tx, "qrl")
    assert levels(database) == (Autonomy.L2, Autonomy.L2)


def test_who_says_all_means_all(database: Database) -> None:
    """Set for all, it replaces what was set for single ones, so that nobody forgets one of them at L4."""
    set_level(database, "qrl", Autonomy.L4)
    set_level(database, ALL, Autonomy.L1)
    assert levels(database) == (Autonomy.L1, Autonomy.L1)


def test_the_latest_word_counts_with_its_person(database: Database) -> None:
    """Set again, the level, its person and its time are the later ones."""
    set_level(database, "qrl", Autonomy.L4)
    with database.write() as tx:
        autonomy.set_level(tx, "qrl", Autonomy.L3, NOW + 5, "bob")
        assert autonomy.set_for(tx, "qrl") == autonomy.SetLevel(Autonomy.L3, "bob", NOW + 5)


def set_level(database: Database, scope: str, level: Autonomy) -> None:
    with database.write() as tx:
        autonomy.set_level(tx, scope, level, NOW, "ada")


def levels(database: Database) -> tuple[Autonomy | None, Autonomy | None]:
    """What counts for `qrl` and for `shop`."""
    with database.read() as tx:
        found = [autonomy.set_for(tx, name) for name in ("qrl", "shop")]
    return found[0] and found[0].level, found[1] and found[1].level
