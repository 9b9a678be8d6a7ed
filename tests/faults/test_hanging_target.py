"""A target that hangs keeps nobody waiting: another deployment is looked at, decided on and rolled back meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from tests.acceptance.services import BAD, FAST_TREE, GOOD
from tests.acceptance.stand import Stand, alert, stand

HUNG = "a-cluster-that-hangs"
"""Its name comes first, so that who looks at one after the other begins with it."""


def test_while_one_target_hangs_another_deployment_is_rolled_back(tmp_path: Path) -> None:
    """A kubectl that never ends, at a deployment that alerts as well, delays neither looks at the other nor its run."""
    with stand(tmp_path) as here:
        asked = _configure(here)
        here.start_prometheus(_tree())
        here.start_agent()
        here.eventually(lambda: asked.exists() and asked.read_text().endswith("\n"), 60)
        first = int(asked.read_text().split()[0])
        here.await_good()
        here.ship(BAD)
        here.await_firing()
        here.notify(_firing(HUNG), _firing("qrl"))
        here.eventually(lambda: "restored" in _results(here), 120)

        assert here.live() == GOOD
        os.kill(first, 0)  # the look that came first has not ended yet


def test_while_four_runs_hang_a_fifth_goes_on(tmp_path: Path) -> None:
    """Four runs wait for targets that hang; another deployment is rolled back meanwhile."""
    names = [f"{HUNG}-{number}" for number in range(4)]
    with stand(tmp_path) as here:
        asked = _configure(here, names, guardrails={"storm": {"deployments": len(names) + 1}})
        hangs = tmp_path / "hangs"
        here.start_prometheus(_tree_of_all(names))
        here.start_agent()
        here.await_good()
        hangs.touch()  # until now each question has failed at once
        here.ship(BAD)
        here.await_firing()
        here.notify(*(_firing(name) for name in names))
        here.eventually(lambda: asked.exists() and len(asked.read_text().splitlines()) == len(names), 60)

        here.notify(_firing("qrl"))

        here.eventually(lambda: "restored" in _results(here), 120)
        assert here.live() == GOOD
        for number in asked.read_text().split():
            os.kill(int(number), 0)  # each of them hangs still


def _firing(name: str) -> dict[str, Any]:
    return alert(alertname="ServiceDown", branch="service_down", deployment=name)


def _configure(here: Stand, names: Sequence[str] = (HUNG,), **more: Any) -> Path:
    """The usual deployment, and those whose kubectl never ends once `hangs` is there; where it writes its process id.

    Where they are several, they are looked at once and no more.
    """
    asked, kubectl = here.directory / "asked", here.directory / "kubectl"
    at_once = f"[ -e {here.directory / 'hangs'} ] || exit 1\n" if len(names) > 1 else ""
    kubectl.write_text(f'#!/bin/sh\n{at_once}echo "$$" >> {asked}\nexec sleep 3600\n')
    kubectl.chmod(0o755)
    here.stack.callback(_end_all, asked)
    kubeconfig = here.directory / "kubeconfig"
    kubeconfig.write_text("{}")
    kubernetes = {
        "kubectl": str(kubectl),
        "kubeconfig": str(kubeconfig),
        "namespace": "shop",
        "deployments": ["web"],
        "read_timeout": "20m",
    }
    usual = yaml.safe_load(here.config.read_text())["deployments"]["qrl"]
    hung = {"target": {"kubernetes": kubernetes}, "observe_every": "1h" if len(names) > 1 else "1s"}
    here.write_config(deployments={name: deepcopy(hung) for name in names} | {"qrl": usual}, **more)
    return asked


def _end_all(asked: Path) -> None:
    """End what hangs: the agent, which would in its time, has ended before."""
    for number in asked.read_text().split() if asked.exists() else ():
        with suppress(ProcessLookupError):
            os.kill(int(number), signal.SIGKILL)


def _tree() -> dict[str, Any]:
    """The usual tree, in which the branch fires on the deployment that hangs from the beginning."""
    tree = deepcopy(FAST_TREE)
    (rule,) = tree["groups"][0]["rules"]
    tree["groups"][0]["rules"].append({**rule, "expr": "vector(1)", "labels": rule["labels"] | {"deployment": HUNG}})
    return tree


def _tree_of_all(names: Sequence[str]) -> dict[str, Any]:
    """The usual tree, in which those that hang are as available as the usual deployment."""
    tree = deepcopy(FAST_TREE)
    signal = "deployment:availability:ratio"
    tree["groups"][0]["rules"] += [
        {"record": signal, "expr": f'{signal}{{deployment="qrl"}}', "labels": {"deployment": name}} for name in names
    ]
    return tree


def _results(here: Stand) -> list[str | None]:
    return [
        run["result"] for incident in here.incidents() if incident["deployment"] == "qrl" for run in incident["runs"]
    ]
