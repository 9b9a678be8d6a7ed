"""Two people means two: nobody's second yes is another, and a mere claim is nobody's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from receiver.errors import NotPossible
from receiver.operators import Operators, Person, Via
from tests.receiver.agent import Agent
from tests.receiver.journal.rows import at_once, contents
from tests.receiver.surroundings import GOOD

ALICE, BOB = Person("alice", Via.PAGE), Person("bob", Via.API)


@pytest.fixture
def asking(make_agent: Callable[..., Agent]) -> Agent:
    """An agent that waits for two people to confirm its plan."""
    agent = make_agent(autonomy="L3", approval={"people": 2})
    agent.go()
    return agent


def approve(agent: Agent, person: Person) -> None:
    operators = Operators(agent.database, agent.world.audit, agent.config)
    ((incident, *_),) = contents(agent.database)["incident"]
    operators.approve(str(incident), agent.run()["plan"]["hash"][:8], person, "")


def test_the_second_person_decides(asking: Agent) -> None:
    """After the first nothing is done; with the second the run goes on, and both stand in what is told of it."""
    approve(asking, ALICE)
    run = asking.wait(11)
    assert (run["approval"]["state"], asking.executed()) == ("pending", [])
    assert run["steps"][-1]["summary"] == "waiting for another approval: 1 of 2, by alice"

    approve(asking, BOB)
    run = asking.work()

    assert (run["result"], run["permission"]["by"]) == ("restored", "alice and bob")
    assert [vote["person"] for vote in run["approval"]["votes"]] == ["alice", "bob"]
    records = [one for one in asking.audit_records() if one["decision"] in ("vote", "approved")]
    assert [(one["decision"], one["actor"]) for one in records] == [("vote", "alice"), ("approved", "bob")]
    assert asking.executed() == [GOOD]


@pytest.mark.parametrize("via", list(Via))
def test_nobody_is_two_people(asking: Agent, via: Via) -> None:
    """The same name again, by whichever way, is refused."""
    approve(asking, ALICE)
    with pytest.raises(NotPossible, match="alice has approved already; 2 people must"):
        approve(asking, Person("alice", via))
    assert asking.wait(11)["approval"]["state"] == "pending"


def test_a_claimed_name_is_nobody(asking: Agent) -> None:
    """Whoever types another name than their own login name is no second person, and no first one."""
    with pytest.raises(NotPossible, match="that this is bob is only a claim"):
        approve(asking, Person("bob", Via.COMMAND_LINE, is_claim=True))
    assert asking.run()["approval"]["votes"] == []


def test_one_no_is_enough(asking: Agent) -> None:
    """After a yes, somebody else's no ends it."""
    approve(asking, ALICE)
    ((incident, *_),) = contents(asking.database)["incident"]
    Operators(asking.database, asking.world.audit, asking.config).deny(str(incident), BOB, "wait")
    with pytest.raises(NotPossible, match="already denied by bob"):
        approve(asking, Person("carol", Via.PAGE))
    assert (asking.work()["result"], asking.executed()) == ("denied", [])


def test_one_of_two_is_silence(asking: Agent) -> None:
    """Where the second person does not come in time, it expires."""
    approve(asking, ALICE)
    assert asking.wait(901)["result"] == "expired"
    assert asking.executed() == []


def test_of_fifty_people_at_once_two_count(asking: Agent) -> None:
    """Fifty people in the same moment are two votes and one decision."""

    def one(number: int) -> bool:
        try:
            approve(asking, Person(f"person {number}", Via.PAGE))
        except NotPossible:
            return False
        return True

    assert at_once(50, one).count(True) == 2
    assert asking.audited().count("approved") == 1
    assert len(asking.run()["approval"]["votes"]) == 2
