"""Drills of the sample deployment: each fault is brought about, and judged, by `rollback-agent drill` itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.agent import Agent
from demo.causes import PIPELINE
from demo.deployment import Deployment
from demo.history import History
from demo.places import COMMAND, REPOSITORY, Places, Ports
from demo.processes import NotReadyError, wait_until
from demo.releases import Fault, Release
from demo.scenarios import named
from demo.settings import DEPLOYMENT
from demo.stack import Stack

RESTORED, ASKED = "restored", "asked"
_CONFIGURATION = "receiver.yml"
_PATIENCE = 600.0
"""Seconds that it may take until all is calm, on a machine that has other work to do."""
_BY_THE_GUIDE = (
    "import json, sys; from receiver.interface import simulate_service_failure; "
    "good, reason = simulate_service_failure(sys.argv[1], sys.argv[2], person='demo'); "
    "print(json.dumps({'good': good, 'reason': reason}))"
)


@dataclass(frozen=True, slots=True)
class Drill:
    """One fault and how it has to end: a bad release is shipped, or a service is stopped and later started again."""

    name: str
    wrong: str
    branch: str
    ends: str = RESTORED
    fault: Fault | None = None
    stops: str | None = None
    through_the_pipeline: bool = False
    suspects_within: str | None = None
    """How long after it went live a release is suspected; without it, however long."""
    history: History | None = None
    """What Prometheus is made to remember, once the signals are bad."""
    within: str = "10m"

    def argv(self, config: Path) -> tuple[str, ...]:
        """What does the drill: the command, or for a `kill_SERVICE` the guide's function, which names it so."""
        if self.name == f"kill_{self.stops}":
            return (sys.executable, "-c", _BY_THE_GUIDE, str(self.stops), str(config))
        return (str(COMMAND), "drill", self.name, "--confirm", "--json", "--as", "demo", "--config", str(config))


@dataclass(frozen=True, slots=True)
class Done:
    """What the command said of a drill, and how long it took (seconds)."""

    drill: Drill
    good: bool
    reason: str
    took: float


def _past(scenario: str) -> History | None:
    (found,) = named((scenario,))
    return found.history


DRILLS = (
    Drill("bad_release", "a release that does not start", "service_down", fault=Fault.BROKEN_START),
    Drill("broken_login", "nobody can log in", "authentication_broken", fault=Fault.AUTHENTICATION_BROKEN),
    Drill(
        "failed_migration",
        "the migration of the database fails, and the pipeline says so",
        "migration_failed",
        ASKED,
        Fault.MIGRATION_FAILED,
        through_the_pipeline=True,
    ),
    Drill("kill_fastapi", "a service is gone, whatever its release", "service_down", stops="fastapi"),
    Drill(
        "not_the_release",
        "a service is gone, and its release is live for too long to be suspected",
        "service_down",
        ASKED,
        stops="gradio",
        suspects_within="20s",
    ),
    Drill(
        "slow",
        "Flask takes 0.3 s for each payment that it shows",
        "slow_responses",
        ASKED,
        Fault.SLOW_RESPONSES,
        history=_past("slow_responses"),
    ),
    Drill(
        "partial_users",
        "8 % of the users get a 500 at every third request",
        "wide_impact",
        fault=Fault.WIDE_IMPACT,
        history=_past("wide_impact"),
        within="20m",
    ),
)
_BY_NAME = {one.name: one for one in DRILLS}
NAMES = tuple(_BY_NAME)


def chosen(names: Iterable[str]) -> tuple[Drill, ...]:
    """The drills of these names; all for none."""
    return tuple(_BY_NAME[name] for name in names) or DRILLS


def configuration(root: Path, drill: Drill) -> dict[str, Any]:
    """What the receiver's configuration says of a drill, whose stack keeps its files below `root`."""
    # From `/` and with nothing of this environment, as the agent starts it.
    here = ("/usr/bin/env", f"--chdir={REPOSITORY}", sys.executable, "-m", "demo")
    told: dict[str, Any] = {
        "deployment": DEPLOYMENT,
        "fault": [*here, "break", str(root), drill.name],
        "branch": drill.branch,
        "ends": drill.ends,
        "within": drill.within,
    }
    if drill.stops:
        told["mend"] = [*here, "mend", str(root), drill.name]
    return {"drills": {drill.name: told}, "guardrails": {"suspect_release": {"max_age": drill.suspects_within}}}


def break_(root: Path, drill: Drill) -> None:
    """Bring the fault about in the deployment below `root`."""
    # Which ports it has stands in the configuration of its supervisor.
    deployment = Deployment(Places(root), Ports())
    if drill.stops:
        deployment.control("stop", drill.stops)
    if drill.fault is None:
        return
    release = deployment.releases.make(drill.fault)
    if drill.through_the_pipeline:
        _announce(root, drill, "start", release)
    migrated = "succeeded" if deployment.put_live(release) else "failed"
    if drill.through_the_pipeline:
        _announce(root, drill, "finish", release, "--migration", migrated)


def mend(root: Path, drill: Drill) -> None:
    """Take the fault away again, where a rollback does not."""
    if drill.stops:
        Deployment(Places(root), Ports()).control("start", drill.stops)


def _announce(root: Path, drill: Drill, what: str, release: Release, *more: str) -> None:
    config = root / drill.name / _CONFIGURATION
    Agent("", "", COMMAND, config).type("release", what, DEPLOYMENT, release.id, *more, person=PIPELINE)


def begin(stack: Stack) -> Release:
    """Start the deployment with two releases, and learn that both are good; the second one is live."""
    first = stack.start()
    agent = stack.watch(stack.places.root / "learning", "L1")
    if not wait_until(lambda: agent.knows_good(first.id), _PATIENCE, every=0.5):
        raise NotReadyError(f"{first.id} was not known good within {_PATIENCE:g} s; see {stack.places.root}")
    second = stack.deployment.ship()
    stack.await_calm(agent, second, timeout=_PATIENCE)
    stack.stop_watching()
    return second


def do(stack: Stack, good: Release, drill: Drill) -> Done:
    """One drill, with all that watches the deployment started afresh, and what the command said."""
    directory = stack.places.root / drill.name
    agent = stack.watch(directory, "L4", **configuration(stack.places.root, drill))
    # On a busy machine a service may take long enough to start for a branch to fire; that is no drill.
    agent.type("autonomy", "set", "L1", DEPLOYMENT)
    stack.await_calm(agent, good, calm_for=60.0 if drill.history else 15.0, timeout=_PATIENCE)
    agent.type("autonomy", "set", "L4", DEPLOYMENT)
    began, has_past = time.monotonic(), drill.history is None
    with (directory / "drill.out").open("w+") as output:
        running = subprocess.Popen(drill.argv(agent.config), stdout=output, stderr=subprocess.STDOUT)
        try:
            while running.poll() is None:
                if not has_past and drill.history and stack.prometheus.value(drill.history.ready) is not None:
                    stack.backfill(drill.history)
                    has_past = True
                time.sleep(0.5)
        finally:
            running.terminate()
            running.wait(30)
        output.seek(0)
        said = output.read()
    took = time.monotonic() - began
    stack.stop_watching()
    stack.deployment.control("start", drill.stops or "*")
    stack.restore(good)
    try:
        told = json.JSONDecoder().raw_decode(said[said.index("{") :])[0]
    except ValueError:
        return Done(drill, False, said.strip(), took)
    return Done(drill, bool(told["good"]) and running.returncode == 0, str(told["reason"]), took)
