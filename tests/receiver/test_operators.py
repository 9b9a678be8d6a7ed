"""What people do is done once, in time, on the record, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from receiver.errors import AuditError, NotFound, NotPossible
from receiver.journal import autonomy, deployments, escalations, releases
from receiver.model import Autonomy, EscalationReason, Level
from receiver.operators import Answer, Operators, Person, Via
from tests.receiver.agent import Agent
from tests.receiver.journal.rows import at_once, contents
from tests.receiver.surroundings import BAD, GOOD

ALICE, BOB = Person("alice", Via.PAGE), Person("bob", Via.API)


def of(agent: Agent) -> Operators:
    """Who does what people decide about this agent."""
    return Operators(agent.database, agent.world.audit, agent.config)


def waiting(agent: Agent) -> tuple[str, str]:
    """The incident that asks, and its plan's hash."""
    with agent.database.read() as tx:
        incident = tx.exec_driver_sql("select id from incident").scalar_one()
    return incident, agent.run()["plan"]["hash"]


def test_an_approval_lets_the_run_go_on(asking: Agent) -> None:
    """The person, their way and the comment stand in the journal and on the trail."""
    incident, plan = waiting(asking)
    of(asking).approve(incident, plan[:8], ALICE, "looks right")
    approval = asking.run()["approval"]
    assert (approval["state"], approval["decided_by"], approval["comment"]) == ("approved", "alice", "looks right")
    assert "approved" in asking.audited()
    assert asking.work()["result"] == "restored"


def test_of_fifty_approvals_at_once_one_counts(asking: Agent) -> None:
    """The others are told that it was decided already, and by whom."""
    incident, plan = waiting(asking)

    def approve(number: int) -> str:
        try:
            of(asking).approve(incident, plan, Person(f"person {number}", Via.PAGE), "")
        except NotPossible as error:
            return str(error)
        return "done"

    said = at_once(50, approve)
    assert said.count("done") == 1
    assert asking.audited().count("approved") == 1


@pytest.mark.parametrize("plan", ["", "1234567", "0" * 64, "%"])
def test_another_plan_is_not_approved(asking: Agent, plan: str) -> None:
    """A hash that is too short, or another one, changes nothing."""
    incident, _ = waiting(asking)
    with pytest.raises(NotPossible, match=r"first 8 characters|is not the plan"):
        of(asking).approve(incident, plan, ALICE, "")
    assert asking.run()["approval"]["state"] == "pending"


def test_a_late_answer_is_none(asking: Agent) -> None:
    """After the approval's time neither yes nor no counts."""
    incident, plan = waiting(asking)
    asking.clock.advance(901)
    with pytest.raises(NotPossible, match="expired at"):
        of(asking).approve(incident, plan, ALICE, "")
    with pytest.raises(NotPossible, match="expired at"):
        of(asking).deny(incident, ALICE, "")


WRONG: dict[str, Callable[[Agent, str, str], object]] = {
    "another plan's": lambda agent, incident, _: of(agent).approve(incident, "0" * 64, ALICE, ""),
    "late yes": lambda agent, incident, plan: (agent.clock.advance(901), of(agent).approve(incident, plan, ALICE, "")),
    "late no": lambda agent, incident, _: (agent.clock.advance(901), of(agent).deny(incident, ALICE, "")),
    "used": lambda agent, incident, plan: [of(agent).approve(incident, plan, who, "") for who in (BOB, ALICE)],
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_answer_that_does_not_count_is_recorded(asking: Agent, wrong: str) -> None:
    """Who gave it, why it does not count, which plan was asked about, and which one they named (T18)."""
    incident, plan = waiting(asking)
    with pytest.raises(NotPossible) as told:
        WRONG[wrong](asking, incident, plan)
    record = asking.audit_records()[-1]
    assert record["decision"] == ("deny:refused" if wrong == "late no" else "approve:refused")
    assert (record["actor"], record["reasoning"], record["run"]) == ("alice", str(told.value), asking.run()["id"])
    named = {"late no": {}, "another plan's": {"plan_hash_given": "0" * 64}}.get(wrong, {"plan_hash_given": plan})
    assert record["metrics_used"] == {"via": "page", "plan_hash": plan, **named}


def test_nobody_fills_the_trail_with_them(asking: Agent) -> None:
    """Ten a minute are recorded, of however many people; each is refused all the same, and what counts is recorded."""
    incident, plan = waiting(asking)
    now = 0.0
    operators = Operators(asking.database, asking.world.audit, asking.config, lambda: now)
    for number in range(25):
        with pytest.raises(NotPossible, match="is not the plan"):
            operators.approve(incident, "f" * 70_000, Person(f"person {number % 2}", Via.API), "")
    assert asking.audited().count("approve:refused") == 10
    assert max(len(json.dumps(record)) for record in asking.audit_records()) < 5000
    now = 61.0
    with pytest.raises(NotPossible):
        operators.approve(incident, "0" * 64, ALICE, "")
    assert asking.audited().count("approve:refused") == 11
    operators.approve(incident, plan, ALICE, "")
    assert asking.audited()[-1] == "approved"


def test_what_is_not_there_is_told_from_what_asks_nobody(agent: Agent) -> None:
    """An unknown incident, escalation or deployment is not found; an incident without a plan asks nobody."""
    agent.go()
    (incident,) = {row[0] for row in contents(agent.database)["incident"]}
    operators = of(agent)
    with pytest.raises(NotPossible, match="asks nobody"):
        operators.deny(str(incident), ALICE, "")
    for do in (
        lambda: operators.deny("12345678", ALICE, ""),
        lambda: operators.answer("12345678", Answer.DONE, ALICE, ""),
        lambda: operators.clear("nothing", ALICE, ""),
        lambda: operators.hold("nothing", GOOD, ALICE, ""),
        lambda: operators.hold("qrl", "nothing", ALICE, ""),
        lambda: operators.request_rollback("nothing", Level.FAST, ALICE),
    ):
        with pytest.raises(NotFound):
            do()


@pytest.mark.parametrize("word", list(Answer))
def test_an_escalation_is_answered_once(agent: Agent, word: Answer) -> None:
    """The second answer is refused and names who gave the first."""
    with agent.database.write() as tx:
        escalations.open_one(tx, "qrl", EscalationReason.UNKNOWN_PATTERN, "DiskFull", agent.clock())
        (asked,) = escalations.find(tx)
    of(agent).answer(asked.id, word, ALICE, "saw it")
    with pytest.raises(NotPossible, match="already answered"):
        of(agent).answer(asked.id, word, BOB, "me too")
    assert agent.audited() == [f"answer:{word}"]


def test_giving_up_latches(agent: Agent) -> None:
    """Who gives up wants nothing more attempted, so it is latched with their name; no other word latches."""
    with agent.database.write() as tx:
        for summary in ("one", "two", "three"):
            escalations.open_one(tx, "qrl", EscalationReason.UNKNOWN_PATTERN, summary, agent.clock())
        first, second, third = escalations.find(tx)
    of(agent).answer(first.id, Answer.DONE, ALICE, "")
    of(agent).answer(second.id, Answer.RETRY, ALICE, "")
    assert agent.latch() is None
    of(agent).answer(third.id, Answer.GIVE_UP, ALICE, "by hand tomorrow")
    assert agent.latch() == "alice gave up: by hand tomorrow"


def test_a_latch_is_cleared_once(agent: Agent) -> None:
    """What is not latched cannot be cleared."""
    with agent.database.write() as tx:
        deployments.latch(tx, "qrl", agent.clock(), "it failed")
    of(agent).clear("qrl", ALICE, "mended")
    assert agent.latch() is None
    with pytest.raises(NotPossible, match="qrl is not latched"):
        of(agent).clear("qrl", ALICE, "")


def test_a_held_release_is_no_target_until_it_is_let_go(agent: Agent) -> None:
    """Holding and letting go are both on the trail, with the release."""
    of(agent).hold("qrl", GOOD, ALICE, "slow")
    assert agent.held() == [GOOD]
    of(agent).release_hold("qrl", GOOD, BOB, "")
    assert agent.held() == []
    with pytest.raises(NotPossible, match=f"{BAD} of qrl is not held"):
        of(agent).release_hold("qrl", BAD, BOB, "")
    assert agent.audited() == ["hold", "release-hold"]


def test_the_kill_switch_stops_even_where_it_cannot_be_recorded(agent: Agent) -> None:
    """On without a record is on; off without a record stays on."""
    agent.config.logs.joinpath("audit-trail.jsonl").mkdir()
    with pytest.raises(AuditError):
        of(agent).switch(True, ALICE, "stop")
    assert agent.config.kill_switch.read_text() == "alice: stop\n"
    with pytest.raises(AuditError):
        of(agent).switch(False, ALICE, "go on")
    assert agent.config.kill_switch.exists()


def test_a_kill_switch_that_cannot_be_removed_is_still_on(agent: Agent) -> None:
    """Where the file stays, a sentence says that nothing is allowed yet."""
    agent.config.kill_switch.mkdir()
    with pytest.raises(NotPossible, match=r"^the kill switch is still on: .* cannot be removed: "):
        of(agent).switch(False, ALICE, "go on")
    assert agent.config.kill_switch.exists()


def test_a_rollback_by_hand_is_asked_for_once(agent: Agent) -> None:
    """While a run is under way, another is refused."""
    agent.prometheus.firing = ()
    run = of(agent).request_rollback("qrl", Level.FAST, ALICE)
    assert (agent.run()["id"], agent.run()["trigger"]) == (run, "operator")
    with pytest.raises(NotPossible, match="under way already"):
        of(agent).request_rollback("qrl", Level.FAST, BOB)


def test_what_cannot_be_recorded_is_not_done(asking: Agent) -> None:
    """Without its record on disk no decision stands."""
    incident, plan = waiting(asking)
    with asking.database.write() as tx:
        deployments.latch(tx, "qrl", asking.clock(), "it failed")
        escalations.open_one(tx, "qrl", EscalationReason.UNKNOWN_PATTERN, "DiskFull", asking.clock())
        (asked,) = escalations.find(tx, only_open=True)
        assert releases.known(tx, "qrl")[GOOD].held_at is None
    trail = asking.config.logs / "audit-trail.jsonl"
    trail.unlink()
    trail.mkdir()
    before = contents(asking.database)
    operators = of(asking)
    for do in (
        lambda: operators.approve(incident, plan, ALICE, ""),
        lambda: operators.deny(incident, ALICE, ""),
        lambda: operators.answer(asked.id, Answer.DONE, ALICE, ""),
        lambda: operators.clear("qrl", ALICE, ""),
        lambda: operators.hold("qrl", GOOD, ALICE, ""),
        lambda: operators.set_autonomy("qrl", Autonomy.L4, ALICE, ""),
    ):
        with pytest.raises(AuditError):
            do()
    assert contents(asking.database) == before


def test_a_level_is_set_on_the_record(make_agent: Callable[..., Agent]) -> None:
    """Each change is one record with what it was before, and taking back what nobody set is refused."""
    agent = make_agent(autonomy="L3")
    operators = of(agent)
    operators.set_autonomy(autonomy.ALL, Autonomy.L1, ALICE, "calm down")
    operators.reset_autonomy("*", BOB, "")
    with pytest.raises(NotPossible, match="nobody has set a level for qrl"):
        operators.reset_autonomy("qrl", BOB, "")

    told = [(one["decision"], one["actor"], one["reasoning"]) for one in agent.audit_records()]
    assert told == [("autonomy:L1", "alice", "calm down"), ("autonomy:reset", "bob", "from L1 to L3")]
