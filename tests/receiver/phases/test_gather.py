"""What the guardrails are asked about is what is there, of this deployment alone; what cannot be read is unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.errors import AlertmanagerError, PrometheusError, TargetError, TransactionsError
from receiver.guardrails.facts import Facts
from receiver.journal import deployments, releases, seen
from receiver.model import Action, Release, Silence, Storm
from receiver.phases.gather import gather
from tests.receiver.agent import Agent
from tests.receiver.phases.before import migrate, planned
from tests.receiver.surroundings import BAD, GOOD, ToldAlertmanager, ToldTransactions, branch


def gathered(agent: Agent, meanwhile: Callable[[Agent], object] = lambda _: None) -> Facts:
    """What is gathered of a run that is planned and backed up, after something happened."""
    run = planned(agent)
    meanwhile(agent)
    return gather(run, agent.world, run.findings.require_plan(), backup_due=False)


def test_all_is_read(make_agent: Callable[..., Agent], tmp_path: Path) -> None:
    """Whatever is there and can be read."""
    (tmp_path / "precious").write_text("to be kept")
    agent = make_agent(qrl={"backup": {"paths": [str(tmp_path / "precious")]}})
    with agent.database.write() as tx:
        seen.mark(tx, seen.WATCHDOG, agent.clock() - 5)
        releases.deploy_started(tx, "qrl", "r3", agent.clock(), commit=None, author=None)
        deployments.latch(tx, "qrl", agent.clock(), "a test")
    migrate(agent)
    run = planned(agent)
    with agent.database.write() as tx:
        releases.set_live(tx, "qrl", BAD, agent.clock() + 1, by_run="0a1b2c3d")

    found = gather(run, agent.world, run.findings.require_plan(), backup_due=True)

    assert (found.trigger, found.plan, found.decided_branch) == (run.trigger, run.findings.plan, "service_down")
    assert (found.live_release, found.live_by_run, found.latch) == (BAD, "0a1b2c3d", "a test")
    assert found.live_since == agent.target.since()
    assert found.target is not None
    assert (found.target.id, found.target.good_at is not None) == (GOOD, True)
    assert (found.irreversible, [deploy.release for deploy in found.deploys]) == ((BAD,), ["r3"])
    assert (found.firing, found.storm, found.silences) == ({"service_down"}, Storm(frozenset({"qrl"}), frozenset()), ())
    assert found.signals is not None
    assert [signal.value for signal in found.signals] == [0.25, 0.0, 1.0]
    assert (found.transactions, found.unusable_programs, found.earlier_claims) == ((), (), ())
    assert found.watchdog_seen == pytest.approx(agent.clock() - 5, abs=2)
    assert (found.serving_since, found.max_age) == (agent.world.serving_since, agent.config.prometheus.max_age)
    assert (found.limits, found.kill_switch) == (agent.config.guardrails, False)
    assert (found.backup, found.backup_due) == (run.findings.backup, True)
    assert found.backup is not None
    assert found.backup_bytes == found.backup.bytes
    assert found.free_bytes is not None
    assert found.free_bytes > 0
    assert run.findings.decision is not None
    assert found.attribution == run.findings.decision.attribution
    assert found.attribution is not None
    unknown = {name: getattr(found, name) for name in Facts.__dataclass_fields__ if name.endswith("_unknown")}
    assert unknown == dict.fromkeys(unknown)


def test_what_is_of_another_deployment_counts_for_nothing(agent: Agent) -> None:
    """Its latch, its deploys, its migrations and who made its release live."""

    def of_another(agent: Agent) -> None:
        with agent.database.write() as tx:
            releases.seen(tx, "shop", (Release(BAD, None),), agent.clock())
            releases.deploy_finished(tx, "shop", BAD, agent.clock(), None, irreversible=True)
            releases.deploy_started(tx, "shop", "r3", agent.clock(), commit=None, author=None)
            releases.set_live(tx, "shop", BAD, agent.clock() + 1, by_run="0a1b2c3d")
            deployments.latch(tx, "shop", agent.clock(), "a test")

    found = gathered(agent, of_another)

    assert (found.latch, found.irreversible, found.deploys, found.live_by_run) == (None, (), (), None)


def test_a_target_that_was_built_anew_is_not_known_to_be_good(agent: Agent) -> None:
    """What was seen of the release of that name is not seen of what is there now; the rest stands."""
    run = planned(agent)
    before = gather(run, agent.world, run.findings.require_plan(), backup_due=False).target
    agent.target.commits[GOOD] = "e" * 40

    found = gather(run, agent.world, run.findings.require_plan(), backup_due=False).target

    assert before is not None
    assert before.good_at is not None
    assert found == replace(before, good_at=None)


def test_without_a_target_there_is_no_migration_on_the_way(agent: Agent) -> None:
    """Since when could not be said; that there is no target refuses by itself."""
    run = planned(agent)
    migrate(agent)
    plan = run.findings.require_plan()

    with_target, without = (
        gather(run, agent.world, replace(plan, target_release=name), backup_due=False) for name in (GOOD, None)
    )

    assert (with_target.irreversible, without.irreversible, without.target) == ((BAD,), (), None)


def lose_target(agent: Agent) -> None:
    agent.target.error = TargetError("the link is gone")


def lose_prometheus(agent: Agent) -> None:
    agent.prometheus.error = PrometheusError("it is gone")


def lose_alertmanager(agent: Agent) -> None:
    told = ToldAlertmanager()
    told.error = AlertmanagerError("it does not answer")
    agent.world = replace(agent.world, alertmanager=told)


def lose_transactions(agent: Agent) -> None:
    told = ToldTransactions()
    told.error = TransactionsError("it refuses us")
    agent.world = replace(agent.world, transactions=(ToldTransactions(), told))


def lose_switch(agent: Agent) -> None:
    agent.config.kill_switch.symlink_to(agent.config.kill_switch.name)


def lose_backup(agent: Agent) -> None:
    for manifest in agent.config.backups.glob("*/MANIFEST.txt"):
        manifest.unlink()


@pytest.mark.parametrize(
    ("lose", "unknown", "why"),
    [
        (lose_target, {"live_release", "live_since", "target"}, {"live_release_unknown": "the link is gone"}),
        (
            lose_prometheus,
            {"firing", "signals", "storm", "silences"},
            {
                "firing_unknown": "it is gone", "signals_unknown": "it is gone", "storm_unknown": "it is gone",
                "silences_unknown": "what fires is not known",
            },
        ),
        (lose_alertmanager, {"silences"}, {"silences_unknown": "it does not answer"}),
        (lose_transactions, {"transactions"}, {"transactions_unknown": "it refuses us"}),
        (lose_switch, {"kill_switch"}, {"kill_switch_unknown": "symbolic links"}),
        (lose_backup, {"backup_bytes"}, {"backup_unknown": "MANIFEST.txt"}),
    ],
    ids=["target", "Prometheus", "Alertmanager", "transactions", "kill switch", "backup"],
)  # fmt: skip
def test_what_cannot_be_read_is_unknown_with_the_reason(
    agent: Agent, lose: Callable[[Agent], None], unknown: set[str], why: dict[str, str]
) -> None:
    """That alone, and nothing is taken for good in its place."""
    run = planned(agent)
    usual = gather(run, agent.world, run.findings.require_plan(), backup_due=False)
    lose(agent)
    found = gather(run, agent.world, usual.plan, backup_due=False)

    told = {name: getattr(found, name) for name in Facts.__dataclass_fields__ if name.endswith("_unknown")}
    assert {name: value for name, value in told.items() if value is not None}.keys() == why.keys()
    assert [name for name, part in why.items() if part not in told[name]] == []
    fields = {name for name in Facts.__dataclass_fields__ if name not in told and name not in ("now", "watchdog_seen")}
    gone = {name for name in fields if getattr(usual, name) is not None and getattr(found, name) is None}
    assert gone == unknown


def test_a_silence_of_the_branch_that_decided_counts_alone(agent: Agent) -> None:
    """Of several that ask for a rollback; where it fires no longer, each of the others must be silenced."""
    by_rank = (
        branch("service_down", rank=1), branch("wide_impact", rank=2), branch("slow", Action.ASK, rank=3),
        branch("odd_errors", rank=4),
    )  # fmt: skip
    silence, other = (Silence(number, "ada", "a move", agent.clock() + 3600) for number in "12")

    class Covers(ToldAlertmanager):
        def __init__(self, *branches: str) -> None:
            super().__init__()
            self._branches = branches

        def active_silences(self, labels: dict[str, str]) -> tuple[Silence, ...]:
            if labels["branch"] not in self._branches:
                return ()
            return (other,) if labels["branch"] == "odd_errors" else (silence,)

    run = planned(agent)

    def silences(covers: Covers, *firing: int) -> tuple[Silence, ...] | None:
        agent.prometheus.firing = tuple(by_rank[number] for number in firing)
        world = replace(agent.world, alertmanager=covers)
        return gather(run, world, run.findings.require_plan(), backup_due=False).silences

    assert silences(Covers("service_down"), 0, 1, 2) == (silence,)
    assert silences(Covers("wide_impact"), 0, 1, 2) == ()
    assert silences(Covers("wide_impact"), 1, 2) == (silence,)
    assert silences(Covers("slow"), 1, 2) == ()
    assert silences(Covers("wide_impact", "odd_errors"), 1, 3) == (silence, other)
    assert silences(Covers("wide_impact", "odd_errors"), 3, 1) == (other, silence)
    assert silences(Covers("odd_errors"), 1, 3) == ()
