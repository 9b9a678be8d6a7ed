"""The promises that must hold whenever the agent is at rest, read from the journal, the trail and the reports."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa

from receiver.audit_chain import verify
from receiver.journal import counts, escalations, releases, tables
from receiver.journal.views import View
from tests.receiver.promises.model import ASKS, BUDGET, COOLDOWN, DAY, TOLD, World
from tests.receiver.promises.stage import Stage


def check_end(stage: Stage, view: View, deaths: int, *, is_recorded: bool) -> None:
    """A run that has ended has a result, a report, a record, and whoever must be told of it is told.

    A process that dies right after it has written a record leaves it to another one to write it again.
    """
    run, result = view["id"], view["result"]
    assert view["reason"], "ended without a reason"
    report = Path(view["report"]).read_text(encoding="utf-8")
    assert "# Automated Rollback Incident" in report
    assert f"run `{run}`" in report
    records = [one for one in stage.audit_records() if one["run"] == run]
    ends = [one for one in records if one["decision"].endswith(f":{result}")]
    assert is_recorded <= len(ends) <= 1 + deaths, f"{len(ends)} records of the end of {view}"
    refused = {one["guardrail"] for one in view["refusals"]}
    assert bool(refused) == (result == "refused"), f"{result} with the refusals {refused}"
    for one in view["refusals"]:
        assert one["reason"], "a no without a why"
        assert f"- `{one['guardrail']}`: " in report, "a no that the report does not tell"
    audited = {one["guardrail"] for record in ends for one in record["metrics_used"].get("refusals", ())}
    assert audited == refused or not is_recorded, "a no that is not on the audit trail"
    if result in TOLD:
        check_told(stage, run)


def check_told(stage: Stage, run: str) -> None:
    """A human was asked to look at the run."""
    with stage.database.read() as tx:
        assert any(one.run == run for one in escalations.find(tx)), f"nobody was told of {run}"


def check_at_rest(stage: Stage, world: World, runs: dict[str, str]) -> None:
    """What holds whatever has happened."""
    _check_claims(stage)
    _check_remembered(stage, world)
    _check_questions(stage, runs)
    if stage.config.audit_files.active.exists():
        _, fault = verify(stage.config.audit_files)
        assert fault is None, f"the chain of the audit trail is broken: {fault}"
    with stage.database.read() as tx:
        refused = tx.execute(sa.select(sa.func.count()).select_from(tables.refusal)).scalar_one()
        counted = sum(count for name, _, count in counts.read_all(tx) if name == "refusals")
    assert counted == refused, "a no that is not counted"


def _check_claims(stage: Stage) -> None:
    claims = list(stage.claims().values())
    assert all(later - earlier >= COOLDOWN for earlier, later in pairwise(claims)), "two rollbacks within five minutes"
    for claim in claims:
        assert sum(claim <= other < claim + DAY for other in claims) <= BUDGET, "more than three rollbacks in a day"
    assert {effect.run for effect in stage.effects()} <= stage.claims().keys(), "executed without having claimed"


def _check_remembered(stage: Stage, world: World) -> None:
    with stage.database.read() as tx:
        known = tuple(releases.known(tx, "qrl").values())
    assert {one.id for one in known if one.held_at is not None} == world.held, f"held: {known}, {world.held}"
    assert {one.id for one in known if one.good_at is not None} == world.good, f"good: {known}, {world.good}"
    assert (stage.latch() is not None) == world.latched, f"latched: {stage.latch()}"
    assert stage.target.lines()[-1] == world.live


def _check_questions(stage: Stage, runs: dict[str, str]) -> None:
    with stage.database.read() as tx:
        states = {row.run: row.state for row in tx.execute(sa.select(tables.approval))}
    for run, state in states.items():
        assert runs[run] == ASKS or state != "pending", "the run has ended, and its question is still open"
    asking = {run for run, end in runs.items() if end == ASKS}
    assert all(states[run] in ("pending", "approved", "denied") for run in asking), "asks what is over"
