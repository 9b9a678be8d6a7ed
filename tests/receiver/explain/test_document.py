"""The explanation of a run tells what was kept of it, and nothing that was not."""

from __future__ import annotations

import json
from collections.abc import Callable

from receiver.errors import PrometheusError
from receiver.explain.document import Document, explanation
from receiver.guardrails.checklist import GUARDRAILS
from receiver.journal import judgements
from receiver.rules.groups import Group
from tests.receiver.agent import Agent
from tests.receiver.surroundings import GOOD, ToldTree
from tests.receiver.tree.builders import alert, branch, series


def explained(agent: Agent) -> Document | None:
    """The explanation of the newest run."""
    with agent.database.read() as tx:
        return explanation(judgements.of_run(tx, agent.run()["id"]))


def tell_tree(agent: Agent) -> ToldTree:
    """Let Prometheus have two branches, of which the first fires."""
    tree = agent.world.tree
    assert isinstance(tree, ToldTree)
    rules = (
        branch("service_down", 1, "availability < 0.5", alert("firing", 1)),
        branch("high_error_rate", 2, "errors > 0.1"),
    )
    tree.groups = (Group("tree", rules, 10.0, agent.clock()),)
    tree.values = {"availability": (series(0.25),), "errors": (series(0.01, service="flask"),)}
    return tree


def test_a_run_is_explained_from_the_facts_to_the_guardrails(agent: Agent) -> None:
    """Facts with their queries and times, the path, what would have changed it, each guardrail at each asking."""
    tell_tree(agent)
    agent.go()
    why = explained(agent)

    assert why is not None
    assert json.loads(json.dumps(why, allow_nan=False)) == why
    assert (why["branch"], why["result"], why["target_release"]) == ("service_down", None, GOOD)
    assert {one["name"]: one["value"] for one in why["facts"]["signals"]}["deployment:availability:ratio"] == 0.25
    first, second = why["path"]
    assert (first["value"], first["limit"], first["state"]) == ("0.25", "< 0.5", "firing")
    assert (first["decides"], second["decides"], second["state"]) == (True, False, "inactive")
    assert why["nearest"][0]["sentence"] == "availability was 0.25: at 0.5 or more, nothing would have fired"
    assert [one["phase"] for one in why["guardrails"]] == ["guard", "claim", "execute"]
    for asked in why["guardrails"]:
        assert [one["guardrail"] for one in asked["answers"]] == [one.__name__ for one in GUARDRAILS]
        assert all(one["allows"] for one in asked["answers"])
    assert why["question"] == {"at": why["question"]["at"], "asked": False, "why": None}
    assert set(why["replayed"].values()) == {True}


def test_a_refusal_is_told_with_its_reason(make_agent: Callable[..., Agent]) -> None:
    """Who said no, why and until when stands among those that said yes."""
    agent = make_agent(guardrails={"disk_space": {"minimum_bytes": 1 << 60}})
    agent.go()
    why = explained(agent)

    assert why is not None
    [asked] = why["guardrails"]
    refused = [one for one in asked["answers"] if not one["allows"]]
    assert [one["guardrail"] for one in refused] == ["disk_space"]
    assert refused[0]["reason"]
    assert why["question"] is None


def test_what_is_missing_is_said(agent: Agent) -> None:
    """Without Prometheus there are no facts, and the reason stands in their place."""
    agent.prometheus.error = PrometheusError("Prometheus is gone")
    agent.go()
    why = explained(agent)

    assert why is not None
    assert (why["branch"], why["result"], why["facts"]["unknown"]) == (None, "missing_data", "Prometheus is gone")
    assert (why["path"], why["nearest"], why["tree_unknown"]) == ([], [], "nothing was decided")


def test_a_run_of_an_older_version_is_not_explained() -> None:
    """Where nothing was kept there is no explanation."""
    assert explanation({}) is None
