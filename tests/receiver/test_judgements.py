"""Every decision is kept with its facts, and the same facts give the same answer, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from receiver.conclusion import DecisionFacts, Releases
from receiver.config import DecisionBounds
from receiver.errors import PrometheusError
from receiver.guardrails.checklist import answers
from receiver.journal import incidents, judgements, tables
from receiver.journal.approvals import ApprovalState
from receiver.judgements import ALONE, ASKED, EVALUATED, GUARDED, KINDS, Asked, Evaluated, replay
from receiver.model import Autonomy, Judged, Release, Result, Signal, Telemetry, Trigger
from receiver.prometheus_api import Series
from receiver.rules.groups import Group
from receiver.tree.snapshot import Snapshot
from tests.receiver.agent import Agent
from tests.receiver.guardrails.builders import facts
from tests.receiver.journal.rows import DECISION
from tests.receiver.replays import replay_all
from tests.receiver.surroundings import branch
from tests.receiver.tree import builders

ODD = 0.1 + 0.2
"""A number of which no shorter form says all."""
TELEMETRY = Telemetry(
    1e9 + ODD, (branch(),), ("Odd",), (Signal("a:ratio", "flask", ODD, 1e9), Signal("b", None, None, 1.0))
)
LIVE = Release("r2", "d" * 40, live_since=1e9 + ODD)
TREE = Snapshot(
    1e9,
    "qrl",
    (Group("tree", (builders.branch("x", 1, "a > 1", builders.alert("firing")),), 10.0, 1e9),),
    {
        "a": (
            Series({"deployment": "qrl"}, value=(1e9, float("nan"))),
            Series({"service": "x"}, value=(1e9, float("inf"))),
        )
    },
)


def evaluated(**changes: object) -> Evaluated:
    """Facts of a decision that goes on."""
    asked = DecisionFacts(Trigger.ALERT, None, None, DecisionBounds(), TELEMETRY, None, Releases(LIVE, (LIVE,), {}))
    return Evaluated(replace(asked, **changes), TREE, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"releases": None, "releases_unknown": "it is gone"},
        {"telemetry": None, "telemetry_unknown": "Prometheus is gone"},
        {"telemetry": replace(TELEMETRY, firing=())},
        {"trigger": Trigger.OPERATOR, "requested_by": "ada"},
        {"bounds": DecisionBounds(execute_above=1.0, ask_from=0.995)},
    ],
)
def test_a_conclusion_is_drawn_again(changes: dict[str, object]) -> None:
    """Facts come back as they were, whatever is missing in them, and give the same conclusion."""
    given = evaluated(**changes)
    _, kept = EVALUATED.judge(given)

    assert EVALUATED.read(kept.facts).facts == given.facts
    assert replay(kept) == kept.answer


def test_numbers_and_the_tree_come_back_as_they_were() -> None:
    """No digit is lost, and NaN and infinity stay what they are."""
    _, kept = EVALUATED.judge(evaluated())
    read = EVALUATED.read(kept.facts)

    assert read.tree is not None
    assert EVALUATED.judge(read)[1] == kept
    assert [repr(one.value) for one in read.tree.values["a"]] == ["(1000000000.0, nan)", "(1000000000.0, inf)"]
    assert replace(read.tree, values={}) == replace(TREE, values={})
    assert read.facts.telemetry == TELEMETRY


def test_a_label_may_be_called_as_a_part_of_the_configuration_is() -> None:
    """Whoever writes a rule need not know how facts are kept."""
    rule = builders.branch("x", 1, "a > 1", builders.alert("firing", limits="x", bounds="y"), limits="x", bounds="y")
    tree = replace(TREE, groups=(Group("tree", (rule,), 10.0, 1e9),))
    _, kept = EVALUATED.judge(replace(evaluated(), tree=tree))

    read = EVALUATED.read(kept.facts)
    assert read.tree is not None
    assert read.tree.groups == tree.groups
    assert read.facts == evaluated().facts
    assert replay(kept) == kept.answer


def test_every_guardrail_answers_again() -> None:
    """All answers are kept, the yes too, with the configuration in force then and not the one of now."""
    given = facts()
    given = replace(
        given,
        limits=given.limits.model_copy(
            update={"storm": given.limits.storm.model_copy(update={"dependencies": ("NodeDown",)})}
        ),
    )
    found, kept = GUARDED.judge(given)

    assert [one.guardrail for one in found] == [one.guardrail for one in answers(given)]
    assert GUARDED.read(kept.facts) == given
    assert GUARDED.read_answer(kept.answer) == found
    assert replay(kept) == kept.answer


def test_other_facts_are_noticed() -> None:
    """A stored fact that somebody has changed gives another answer than the stored one."""
    _, kept = ASKED.judge(Asked(DECISION, Trigger.ALERT, Autonomy.L4, DecisionBounds()))
    changed = json.loads(kept.facts)
    changed["decision"]["confidence"] = 0.5

    again = replay(replace(kept, facts=json.dumps(changed)))

    assert again != kept.answer
    assert again is not None
    assert "0.5" in again


def test_a_kind_of_another_version_is_not_replayed() -> None:
    """What this version does not know is told as such, and is no error."""
    assert replay(Judged("of_old", "{}", "{}")) is None


def test_a_section_that_has_grown_has_its_default() -> None:
    """Facts that an older version kept lack what came since; that is as if it were not configured."""
    _, kept = GUARDED.judge(facts())
    older = json.loads(kept.facts)
    del older["limits"]["storm"], older["limits"]["cooldown"]["period"]

    assert GUARDED.read(json.dumps(older)) == facts()


def test_no_secret_is_kept() -> None:
    """What others said is kept without secrets, and still gives the answer that was kept."""
    _, kept = GUARDED.judge(facts(transactions=None, transactions_unknown="password=hunter2secret failed"))

    assert "hunter2secret" not in kept.facts + kept.answer
    assert replay(kept) == kept.answer


def test_a_whole_run_is_kept_and_replayed(make_agent: Callable[..., Agent]) -> None:
    """From the decision to the command each phase that judges is kept, also what a person was asked."""
    agent = make_agent(autonomy="L3")
    agent.go()
    agent.decide(ApprovalState.APPROVED)
    run = agent.work()

    with agent.database.read() as tx:
        kept = judgements.of_run(tx, run["id"])
    assert run["result"] == Result.RESTORED
    assert {phase: one.judged.kind for phase, one in kept.items()} == {
        "evaluate": EVALUATED.name,
        "guard": GUARDED.name,
        "approve": ASKED.name,
        "claim": GUARDED.name,
        "execute": GUARDED.name,
    }
    assert replay_all(agent.database) == {EVALUATED.name: 1, GUARDED.name: 3, ASKED.name: 1}


def test_a_claim_that_comes_too_late_is_kept(agent: Agent) -> None:
    """Where another run has claimed between the question and the claim, the later answer is the one that is kept."""
    gathered = agent.world.alertmanager.active_silences

    def claimed_meanwhile(labels: dict[str, str]) -> object:
        with agent.database.write() as tx:
            if agent.run()["phase"] == "claim":
                tx.execute(sa.update(tables.deployment).values(latched_at=1.0, latch_reason="somebody latched it"))
        return gathered(labels)

    agent.world.alertmanager.active_silences = claimed_meanwhile  # type: ignore[method-assign]
    run = agent.go()

    assert run["result"] == "refused"
    assert replay_all(agent.database) == {EVALUATED.name: 1, GUARDED.name: 1, ASKED.name: 1, ALONE.name: 1}
    assert set(KINDS) == {EVALUATED.name, GUARDED.name, ASKED.name, ALONE.name}


def test_a_tree_that_cannot_be_read_changes_nothing(agent: Agent) -> None:
    """The decision does not need it; that it is missing is kept as well."""
    agent.world.tree.error = PrometheusError("too slow")  # type: ignore[attr-defined]
    run = agent.go()

    with agent.database.read() as tx:
        kept = judgements.of_run(tx, run["id"])["evaluate"]
    assert run["result"] == "restored"
    assert EVALUATED.read(kept.judged.facts).tree_unknown == "too slow"


def test_nothing_decided_is_kept_too(agent: Agent) -> None:
    """A run that finds nothing firing keeps what it saw."""
    agent.prometheus.firing = ()
    with agent.database.write() as tx:
        incidents.wake(tx, "qrl", agent.clock(), deciding=None)
    run = agent.work()

    with agent.database.read() as tx:
        kept = judgements.of_run(tx, run["id"])
    assert list(kept) == ["evaluate"]
    assert EVALUATED.read_answer(kept["evaluate"].judged.answer).result == Result.NOT_NEEDED
