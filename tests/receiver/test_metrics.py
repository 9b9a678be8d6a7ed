"""The metrics are the contract with rules, dashboards and people: names, labels, and counts that never go back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from receiver.app import RejectedCounts
from receiver.audit import AGENT, AuditTrail
from receiver.audit_chain import verify
from receiver.audit_watch import AuditWatch
from receiver.current import Current
from receiver.errors import JournalError
from receiver.guardrails.checklist import GUARDRAILS
from receiver.journal import counts, deployments, notifications
from receiver.journal.approvals import ApprovalState
from receiver.journal.database import Database
from receiver.metrics import PHASE_NAMES, JournalCollector
from receiver.metrics_of_process import AuditCollector, ReloadCollector, RetentionCollector
from receiver.model import EscalationReason, Result
from receiver.observe import observe
from receiver.retention.store import Store
from receiver.retention.sweep import Sweep
from tests.prometheus_versions import Version
from tests.receiver.agent import Agent
from tests.receiver.promised_metrics import MORE, PROMISED
from tests.receiver.surroundings import BAD, GOOD, branch

Samples = dict[str, dict[frozenset[tuple[str, str]], float]]


def scrape(
    agent: Agent, database: Database | None = None, flush: Callable[[], None] = lambda: None, fault: str | None = None
) -> Samples:
    """Every sample of a scrape, by name and labels."""
    found: Samples = defaultdict(dict)
    for family in text_string_to_metric_families(exposition(agent, database, flush, fault)):
        for sample in family.samples:
            found[sample.name][frozenset(sample.labels.items())] = sample.value
    return found


def exposition(
    agent: Agent,
    database: Database | None = None,
    flush: Callable[[], None] = lambda: None,
    fault: str | None = None,
) -> str:
    registry = CollectorRegistry()
    registry.register(JournalCollector(database or agent.database, {"qrl": agent.world}, flush, lambda: fault))
    audit = AuditTrail(agent.config.audit_files, agent.clock)
    watch = AuditWatch(audit.files)
    watch.look()
    registry.register(AuditCollector(lambda: watch.state))
    registry.register(ReloadCollector(Current(agent.config, lambda _: None, agent.clock)))
    registry.register(RetentionCollector(Sweep(lambda: Store(agent.config, agent.database, audit, agent.clock, AGENT))))
    return generate_latest(registry).decode()


def value(samples: Samples, name: str, **labels: str) -> float:
    """One sample; KeyError where there is none with exactly these labels."""
    return samples[name][frozenset(labels.items())]


def had_its_day(agent: Agent) -> None:
    """One rollback, one refusal, and the releases observed."""
    observe(agent.world, agent.prometheus)
    assert agent.go()["result"] == "restored"
    observe(agent.world, agent.prometheus)


def test_every_promised_metric_is_exposed_with_its_labels(agent: Agent) -> None:
    """After one rollback every name of the contract is there with exactly its labels, and no name beyond the lists."""
    had_its_day(agent)

    samples = scrape(agent)

    exposed = {name: {key for labels in series for key, _ in labels} for name, series in samples.items()}
    assert exposed == PROMISED | MORE


@pytest.mark.parametrize("prepare", [lambda _: None, had_its_day], ids=["new", "after a run"])
def test_promtool_has_nothing_to_say(version: Version, agent: Agent, prepare: Callable[[Agent], None]) -> None:
    """Prometheus' own check of names, types and help texts is silent."""
    prepare(agent)

    said = version.run("promtool", "check", "metrics", text=exposition(agent))

    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_promtool_would_say_something(version: Version) -> None:
    """The check does complain about metrics that are not as they should be."""
    bad = "# TYPE up_count counter\nup_count 1\n"
    assert version.run("promtool", "check", "metrics", text=bad).returncode != 0


def test_what_can_be_counted_starts_at_zero(agent: Agent) -> None:
    """Known label sets are there from the first scrape, so that a first increase can be seen."""
    samples = scrape(agent)

    for outcome in ("accepted", "unauthorized", "invalid", "too_large", "failed"):
        assert value(samples, "rollback_notifications_total", outcome=outcome) == 0
    for reason in EscalationReason:
        assert value(samples, "rollback_escalations_open", deployment="qrl", reason=reason) == 0
        assert value(samples, "rollback_escalations_total", deployment="qrl", reason=reason) == 0
    for result in Result:
        assert value(samples, "rollback_runs_total", deployment="qrl", level="fast", result=result) == 0
    for guardrail in GUARDRAILS:
        assert value(samples, "rollback_refusals_total", deployment="qrl", guardrail=guardrail.__name__) == 0
    for phase in PHASE_NAMES:
        assert value(samples, "rollback_run_in_progress", deployment="qrl", phase=phase) == 0
        assert value(samples, "rollback_phase_duration_seconds_count", phase=phase) == 0


def test_a_rollback_shows(agent: Agent) -> None:
    """After a verified rollback its run, decision, budget, cooldown, releases and phases are told."""
    began = agent.clock()
    had_its_day(agent)

    samples = scrape(agent)

    assert value(samples, "rollback_runs_total", deployment="qrl", level="fast", result="restored") == 1
    decided = value(samples, "rollback_decisions_total", deployment="qrl", branch="service_down", outcome="restored")
    assert decided == 1
    assert value(samples, "rollback_budget_remaining", deployment="qrl") == 2
    assert value(samples, "rollback_cooldown_end_timestamp_seconds", deployment="qrl") >= began + 300
    assert value(samples, "rollback_last_run_timestamp_seconds", deployment="qrl") >= began
    assert value(samples, "rollback_held_release_info", deployment="qrl", release=BAD) == 1
    assert value(samples, "rollback_release_good_info", deployment="qrl", release=GOOD) == 1
    assert value(samples, "release_info", deployment="qrl", release=GOOD, commit="c" * 40) == 1
    assert value(samples, "release_timestamp_seconds", deployment="qrl") >= began
    assert value(samples, "rollback_phase_duration_seconds_count", phase="execute") == 1
    assert 0 < value(samples, "rollback_phase_duration_seconds_sum", phase="execute") < 10
    assert value(samples, "rollback_autonomy_level", deployment="qrl") == 4


def test_the_histogram_adds_up(agent: Agent) -> None:
    """Every bucket holds at least what the smaller one holds, and the last one everything."""
    had_its_day(agent)

    samples = scrape(agent)

    for phase in PHASE_NAMES:
        buckets = {
            float(dict(labels)["le"]): count
            for labels, count in samples["rollback_phase_duration_seconds_bucket"].items()
            if ("phase", phase) in labels
        }
        ordered = [count for _, count in sorted(buckets.items())]
        assert ordered == sorted(ordered)
        assert ordered[-1] == value(samples, "rollback_phase_duration_seconds_count", phase=phase)


def test_a_run_that_waits_for_a_person_shows(make_agent: Callable[..., Agent]) -> None:
    """While a person is asked, the phase and the open question are told, and afterwards they are not."""
    agent = make_agent(autonomy="L3")
    agent.go()
    asking = scrape(agent)
    agent.decide(ApprovalState.DENIED)
    agent.work()
    denied = scrape(agent)

    for samples, expected in ((asking, 1), (denied, 0)):
        assert value(samples, "rollback_run_in_progress", deployment="qrl", phase="approve") == expected
        assert value(samples, "rollback_approvals_pending", deployment="qrl") == expected
        assert value(samples, "rollback_latched", deployment="qrl") == 1 - expected


def test_refusals_and_escalations_show(agent: Agent) -> None:
    """What refused and what a human is asked for is counted by its name; an open one stays visible."""
    agent.config.kill_switch.touch()
    agent.go()

    samples = scrape(agent)

    assert value(samples, "rollback_kill_switch") == 1
    assert value(samples, "rollback_refusals_total", deployment="qrl", guardrail="kill_switch") == 1
    asked = {"deployment": "qrl", "reason": "safety_check_failed"}
    assert value(samples, "rollback_escalations_total", **asked) == 1
    assert value(samples, "rollback_escalations_open", **asked) == 1


def test_a_kill_switch_that_cannot_be_looked_at_counts_as_on(agent: Agent) -> None:
    """Nothing is rolled back then either, and the other metrics are there."""
    assert value(scrape(agent), "rollback_kill_switch") == 0
    agent.config.kill_switch.symlink_to("kill-switch")  # a loop
    samples = scrape(agent)
    assert value(samples, "rollback_kill_switch") == 1
    assert value(samples, "rollback_journal_up") == 1


def test_counts_survive_a_restart_and_agree_between_processes(agent: Agent) -> None:
    """New objects on the same journal expose the same counts, and go on from there."""
    had_its_day(agent)
    with agent.database.write() as tx:
        notifications.store(tx, agent.clock(), [], 0)
    before = counters(scrape(agent))

    reopened = Database(agent.database.url.render_as_string(hide_password=False), agent.clock)
    rejected = RejectedCounts(reopened)
    assert counters(scrape(agent, reopened, rejected.flush)) == before
    rejected.add("unauthorized")
    after = scrape(agent, reopened, rejected.flush)
    reopened.close()

    assert value(after, "rollback_notifications_total", outcome="unauthorized") == 1
    assert value(after, "rollback_notifications_total", outcome="accepted") == 1
    assert counters(scrape(agent)) == counters(after)


def test_the_last_watchdog_shows(agent: Agent) -> None:
    """Before the first one the time is 0, afterwards it is when it was received."""
    assert value(scrape(agent), "rollback_watchdog_last_seen_timestamp_seconds") == 0
    heard = agent.clock()
    agent.hear_watchdog()
    assert value(scrape(agent), "rollback_watchdog_last_seen_timestamp_seconds") >= heard


def test_the_audit_trail_shows(agent: Agent) -> None:
    """The number of records, the head that another machine can remember, and that the chain holds."""
    assert value(scrape(agent), "rollback_audit_records_total") == 0
    had_its_day(agent)

    samples = scrape(agent)

    assert value(samples, "rollback_audit_records_total") == len(agent.audited())
    head = verify(agent.config.audit_files)[0]
    assert value(samples, "rollback_audit_head") == int(head.digest[:13], 16)
    assert value(samples, "rollback_audit_intact") == 1


def test_old_claims_give_the_budget_back(agent: Agent) -> None:
    """A day after a rollback its place in the budget is free again."""
    had_its_day(agent)
    agent.clock.advance(86400 + 1)

    assert value(scrape(agent), "rollback_budget_remaining", deployment="qrl") == 3


def test_a_journal_that_cannot_be_read_is_told(agent: Agent, tmp_path: Path) -> None:
    """Without a journal the scrape still succeeds and says that there is none, rather than showing zeros."""
    missing = Database(f"sqlite:///{tmp_path / 'nowhere' / 'state.db'}")

    samples = scrape(agent, missing)
    assert value(samples, "rollback_journal_up") == 0
    of_the_process = {name for name in PROMISED if "_config_" in name or "_audit_" in name}
    of_the_process |= {"rollback_retention_failures_total", "rollback_retention_last_success_timestamp_seconds"}
    assert samples.keys() == {"rollback_journal_up", *of_the_process}
    assert value(scrape(agent), "rollback_journal_up") == 1


def test_a_journal_that_cannot_be_written_is_told_with_all_that_is_in_it(agent: Agent) -> None:
    """It is down, and who waits for a human is shown all the same: the second way to one is a rule on that."""

    def cannot_be_written() -> None:
        raise JournalError("database or disk is full")

    agent.target.script = "exit 3"
    agent.go()

    for samples in (scrape(agent, fault="database or disk is full"), scrape(agent, flush=cannot_be_written)):
        assert value(samples, "rollback_journal_up") == 0
        assert value(samples, "rollback_escalations_open", deployment="qrl", reason="rollback_failed") == 1


def test_text_from_outside_stays_in_its_label(agent: Agent) -> None:
    """Whatever a branch is called, its label holds it, and the exposition can be read."""
    odd = 'x"} 1\nup{a="\\'
    agent.prometheus.firing = (branch(odd),)
    agent.go()

    samples = scrape(agent)

    assert value(samples, "rollback_decisions_total", deployment="qrl", branch=odd, outcome="restored") == 1
    assert "up" not in samples


def test_a_count_of_another_version_does_not_break_the_scrape(agent: Agent) -> None:
    """A counter that this program does not know, or with other labels, leaves the others as they are."""
    with agent.database.write() as tx:
        counts.bump(tx, "invented", colour="blue")
        counts.bump(tx, "runs", deployment="qrl")
        deployments.latch(tx, "qrl", 1.0, "as before")

    assert value(scrape(agent), "rollback_latched", deployment="qrl") == 1


def counters(samples: Samples) -> Iterable[tuple[str, object]]:
    return sorted(
        (name, sorted(series.items(), key=str)) for name, series in samples.items() if name.endswith("_total")
    )
