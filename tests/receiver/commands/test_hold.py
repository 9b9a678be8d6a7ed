"""A person holds a release and lets it go, on the record."""

from __future__ import annotations

import pytest

from receiver.errors import NotFound, NotPossible
from tests.receiver.commands.journaled import Journaled


def test_a_release_is_held_and_let_go(here: Journaled) -> None:
    """The gate, `status` and the trail follow."""
    here.says("release", "start", "qrl", "r3")
    assert here.says("hold", "qrl", "r3", "--as", "ada", "--comment", "it leaks").startswith("Held as ada: r3 of qrl")
    assert here.run("gate", "qrl", "r3").exit_code == 1
    assert "r3" in here.says("status")
    here.says("release-hold", "qrl", "r3", "--as", "bob")
    assert here.run("gate", "qrl", "r3").exit_code == 0
    told = [(one["decision"], one["actor"], one["reasoning"]) for one in here.audited()][1:]
    assert told == [("hold", "ada", "it leaks"), ("release-hold", "bob", "r3")]


def test_what_is_not_there_or_not_held_is_told(here: Journaled) -> None:
    """Nothing is changed, and nothing recorded."""
    with pytest.raises(NotFound, match="qrl has no release r9"):
        here.says("hold", "qrl", "r9")
    with pytest.raises(NotPossible, match="r9 of qrl is not held"):
        here.says("release-hold", "qrl", "r9")
    assert here.audited() == []
