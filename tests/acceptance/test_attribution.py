"""On a real Prometheus: a bad release is known by its clues, and an ill host speaks for it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from tests.acceptance.services import FAST_TREE
from tests.acceptance.stand import BAD, Stand, stand

HOST_DOWN = {"alert": "HostDown", "expr": "deployment:availability:ratio < 0.5", "labels": {"severity": "critical"}}


def begin(here: Stand, more: dict[str, Any] | None = None) -> None:
    """All is well for a while, then the pipeline ships a bad release, and a branch fires."""
    tree = copy.deepcopy(FAST_TREE)
    beyond = "group by (deployment) (deployment:availability:ratio < 0.5) or 0 * deployment:availability:ratio"
    tree["groups"][0]["rules"].append({"record": "deployment:beyond_threshold:bool", "expr": beyond})
    if more:
        tree["groups"][0]["rules"].append(more)
    here.start_prometheus(tree)
    here.start_agent()
    here.await_good()
    # Long enough that one of the steps in which the past is read falls into it.
    here.eventually(lambda: bool(here.prometheus_says("deployment:beyond_threshold:bool offset 10s == 0")), 60)
    here.command("release", "start", "qrl", BAD, "--service", "flask", "--as", "ci")
    here.ship(BAD)
    here.command("release", "finish", "qrl", BAD, "--as", "ci")
    here.await_firing()
    here.notify()


def clues(here: Stand) -> dict[str, bool | None]:
    """What the decision says of the release."""
    [told] = json.loads(here.command("explain", here.incidents()[0]["id"], "--json"))["runs"]
    return {one["name"]: one["fits"] for one in told["explanation"]["attribution"]}


def settings(**guardrails: Any) -> dict[str, Any]:
    """One deployment of which a host has an alert."""
    return {"deployment": {"attribution": {"alerts": ["HostDown"]}}, "guardrails": guardrails}


def test_a_bad_release_explains_its_fault(tmp_path: Path) -> None:
    """It went live, then it fails, in a service that it changes, alone: it is rolled back though it must be suspect."""
    with stand(tmp_path, **settings(suspect_release={"max_age": "1h"})) as here:
        begin(here)
        assert here.await_run()["result"] == "restored"
        assert clues(here) == {
            "began_after": True, "in_changed_services": True, "not_elsewhere": True, "surroundings_healthy": True,
        }  # fmt: skip


def test_an_ill_host_speaks_for_the_release(tmp_path: Path) -> None:
    """With an alert about its host nothing is rolled back, and the refusal says why."""
    with stand(tmp_path, **settings(suspect_release={"max_age": "1h"})) as here:
        begin(here, HOST_DOWN)
        run = here.await_run()
        assert (run["result"], here.live()) == ("refused", BAD)
        assert run["refusals"][0]["reason"] == f"{BAD} hardly explains the fault: HostDown fires"
        assert clues(here)["surroundings_healthy"] is False
        printed = here.command("explain", here.incidents()[0]["id"])
        assert "against    HostDown fires" in printed
