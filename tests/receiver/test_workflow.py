"""The loop around the phases: whatever happens in one, the run ends with a result, a report and its consequences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from receiver.durations import clock_time
from receiver.errors import JournalError, PrometheusError
from receiver.journal import counts, incidents, releases, runs
from receiver.journal.releases import LONGEST_DEPLOY
from receiver.model import Action, Demand, Result, Run
from receiver.workflow import LEASE, MAX_LIVES, PHASES, Workflow
from tests.receiver.agent import Agent, Killed
from tests.receiver.journal.rows import contents
from tests.receiver.surroundings import BAD, GOOD

EVALUATE, GUARD, CLAIM, EXECUTE, VERIFY = 1, 2, 3, 4, 5
"""Which question to Prometheus a phase asks first, at L4."""


def test_a_bad_release_is_rolled_back_and_reported(agent: Agent) -> None:
    """The phases run once each, in order, to the verdict, and all that they found is journaled and reported."""
    run = agent.go()

    assert (run["state"], run["result"], run["phase"]) == ("finished", "restored", "report")
    assert [step["name"] for step in run["steps"]] == [*(phase.__name__ for phase in PHASES), "report"]
    assert {step["state"] for step in run["steps"]} == {"done"}
    assert (agent.executed(), agent.held(), agent.latch(), agent.escalated()) == ([GOOD], [BAD], None, [])
    assert "# Automated Rollback Incident" in Path(run["report"]).read_text()
    assert agent.audited() == [
        "evaluate:done", "guard:done", "approve:done", "claim:done", "back_up:done", "execute", "execute:done",
        "verify:restored",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("question", "phase", "latched"),
    [
        (EVALUATE, "evaluate", False),
        (GUARD, "guard", False),
        (CLAIM, "claim", False),
        (EXECUTE, "execute", True),
        (VERIFY, "verify", True),
    ],
)
def test_a_phase_that_raises_fails_the_run(agent: Agent, question: int, phase: str, latched: bool) -> None:
    """What no phase expects ends the run, asks a human, and latches the deployment once it may have been touched."""
    at(agent, question, raising(RuntimeError("what is this?")))

    run = agent.go()

    assert (run["state"], run["result"]) == ("finished", "failed")
    assert run["reason"] == f"{phase} failed unexpectedly: RuntimeError: what is this?"
    assert (agent.escalated(), agent.latch() is not None) == (["agent_failed"], latched)
    assert agent.executed() == ([GOOD] if phase == "verify" else [])
    assert Path(run["report"]).exists()


@pytest.mark.parametrize("settings", [{}, {"autonomy": "L3"}], ids=["L4", "L3"])
def test_without_an_audit_trail_nothing_is_done(make_agent: Callable[..., Agent], settings: dict[str, str]) -> None:
    """A trail that cannot be written ends the run at its first record, at once, with a human asked."""
    agent = make_agent(**settings)
    break_audit(agent)

    run = agent.go()

    assert (run["state"], run["result"], agent.escalated()) == ("finished", "failed", ["agent_failed"])
    assert "the audit trail cannot be written" in run["reason"]
    assert (agent.executed(), agent.latch(), run["approval"]) == ([], None, None)


def test_without_the_record_of_its_intent_nothing_is_executed(agent: Agent) -> None:
    """A trail that breaks after the last question keeps the command from being started."""
    at(agent, EXECUTE, lambda: break_audit(agent))

    run = agent.go()

    assert (run["result"], run["execution"], agent.executed()) == ("failed", None, [])
    assert "without a record nothing is done" in run["reason"]
    assert agent.escalated() == ["agent_failed"]


def test_what_was_executed_without_a_record_of_its_end_is_kept(agent: Agent) -> None:
    """A trail that breaks while the command runs fails the run, and what became of the command is still known."""
    trail = agent.config.logs / "audit-trail.jsonl"
    agent.target.script = f'mv "{trail}" "{trail}.old"; mkdir "{trail}"; ' + agent.target.script

    run = agent.go()

    assert (run["state"], run["result"], run["execution"]["exit_code"]) == ("finished", "failed", 0)
    assert (agent.executed(), agent.escalated()) == ([GOOD], ["agent_failed"])
    assert run["reason"].startswith(f"{GOOD} is live, exit code 0, but ")
    assert agent.latch() is not None


@pytest.mark.parametrize("question", [CLAIM, EXECUTE])
def test_prometheus_is_asked_again_before_each_effect(agent: Agent, question: int) -> None:
    """A Prometheus that fails after the guardrails have agreed refuses what was agreed to, and nothing is executed."""
    at(agent, question, raising(PrometheusError("it is gone")))

    run = agent.go()

    assert (run["result"], agent.executed(), agent.latch()) == ("refused", [], None)
    assert [one["guardrail"] for one in run["refusals"]] == ["alert_still_firing", "silenced", "telemetry_fresh"]
    assert agent.escalated() == ["safety_check_failed"]


def test_every_refusal_is_told_everywhere(agent: Agent, capsys: pytest.CaptureFixture[str]) -> None:
    """Each "no" is a line of the log and of the report, with when to ask again, counted, and in the audit record."""
    now = agent.clock()
    with agent.database.write() as tx:
        releases.deploy_started(tx, "qrl", "r3", now, commit=None, author=None)
    agent.config.kill_switch.touch()

    run = agent.go()

    names = ["kill_switch", "release_in_progress"]
    assert [one["guardrail"] for one in run["refusals"]] == names
    assert run["refusals"][1]["retry_at"] == now + LONGEST_DEPLOY
    (record,) = (one for one in agent.audit_records() if one["decision"] == "guard:refused")
    assert [(one["guardrail"], one["retry_at"]) for one in record["metrics_used"]["refusals"]] == [
        ("kill_switch", None), ("release_in_progress", now + LONGEST_DEPLOY),
    ]  # fmt: skip
    logged = [line for line in capsys.readouterr().out.splitlines() if "a guardrail refuses" in line]
    assert [name in line for name, line in zip(names, logged, strict=True)] == [True, True]
    reported = [line for line in Path(run["report"]).read_text().splitlines() if line.startswith("- `")]
    assert [line.split(":")[0] for line in reported] == [f"- `{name}`" for name in names]
    assert reported[1].endswith(f"ask again from {clock_time(now + LONGEST_DEPLOY)}")
    with agent.database.read() as tx:
        counted = {labels["guardrail"]: count for name, labels, count in counts.read_all(tx) if name == "refusals"}
    assert counted == dict.fromkeys(names, 1)


@pytest.mark.parametrize(("question", "phase"), [(GUARD, "claim"), (CLAIM, "execute")])
def test_a_plan_for_another_live_release_is_stale(agent: Agent, question: int, phase: str) -> None:
    """A deploy that comes after planning is seen before the next effect, and the plan is not carried out over it."""
    at(agent, question, lambda: agent.target.ship("r3"))

    run = agent.go()

    assert (run["result"], [one["guardrail"] for one in run["refusals"]]) == ("refused", ["plan_stale"])
    assert (agent.target.lines()[-1], run["steps"][-2]["name"]) == ("r3", phase)


@pytest.mark.parametrize(("question", "phase"), [(EVALUATE, "guard"), (GUARD, "claim"), (CLAIM, "execute")])
def test_a_target_that_was_built_anew_is_not_known_good(agent: Agent, question: int, phase: str) -> None:
    """A target with another commit than it had when it proved good is refused at the next look."""
    at(agent, question, lambda: agent.target.commits.update({GOOD: "e" * 40}))

    run = agent.go()

    assert (run["result"], [one["guardrail"] for one in run["refusals"]]) == ("refused", ["target_release_valid"])
    assert (agent.executed(), run["steps"][-2]["name"]) == ([], phase)


@pytest.mark.parametrize("question", [EVALUATE, GUARD, CLAIM, EXECUTE, VERIFY])
def test_a_worker_that_lost_the_run_does_nothing_more(agent: Agent, question: int) -> None:
    """Once another worker has taken the run over, the old one changes no row, writes no record, starts no command."""
    seen: list[tuple[object, list[str], list[str]]] = []

    def take_over() -> None:
        agent.clock.advance(LEASE + 1)
        with agent.database.write() as tx:
            assert runs.claim(tx, "another", agent.clock(), LEASE)
        seen.append((contents(agent.database), agent.audited(), agent.executed()))

    at(agent, question, take_over)
    agent.wake()

    assert agent.workflow.work_once()

    assert [(contents(agent.database), agent.audited(), agent.executed())] == seen


def test_a_stop_that_comes_too_late_does_nothing(agent: Agent) -> None:
    """A worker that lost the run and then fails neither latches nor escalates nor records it."""

    def take_over() -> None:
        agent.clock.advance(LEASE + 1)
        with agent.database.write() as tx:
            assert runs.claim(tx, "another", agent.clock(), LEASE)
        raise RuntimeError

    at(agent, EXECUTE, take_over)
    agent.go()

    assert (agent.latch(), agent.escalated(), agent.audited()[-1]) == (None, [], "back_up:done")


def test_a_renewed_lease_keeps_the_run(agent: Agent) -> None:
    """While a phase takes its time, renewing keeps the run from everybody else."""
    taken: list[Run | None] = []

    def take_time() -> None:
        for _ in range(3):
            agent.clock.advance(LEASE - 1)
            agent.workflow.renew_leases()
        with agent.database.write() as tx:
            taken.append(runs.claim(tx, "another", agent.clock(), LEASE))

    at(agent, GUARD, take_time)

    assert agent.go()["result"] == "restored"
    assert taken == [None]


def test_a_run_that_keeps_ending_its_process_is_given_up(agent: Agent) -> None:
    """After five kills in one step the run is failed, with a human asked and all that it had found still there."""
    agent.wake()
    for _ in range(MAX_LIVES):
        at(agent, GUARD, raising(Killed()))
        agent.prometheus.asked = GUARD - 1 if agent.run()["decision"] else 0
        with pytest.raises(Killed):
            agent.work()
        agent.new_process()
        agent.clock.advance(LEASE + 1)

    run = agent.work()

    assert (run["result"], agent.escalated(), agent.executed()) == ("failed", ["agent_failed"], [])
    assert run["reason"] == "the agent stopped 5 times in guard"
    assert agent.latch() == run["reason"]
    assert run["decision"]["branch"] == "service_down"
    assert "ServiceDown fires" in Path(run["report"]).read_text()


def test_database_errors_do_not_use_up_a_run(agent: Agent) -> None:
    """However often the journal fails under a run, it is taken up again and goes through in the end."""
    agent.wake()
    for _ in range(MAX_LIVES + 2):
        at(agent, GUARD, raising(JournalError("the disk is full")))
        agent.prometheus.asked = GUARD - 1 if agent.run()["decision"] else 0
        assert agent.work()["state"] == "ready"
        agent.clock.advance(LEASE + 1)
    agent.prometheus.when_asked = agent.heal

    assert agent.work()["result"] == "restored"


def test_finished_steps_do_not_run_again(agent: Agent) -> None:
    """A run that is taken up by another process goes on after its last finished step."""
    at(agent, CLAIM, raising(Killed()))
    agent.wake()
    before = agent.prometheus.asked

    run = agent.die_and_return()

    assert (run["result"], agent.executed()) == ("restored", [GOOD])
    assert agent.audited().count("evaluate:done") == agent.audited().count("guard:done") == 1
    assert agent.prometheus.asked > before


@pytest.mark.parametrize("error", [OSError("the disk is full"), ValueError("a bug")])
def test_a_report_that_cannot_be_written_does_not_keep_the_run_open(agent: Agent, error: Exception) -> None:
    """The run ends without a report, and its last step says why there is none."""

    def no_report(_run: Run, _result: Result, _reason: str) -> str | None:
        raise error

    agent.workflow = Workflow(agent.database, {"qrl": agent.world}.get, agent.world.audit, no_report)

    run = agent.go()

    assert (run["state"], run["result"], run["report"]) == ("finished", "restored", None)
    assert run["steps"][-1]["summary"] == f"the report could not be written: {error}"


def test_a_report_that_ends_the_process_is_given_up(agent: Agent) -> None:
    """What kills the agent five times over the report of a run does not do so for ever: it has none."""

    def killing(_run: Run, _result: Result, _reason: str) -> str | None:
        raise Killed

    agent.wake()
    for _ in range(MAX_LIVES):
        agent.workflow = Workflow(agent.database, {"qrl": agent.world}.get, agent.world.audit, killing)
        with pytest.raises(Killed):
            agent.work()
        agent.clock.advance(LEASE + 1)

    run = agent.work()

    assert (run["state"], run["result"], run["report"]) == ("finished", "restored", None)
    assert run["steps"][-1]["summary"] == "no report: the agent stopped 5 times over it"


def test_a_run_of_a_deployment_that_is_gone_from_the_configuration_ends(agent: Agent) -> None:
    """A run that waited while its deployment was taken out of the configuration fails and asks a human."""
    agent.wake()
    agent.workflow = Workflow(agent.database, {}.get, agent.world.audit, agent.report.write)

    run = agent.work()

    assert (run["state"], run["result"], agent.escalated()) == ("finished", "failed", ["agent_failed"])
    assert run["reason"] == "qrl is no longer in the configuration"
    assert agent.latch() is None


def test_a_deployment_that_is_gone_while_its_command_ran_is_latched(agent: Agent) -> None:
    """Taken out of the configuration once the command may have begun, its result is not known: a person clears it."""
    at(agent, EXECUTE, raising(Killed()))
    agent.wake()
    with pytest.raises(Killed):
        agent.work()
    agent.workflow = Workflow(agent.database, {}.get, agent.world.audit, agent.report.write)

    run = agent.wait(LEASE + 1)

    assert (run["result"], agent.escalated()) == ("failed", ["agent_failed"])
    assert agent.latch() == "qrl is no longer in the configuration"


def test_without_a_watchdog_nothing_is_executed_until_it_is_back(agent: Agent) -> None:
    """Five minutes after the start without one, a run is refused and a human asked; back again, one run restores."""
    agent.clock.advance(301)
    assert (agent.go()["result"], agent.executed(), agent.latch()) == ("refused", [], None)
    assert [one["guardrail"] for one in agent.run()["refusals"]] == ["watchdog"]
    assert agent.escalated(only_open=True) == ["safety_check_failed"]

    agent.clock.advance(60)
    agent.hear_watchdog()
    with agent.database.write() as tx:
        assert incidents.resume(tx, "qrl", agent.clock(), deciding=Demand("service_down", Action.ROLLBACK))

    assert (agent.work()["result"], agent.executed()) == ("restored", [GOOD])
    assert agent.escalated(only_open=True) == []


def test_two_workers_on_one_journal_do_it_once(agent: Agent) -> None:
    """Two processes that work on the same journal bring a run to its end together, and execute once."""
    other = Workflow(agent.database, {"qrl": agent.world}.get, agent.world.audit, agent.report.write)
    agent.wake()
    at(agent, CLAIM, other.work_once)

    assert (agent.work()["result"], agent.executed()) == ("restored", [GOOD])


def at(agent: Agent, question: int, act: Callable[[], object]) -> None:
    """Do something when that question is asked of Prometheus, before it is answered."""

    def when_asked(number: int) -> None:
        if number == question:
            act()
        agent.heal(number)

    agent.prometheus.when_asked = when_asked


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def break_audit(agent: Agent) -> None:
    """Put a directory in the place of the audit trail."""
    trail = agent.config.logs / "audit-trail.jsonl"
    trail.unlink(missing_ok=True)
    trail.mkdir()
