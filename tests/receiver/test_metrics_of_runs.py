"""The metrics of single runs and of waiting work say what a review and an operator need, and stay bounded."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client.registry import CollectorRegistry
from sqlalchemy import event

from receiver.journal import incidents, notifications
from receiver.journal.approvals import ApprovalState
from receiver.metrics import JournalCollector
from receiver.metrics_of_runs import SHOWN
from receiver.observe import observe
from tests.receiver.agent import Agent


class Scraped:
    """What one collector gives, scrape after scrape."""

    def __init__(self, agent: Agent) -> None:
        self._collector = JournalCollector(agent.database, {"qrl": agent.world}, lambda: None, lambda: None)
        self._registry = CollectorRegistry()
        self._registry.register(self._collector)

    def values(self, name: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of a gauge."""
        return [
            (sample.labels, sample.value)
            for family in self._registry.collect()
            for sample in family.samples
            if sample.name == name
        ]


def roll_back(agent: Agent) -> str:
    """A rollback that a person approves; its run."""
    observe(agent.world, agent.prometheus)
    agent.go()
    agent.decide(ApprovalState.APPROVED)
    assert agent.work()["result"] == "restored"
    return str(agent.run()["id"])


def test_a_run_that_ended_is_told(make_agent: Callable[..., Agent]) -> None:
    """Its branch, level, confidence, who approved it and how it ended are labels, its times and phases are values."""
    agent = make_agent(autonomy="L3")
    before = agent.clock()
    run = roll_back(agent)
    scraped = Scraped(agent)

    ((info, _),) = scraped.values("rollback_ended_run_info")
    named = {name: info[name] for name in ("run", "branch", "level", "confidence", "approved_by", "result")}
    told = {"branch": "service_down", "level": "fast", "confidence": "0.99", "approved_by": "ada", "result": "restored"}
    assert named == {"run": run} | told
    ((_, opened),) = scraped.values("rollback_ended_run_incident_timestamp_seconds")
    ((_, started),) = scraped.values("rollback_ended_run_start_timestamp_seconds")
    ((_, ended),) = scraped.values("rollback_ended_run_end_timestamp_seconds")
    assert before <= opened <= started <= ended <= agent.clock()
    phases = {labels["phase"]: value for labels, value in scraped.values("rollback_ended_run_phase_duration_seconds")}
    assert {"evaluate", "approve", "execute", "verify", "report"} <= phases.keys()
    assert all(value >= 0 for value in phases.values())
    assert sum(phases.values()) <= ended - started + 1


def test_a_run_under_way_is_not_told_yet(make_agent: Callable[..., Agent]) -> None:
    """While a person is asked there is no such run."""
    agent = make_agent(autonomy="L3")
    agent.go()

    assert Scraped(agent).values("rollback_ended_run_info") == []


def test_only_the_newest_are_told(make_agent: Callable[..., Agent]) -> None:
    """However many runs there were, the newest ten of a deployment are exposed, and those that were told leave."""
    agent = make_agent(autonomy="L1")
    scraped = Scraped(agent)
    runs = []
    for _ in range(SHOWN + 2):
        agent.go()
        runs.append(agent.run()["id"])
        scraped.values("rollback_ended_run_info")
        with agent.database.write() as tx:
            assert incidents.close_quiet(tx, "qrl", agent.clock())

    assert {labels["run"] for labels, _ in scraped.values("rollback_ended_run_info")} == set(runs[-SHOWN:])


def test_what_was_told_is_not_read_again(make_agent: Callable[..., Agent]) -> None:
    """A second scrape asks for no step of a run that the first one has told."""
    agent = make_agent(autonomy="L3")
    roll_back(agent)
    scraped = Scraped(agent)
    first = scraped.values("rollback_ended_run_info")
    asked: list[str] = []
    with agent.database.read() as tx:
        engine = tx.engine
    event.listen(engine, "before_cursor_execute", lambda *said: asked.append(said[2]))

    assert scraped.values("rollback_ended_run_info") == first
    assert [statement for statement in asked if "step.output" in statement] == []


def test_an_idle_agent_has_no_backlog(agent: Agent) -> None:
    """Nothing is due, nothing is leased, no delay."""
    scraped = Scraped(agent)
    names = (
        "rollback_inbox_due",
        "rollback_inbox_delay_seconds",
        "rollback_runs_leased",
        "rollback_runs_delay_seconds",
    )
    assert [scraped.values(name) for name in names] == [[({}, 0.0)]] * 4


def test_work_that_nobody_takes_shows(agent: Agent) -> None:
    """A notification and a run that wait for a minute are due for a minute; a run at work is leased and not due."""
    with agent.database.write() as tx:
        notifications.store(tx, agent.clock(), [], 0)
    agent.wake()
    agent.clock.advance(60)
    scraped = Scraped(agent)

    assert scraped.values("rollback_inbox_due") == [({}, 1.0)]
    assert scraped.values("rollback_inbox_delay_seconds")[0][1] >= 60
    assert scraped.values("rollback_runs_delay_seconds")[0][1] >= 60
    assert scraped.values("rollback_runs_leased") == [({}, 0.0)]
    seen: list[tuple[float, float]] = []
    agent.prometheus.when_asked = lambda _: seen.append(
        (scraped.values("rollback_runs_leased")[0][1], scraped.values("rollback_runs_delay_seconds")[0][1])
    )
    agent.work()
    assert seen[0] == (1.0, 0.0)
