"""A branch that has earned L4 is not asked about until something goes wrong, and each change is told once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from receiver import earned
from receiver.errors import AuditError
from receiver.journal import incidents, judgements, reviews
from receiver.journal.approvals import ApprovalState
from receiver.judgements import ASKED
from receiver.model import Found, Level
from tests.receiver.agent import Agent
from tests.receiver.earning import EARNS, RIGHT, approved_before, break_again, level, look, recorded, say, told
from tests.receiver.learning.reviewed import review
from tests.receiver.surroundings import branch

NEEDLESS = replace(RIGHT, necessary=Found.NO)


def test_the_last_approved_success_lets_a_branch_rise(earning: Agent) -> None:
    """Approved, restored, reviewed as necessary: the next is not asked about, and its report says why."""
    earning.go()
    earning.decide(ApprovalState.APPROVED)
    assert earning.work()["result"] == "restored"
    assert level(earning) == "L3"
    say(earning, RIGHT)

    assert (level(earning), recorded(earning)) == ("L4", [("autonomy:earned", 1)])
    assert told(earning) == [
        "service_down of qrl rolls back without asking from now on, at L4 (change 1): "
        "3 of 3 approved, lower bound of precision 0.438 of 0.4"
    ]
    break_again(earning)
    run = earning.go()
    assert (run["result"], run["approval"]) == ("restored", None)
    assert run["permission"]["by"] == "autonomy L4 (earned)"
    assert run["permission"]["reason"].startswith("autonomy L4, earned by service_down: 3 of 3 approved")
    assert "Allowed by: `autonomy L4 (earned)`" in Path(run["report"]).read_text()
    with earning.database.read() as tx:
        asked = ASKED.read(judgements.of_run(tx, run["id"])["approve"].judged.facts)
    why = "earned by service_down: 3 of 3 approved, lower bound of precision 0.438 of 0.4"
    assert (asked.autonomy, asked.earned_by) == ("L4", why)


def test_another_branch_is_asked_about_all_the_same(risen: Agent) -> None:
    """What one branch has earned lifts no other, and no other deployment's level."""
    risen.prometheus.firing = (branch("high_error_rate"),)
    assert risen.go()["approval"]["state"] == "pending"


@pytest.mark.parametrize("changes", [{"level": Level.FULL}, {"confidence": 0.9}])
def test_what_asks_at_l4_asks_when_it_was_earned(risen: Agent, changes: dict[str, Any]) -> None:
    """A full rollback and a low confidence are put to a person at every level."""
    risen.prometheus.firing = (branch(**changes),)
    assert risen.go()["approval"]["state"] == "pending"


def test_a_needless_one_is_asked_about_again_at_once(risen: Agent) -> None:
    """The branch falls with the review, and what it had counts no more."""
    risen.go()
    say(risen, NEEDLESS)
    assert (level(risen), recorded(risen)) == ("L3", [("autonomy:earned", 1), ("autonomy:lost", 2)])
    assert "asks before each rollback again, at L3 (change 2): the review of incident" in told(risen)[1]

    break_again(risen)
    assert risen.go()["approval"]["state"] == "pending"
    risen.decide(ApprovalState.APPROVED)
    risen.work()
    say(risen, RIGHT)
    assert level(risen) == "L3"
    with risen.database.read() as tx:
        (one,) = earned.standing(tx, risen.config, "qrl")["branches"]  # type: ignore[index]
    assert (one["approved"], one["right"], one["reviewed"], one["level"]) == (1, 1, 1, "L3")


def test_a_correction_does_not_bring_back_what_was_lost(risen: Agent) -> None:
    """Who says "needless" by mistake has it earned anew; and the same said twice is no news."""
    risen.go()
    say(risen, NEEDLESS)
    with risen.database.read() as tx:
        incident = incidents.of_run(tx, risen.run()["id"])
    for answers in (RIGHT, NEEDLESS, NEEDLESS):
        say(risen, answers, incident)
    assert (level(risen), len(told(risen))) == ("L3", 2)


def test_a_wrong_one_from_before_it_rose_may_be_reviewed_again(make_agent: Callable[..., Agent]) -> None:
    """A typing error that is mended in it takes nothing away; a right one that turns out needless does."""
    agent = make_agent(**EARNS)
    agent.go()
    agent.decide(ApprovalState.APPROVED)
    agent.work()
    say(agent, NEEDLESS)
    approved_before(agent, 8)
    with agent.database.write() as tx:
        for one in reviews.find(tx):
            reviews.put(tx, replace(one, decided_at=agent.clock()))
    look(agent)
    assert level(agent) == "L4"

    say(agent, replace(NEEDLESS, cause="another cause"))
    assert level(agent) == "L4"
    say(agent, RIGHT)
    say(agent, NEEDLESS)
    assert level(agent) == "L3"


@pytest.mark.parametrize("script", ["exit 1", "true", 'echo "$1" >> "$2"; kill -9 $PPID'])
def test_a_run_that_goes_wrong_falls_with_its_end(make_agent: Callable[..., Agent], script: str) -> None:
    """Failed, without effect, of unknown result: before anybody has reviewed it, and once."""
    agent = make_agent(**EARNS, qrl={"verify": {"timeout": "1s"}})
    approved_before(agent, 3)
    look(agent)
    agent.target.script, agent.prometheus.when_asked = script, lambda _: None
    agent.go()
    assert agent.wait(30)["result"] in ("failed", "no_effect", "unknown", "inconclusive")
    assert (level(agent), recorded(agent)) == ("L3", [("autonomy:earned", 1), ("autonomy:lost", 2)])
    assert agent.run()["id"] in told(agent)[1]
    look(agent)
    assert len(told(agent)) == 2


def test_a_run_that_goes_wrong_at_l3_begins_the_counting_anew(earning: Agent) -> None:
    """Nothing was earned that could be lost, so nobody is told; the two that it had count no more."""
    earning.target.script = "exit 1"
    earning.go()
    earning.decide(ApprovalState.APPROVED)
    assert earning.work()["result"] == "failed"
    approved_before(earning, 3)
    look(earning)
    assert (level(earning), told(earning)) == ("L3", [])


def test_it_falls_where_nothing_can_be_recorded(risen: Agent) -> None:
    """A disk that is full keeps no branch at L4: the end of the run stands, and so does the fall."""

    class Full:
        """An audit trail that takes nothing once the command has been started."""

        def record(self, decision: str, *arguments: Any, **facts: Any) -> None:
            if decision.startswith(("execute:", "autonomy:")):
                raise AuditError("the disk is full")
            risen.world.audit.record(decision, *arguments, **facts)

    risen.target.script = "exit 1"
    risen.workflow._audit_trail = Full()
    assert risen.go()["result"] == "failed"
    assert (level(risen), recorded(risen)) == ("L3", [("autonomy:earned", 1)])


def test_it_does_not_rise_where_nothing_can_be_recorded(make_agent: Callable[..., Agent]) -> None:
    """Without its record there is no rise, no row and no call."""
    agent = make_agent(**EARNS)
    approved_before(agent, 3)

    class Broken:
        """An audit trail that cannot be written."""

        def record(self, *_arguments: object, **_facts: object) -> None:
            raise AuditError("the disk is full")

    with pytest.raises(AuditError):
        earned.look(agent.database, Broken(), agent.config)
    assert (level(agent), told(agent)) == ("L3", [])


@pytest.mark.parametrize("step", ["claim", "execute"])
def test_a_fall_stops_what_was_let_pass(risen: Agent, step: str) -> None:
    """Up to the command a needless one of before counts; the next run asks a person."""
    with risen.database.read() as tx:
        one = reviews.find(tx)[0]

    def when_asked(question: int) -> None:
        risen.heal(question)
        if risen.run()["steps"] and risen.run()["steps"][-1]["name"] == step:
            risen.prometheus.when_asked = risen.heal
            wrong = replace(one, necessary=Found.NO)
            with risen.database.write() as tx:
                reviews.put(tx, wrong)
                earned.review_taken(tx, risen.world.audit, risen.config, wrong, one, risen.clock())

    risen.prometheus.when_asked = when_asked
    assert (risen.go()["result"], risen.executed(), risen.latch()) == ("withdrawn", [], None)
    risen.clock.advance(301)  # what was claimed for it cools down
    risen.hear_watchdog()
    assert risen.go()["approval"]["state"] == "pending"


def test_a_missed_incident_and_one_of_a_person_earn_nothing(earning: Agent) -> None:
    """Only what the agent decided counts."""
    with earning.database.write() as tx:
        reviews.put(tx, review(7, decided_rollback=False, incident=None))
    earning.request()
    earning.work()
    earning.decide(ApprovalState.APPROVED)
    run = earning.work()
    assert (run["decision"]["branch"], run["result"]) == ("operator", "restored")
    say(earning, RIGHT)
    with earning.database.read() as tx:
        found = earned.standing(tx, earning.config, "qrl")
    assert found is not None
    counted = {one["branch"]: (one["approved"], one["right"], one["reviewed"]) for one in found["branches"]}
    assert counted == {"service_down": (2, 2, 2)}
    assert (level(earning), told(earning)) == ("L3", [])
