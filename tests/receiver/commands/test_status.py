"""`status` says whether a deployment can be rolled back now, and if not, why not."""

from __future__ import annotations

import json

import sqlalchemy as sa

from receiver.config import load_config
from receiver.journal import incidents, tables
from receiver.model import Action, Demand
from tests.receiver.commands.journaled import Journaled


def state_of(here: Journaled, deployment: str) -> str:
    """The last column of a deployment's line."""
    (line,) = [line for line in here.says("status").splitlines() if line.startswith(f"{deployment} ")]
    return line.rpartition("  ")[2]


def test_a_spent_budget_is_not_ready(here: Journaled) -> None:
    """Once as many rollbacks were claimed as are allowed; another deployment is ready all the same."""
    here.content["guardrails"] = {"daily_limit": {"limit": 1}}
    here.config.write_text(json.dumps(here.content))
    assert state_of(here, "qrl") == "ready"
    with here.database.write() as tx:
        now = here.database.now(tx)
        incidents.wake(tx, "qrl", now, deciding=Demand("service_down", Action.ROLLBACK))
        tx.execute(sa.update(tables.run).values(claimed_at=now, state="finished"))
    assert (state_of(here, "qrl"), state_of(here, "shop")) == ("budget spent", "ready")


def test_a_run_under_way_is_not_ready(here: Journaled) -> None:
    """While a run goes on its phase is told, and that it asks a person where it does."""
    with here.database.write() as tx:
        incidents.wake(tx, "qrl", here.database.now(tx), deciding=Demand("service_down", Action.ROLLBACK))
    assert (state_of(here, "qrl"), state_of(here, "shop")) == ("under way: evaluate", "ready")
    with here.database.write() as tx:
        tx.execute(sa.update(tables.run).values(phase="approve"))
    assert state_of(here, "qrl") == "asks a person"


def test_a_kill_switch_that_cannot_be_looked_at_is_told(here: Journaled) -> None:
    """Neither on nor off: with the file, and what follows from not knowing."""
    assert "kill switch" not in here.says("status")
    root = load_config(here.config).root
    (root / "kill-switch").symlink_to("kill-switch")  # a loop
    said = " ".join(here.says("status").split())
    assert "It is not known whether the kill switch is on, so nothing is rolled back: " in said
    assert f"{root}/kill-switch cannot be looked at: Too many levels of symbolic links." in said
