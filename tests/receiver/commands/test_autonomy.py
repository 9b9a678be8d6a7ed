"""`autonomy set` and `reset` change what counts, and `status` and the metrics tell it."""

from __future__ import annotations

import json

import click
import pytest

from receiver.errors import NotFound, NotPossible
from receiver.journal import earned as rows
from receiver.journal import reviews
from receiver.journal.earned import Earned
from receiver.model import Autonomy
from tests.receiver.commands.journaled import Journaled
from tests.receiver.learning.reviewed import AT, review


def levels(here: Journaled) -> dict[str, str]:
    """The levels in force, as `status` tells them."""
    found = json.loads(here.says("status", "--json"))["deployments"]
    return {one["name"]: one["autonomy"] for one in found}


def test_a_level_is_set_and_taken_back(here: Journaled) -> None:
    """One deployment, all, and back; each says what it did and stands on the trail with its person."""
    assert levels(here) == {"qrl": "L3", "shop": "L3"}
    assert here.says("autonomy", "set", "L4", "qrl", "--as", "ada") == "Set as ada: qrl at L4, from the next step on.\n"
    assert levels(here) == {"qrl": "L4", "shop": "L3"}
    assert "L4, set by ada" in here.says("status")
    here.says("autonomy", "set", "L1", "--all", "--as", "bob", "--comment", "a bad night")
    assert levels(here) == {"qrl": "L1", "shop": "L1"}
    here.says("autonomy", "reset", "--all", "--as", "ada")
    assert levels(here) == {"qrl": "L3", "shop": "L3"}
    told = [(one["decision"], one["deployment"], one["actor"]) for one in here.audited()]
    assert told == [
        ("autonomy:L4", "qrl", "ada"),
        ("autonomy:L1", "qrl", "bob"),
        ("autonomy:L1", "shop", "bob"),
        ("autonomy:reset", "qrl", "ada"),
        ("autonomy:reset", "shop", "ada"),
    ]


@pytest.mark.parametrize("scope", [(), ("qrl", "--all")])
def test_it_is_said_for_what(here: Journaled, scope: tuple[str, ...]) -> None:
    """Neither nothing nor both: nobody sets every deployment to L4 by leaving a word out."""
    for words in (("set", "L4"), ("reset",)):
        with pytest.raises(click.UsageError, match="name a deployment, or give --all"):
            here.says("autonomy", *words, *scope)
    assert here.audited() == []


def test_what_is_not_there_is_told(here: Journaled) -> None:
    """An unknown deployment, an unknown level, and nothing to take back."""
    with pytest.raises(NotFound, match="the configuration has qrl, shop"):
        here.says("autonomy", "set", "L1", "nothing")
    with pytest.raises(NotPossible, match="nobody has set a level for any deployment"):
        here.says("autonomy", "reset", "--all")
    with pytest.raises(click.BadParameter):
        here.says("autonomy", "set", "L5", "qrl")
    for nobody in ("", " ", "a\nb"):
        with pytest.raises(click.BadParameter, match="a name is not empty"):
            here.says("autonomy", "set", "L1", "qrl", "--as", nobody)


def test_what_branches_have_earned_is_shown(here: Journaled) -> None:
    """Level, how far it is, and why it last changed; what an operator sets goes before; elsewhere nothing is earned."""
    assert "qrl: L3, as configured\n  No branch may earn L4 here." in here.says("autonomy", "show", "qrl")
    needed = {"enabled": True, "precision": 0.4, "approved": 3}
    here.content["deployments"]["qrl"]["earned_autonomy"] = needed
    here.config.write_text(json.dumps(here.content))
    assert "L4 for a branch that earns it: 3 approved, precision at least 0.4" in here.says("check-config")
    assert "No branch has a reviewed rollback yet." in here.says("autonomy", "show", "qrl")
    with here.database.write() as tx:
        for number in range(3):
            reviews.put(tx, review(number, approved_success=True))
        rows.put(tx, Earned("qrl", "service_down", Autonomy.L4, 1, AT, "so it is"))

    shown = " ".join(here.says("autonomy", "show").split())
    for part in ("qrl: L3, as configured", "service_down", "3 of 3 approved", "0.438 of 0.4", "so it is", "shop: L3"):
        assert part in shown, shown
    assert "L3, L4 for service_down" in " ".join(here.says("status").split())
    here.says("autonomy", "set", "L3", "qrl", "--as", "ada")
    found = json.loads(here.says("autonomy", "show", "qrl", "--json"))["deployments"]["qrl"]
    (one,) = found["earned_autonomy"]["branches"]
    assert (found["autonomy_set_by"], one["has_earned"], one["level"], one["approved"]) == ("ada", True, "L3", 3)
    assert "L3, has earned L4" in " ".join(here.says("autonomy", "show", "qrl").split())
    with pytest.raises(NotFound, match="there is no deployment nobody; the configuration has qrl, shop"):
        here.says("autonomy", "show", "nobody")
