"""Every guardrail is asked before a person is, before the budget is claimed, and before the command runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.config.guardrails import Guardrails
from receiver.guardrails.checklist import GUARDRAILS
from receiver.journal import approvals, autonomy, deployments, releases
from receiver.model import Autonomy, EscalationReason, Proceed, Silence, Stop
from receiver.phases.approve import approve
from receiver.phases.back_up import back_up
from receiver.phases.claim import claim
from receiver.phases.execute import execute
from receiver.phases.guard import guard
from receiver.run_once import was_started
from receiver.workflow import Phase
from tests.receiver.agent import Agent
from tests.receiver.phases.before import claimed, migrate, planned
from tests.receiver.surroundings import BAD, GOOD, ToldAlertmanager, ToldTransactions

NAMES = tuple(guardrail.__name__ for guardrail in GUARDRAILS)


def limit(agent: Agent, **guardrails: object) -> None:
    """Configure these guardrails."""
    limits = Guardrails.model_validate({"disk_space": {"minimum_bytes": 0}, **guardrails})
    agent.world = replace(agent.world, config=agent.config.model_copy(update={"guardrails": limits}))


def latch(agent: Agent) -> None:
    """Latch the deployment."""
    with agent.database.write() as tx:
        deployments.latch(tx, "qrl", agent.clock(), "a test")


def begin_deploy(agent: Agent) -> None:
    """A pipeline begins to deploy."""
    with agent.database.write() as tx:
        releases.deploy_started(tx, "qrl", "r3", agent.clock(), commit=None, author=None)


def hold(agent: Agent) -> None:
    """The target is held."""
    with agent.database.write() as tx:
        releases.hold(tx, "qrl", GOOD, agent.clock(), "a run")


def lose_programs(agent: Agent) -> None:
    """What the command starts in turn is gone."""
    agent.target.started_in_turn = ("/no/such/program",)


def lose_the_alert(agent: Agent) -> None:
    """Nothing fires any more."""
    agent.prometheus.firing = ()


def measure_nothing(agent: Agent) -> None:
    """The signals are there without a value."""
    agent.prometheus.availability, agent.prometheus.health, agent.prometheus.beyond = None, {}, None


def storm(agent: Agent) -> None:
    """Four deployments ask for a rollback."""
    agent.prometheus.storming = frozenset("abcd")


def silence(agent: Agent) -> None:
    """A silence covers everything for an hour."""
    told = ToldAlertmanager()
    told.silences = (Silence("1", "ada", "a move", agent.clock() + 3600),)
    agent.world = replace(agent.world, alertmanager=told)


def leave_open(agent: Agent) -> None:
    """A transaction is open."""
    told = ToldTransactions()
    told.open = ("qrl.db: it has been locked by a transaction for 5 s",)
    agent.world = replace(agent.world, transactions=(told,))


def forget_the_backup(agent: Agent) -> None:
    """What is to be backed up is gone, and so is what was made of it."""
    (agent.config.root / "precious").unlink()
    for manifest in agent.config.backups.glob("*/MANIFEST.txt"):
        manifest.unlink()


def live_by_rollback(agent: Agent) -> None:
    """The live release is remembered as live by a rollback."""
    with agent.database.write() as tx:
        releases.set_live(tx, "qrl", BAD, agent.clock() + 1, by_run="0a1b2c3d")


UPSETS: dict[str, Callable[[Agent], object]] = {
    "kill_switch": lambda agent: agent.config.kill_switch.touch(),
    "latched": latch,
    "silenced": silence,
    "storm": storm,
    "watchdog": lambda agent: agent.clock.advance(301),
    "telemetry_fresh": measure_nothing,
    "alert_still_firing": lose_the_alert,
    "suspect_release": lambda agent: limit(agent, suspect_release={"max_age": "1ms"}),
    "live_by_rollback": live_by_rollback,
    "plan_stale": lambda agent: agent.target.ship("r3"),
    "release_in_progress": begin_deploy,
    "target_release_valid": hold,
    "irreversible_migration": migrate,
    "pending_transactions": leave_open,
    "rollback_command_present": lose_programs,
    "daily_limit": lambda agent: claimed(agent, 4000, 3000, 2000),
    "cooldown": lambda agent: claimed(agent, 100),
    "disk_space": lambda agent: limit(agent, disk_space={"minimum_bytes": 1 << 62}),
    "backup_created": forget_the_backup,
}
"""What happens to an agent so that exactly this guardrail refuses."""


def test_each_guardrail_has_something_that_upsets_it() -> None:
    """What follows is tried with every guardrail."""
    assert tuple(UPSETS) == NAMES


@pytest.mark.parametrize("phase", [guard, claim, execute], ids=lambda phase: phase.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_each_guardrail_is_asked_by_each_phase(
    make_agent: Callable[..., Agent], tmp_path: Path, name: str, phase: Phase
) -> None:
    """Whatever happens right before a phase that asks, the guardrail that it concerns refuses, and it alone."""
    agent = make_agent(qrl={"backup": {"paths": [str(tmp_path / "precious")]}})
    (tmp_path / "precious").write_text("to be backed up")
    run = planned(agent)
    UPSETS[name](agent)

    outcome = phase(run, agent.world)

    assert isinstance(outcome, Stop)
    assert [refusal.guardrail for refusal in outcome.findings.refusals] == [name]
    assert not was_started(agent.config.commands / run.id)


@pytest.mark.parametrize("phase", [guard, claim, execute], ids=lambda phase: phase.__name__)
def test_without_an_upset_each_phase_goes_on(agent: Agent, phase: Phase) -> None:
    """None of the refusals above comes from anything else."""
    assert isinstance(phase(planned(agent), agent.world), Proceed)


SWITCHES: dict[str, Callable[[Path], None]] = {
    "on": lambda file: file.touch(),
    "unknown": lambda file: file.symlink_to(file.name),  # a loop: the file system does not say
}


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("phase", [guard, approve, claim, back_up, execute], ids=lambda phase: phase.__name__)
def test_the_kill_switch_is_asked_before_every_step(
    make_agent: Callable[..., Agent], phase: Phase, switch: str
) -> None:
    """Switched on right before it, or unknown, each step up to the command stops the run, and asks no person."""
    agent = make_agent(autonomy="L4")
    run = planned(agent)
    with agent.database.write() as tx:
        autonomy.set_level(tx, "qrl", Autonomy.L3, agent.clock(), "ada")
    SWITCHES[switch](agent.config.kill_switch)

    outcome = phase(run, agent.world)

    assert isinstance(outcome, Stop)
    assert [refusal.guardrail for refusal in outcome.findings.refusals] == ["kill_switch"]
    with agent.database.read() as tx:
        assert approvals.of_run(tx, run.id) is None


@pytest.mark.parametrize("phase", [guard, claim, back_up, execute], ids=lambda phase: phase.__name__)
def test_the_kill_switch_alone_is_enough(agent: Agent, phase: Phase) -> None:
    """Whatever the autonomy level still allows."""
    run = planned(agent)
    agent.config.kill_switch.touch()

    outcome = phase(run, agent.world)

    assert isinstance(outcome, Stop)
    assert [refusal.guardrail for refusal in outcome.findings.refusals] == ["kill_switch"]


def test_refusals_are_told_together(agent: Agent) -> None:
    """Each with its guardrail; only where all of them are limits, the call says that a limit was reached."""
    run = planned(agent)
    claimed(agent, 200, 150, 100)
    limits = guard(run, agent.world)
    agent.config.kill_switch.touch()
    more = guard(run, agent.world)

    assert isinstance(limits, Stop)
    assert isinstance(more, Stop)
    assert [refusal.guardrail for refusal in limits.findings.refusals] == ["daily_limit", "cooldown"]
    first, second = (refusal.reason for refusal in limits.findings.refusals)
    assert limits.reason == f"daily_limit: {first}; cooldown: {second}"
    assert (limits.escalation, more.escalation) == (
        EscalationReason.LIMIT_REACHED, EscalationReason.SAFETY_CHECK_FAILED,
    )  # fmt: skip
