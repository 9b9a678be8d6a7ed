"""Plays one scenario: makes it go wrong, watches what the agent does, and keeps what was seen for the judge."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.agent import Agent, CommandError
from demo.causes import Stage
from demo.deployment import SERVICES
from demo.processes import NotReadyError
from demo.prometheus import Alert
from demo.releases import Release
from demo.scenarios import Ending, Scenario
from demo.stack import Stack
from demo.timeline import Moment, Timeline
from demo.view import Status, View

_WATCH_AFTER = 10.0
_LOOK_EVERY = 0.25


@dataclass(slots=True)
class Seen:
    """What the newest look found."""

    revisions: dict[str, str | None]
    services_at: float = 0.0
    first: Alert | None = None
    """The branch that fired first, as Prometheus tells it."""
    incident: dict[str, Any] | None = None
    run: dict[str, Any] | None = None
    approved: bool = False
    trouble: str = ""
    """Why it could not be made to go wrong."""


class Play:
    """One scenario on a running stack, with a receiver that knows `good` to be good."""

    def __init__(self, stack: Stack, agent: Agent, good: Release, scenario: Scenario) -> None:
        self.stack = stack
        self.good = good
        self.scenario = scenario
        self.bad = stack.deployment.releases.make(scenario.fault) if scenario.fault else None
        self.timeline = Timeline(rolls_back=scenario.ending is Ending.ROLLED_BACK)
        self.seen = Seen(dict.fromkeys(SERVICES, good.commit))
        self._agent = agent

    @property
    def title(self) -> str:
        """The scenario's name with its autonomy."""
        return f"{self.scenario.name}, autonomy {self.scenario.autonomy}"

    def play(self, view: View) -> None:
        """Cause it, watch until the run has ended, and watch the users a little longer."""
        stage = Stage(self.stack, self._agent, self.bad, self.timeline)
        with view.scenario(f"{self.title}: {self.scenario.wrong}"), ThreadPoolExecutor(1) as pool:
            causing = pool.submit(self.scenario.cause, stage)
            give_up_at = time.monotonic() + self.scenario.give_up_after
            self._until(lambda: self._has_ended(causing) or time.monotonic() > give_up_at, self._look, view)
            try:
                causing.result()
            except (CommandError, NotReadyError) as error:
                self.seen.trouble = str(error)
            watch_until = time.time() + _WATCH_AFTER
            self._until(lambda: time.time() > watch_until, self._look_at_services, view)

    def _until(self, ended: Callable[[], bool], look: Callable[[], None], view: View) -> None:
        while not ended():
            look()
            view.update(self.timeline, self._status())
            time.sleep(_LOOK_EVERY)

    def _has_ended(self, causing: Future[None]) -> bool:
        if causing.done() and causing.exception():
            return True
        run = self.seen.run
        if run is None or run["state"] != "finished" or not causing.done():
            return False
        return run["result"] != "restored" or self.timeline.at(Moment.GOOD) is not None

    def _look(self) -> None:
        timeline, releases = self.timeline, self.stack.deployment.releases
        if self.bad is not None and releases.live() == self.bad.id:
            timeline.mark(Moment.FAULT, releases.switched_at(), f"{self.bad.id} goes live")
        if timeline.at(Moment.FAULT) is None:
            return
        self._look_at_history()
        self._look_at_alerts()
        self._look_at_agent()
        self._look_at_services()
        is_back = self.bad is not None and releases.live() == self.good.id
        if is_back and set(self.seen.revisions.values()) == {self.good.commit}:
            timeline.mark(Moment.GOOD, self.seen.services_at, f"{self.good.id}, all services")

    def _look_at_history(self) -> None:
        """Once the live signals are as bad as the history ends, Prometheus is started on it."""
        history, is_done = self.scenario.history, self.timeline.at(Moment.BACKFILLED) is not None
        if history and not is_done and self.stack.prometheus.value(history.ready) is not None:
            self.stack.backfill(history)
            self.timeline.mark(Moment.BACKFILLED, time.time(), history.told())

    def _look_at_alerts(self) -> None:
        """The first branch that fires, and since when that one was pending; until then, the first pending one."""
        fault_at = self.timeline.at(Moment.FAULT)
        alerts = self.stack.prometheus.alerts(fault_at) if fault_at else []
        alerts = [alert for alert in alerts if alert.branch != self.scenario.after]
        fired = next((alert for alert in alerts if alert.firing), None)
        pending = [alert for alert in alerts if not alert.firing]
        if fired is not None:
            self.seen.first = self.seen.first or fired
            self.timeline.mark(Moment.FIRING, fired.first, f"{fired.name} {fired.service}")
            # Another one may have been pending, such as that of a service that only took its time to start.
            self.timeline.retract(Moment.PENDING)
            pending = [alert for alert in pending if (alert.name, alert.service) == (fired.name, fired.service)]
        if pending:
            self.timeline.mark(Moment.PENDING, pending[0].first, f"{pending[0].name} {pending[0].service}")

    def _look_at_agent(self) -> None:
        incident = self._agent.newest_incident()
        runs = [run for run in incident["runs"] if self._is_of_interest(run)] if incident else []
        if incident is None or not runs:
            return
        runs.sort(key=lambda run: float(run["created_at"]))
        run = next((run for run in runs if run["command_started_at"]), runs[-1])
        self.seen.run, self.seen.incident = run, incident
        self.timeline.read(run)
        for escalation in incident["escalations"]:
            self.timeline.mark(Moment.ASKED, escalation["opened_at"], f"escalation {escalation['reason']}")
        approval = run["approval"]
        if self.scenario.confirms and approval and approval["state"] == "pending" and not self.seen.approved:
            self.seen.approved = True
            self._agent.approve(incident["id"], run["plan"]["hash"])

    def _is_of_interest(self, run: dict[str, Any]) -> bool:
        before = self.scenario.after
        return not before or bool(run["decision"] and run["decision"]["branch"] != before)

    def _look_at_services(self) -> None:
        # Once a second, not to thin out the users' requests; often while the rollback is on its way.
        is_near = self.timeline.at(Moment.COMMAND) is not None and self.timeline.at(Moment.GOOD) is None
        if is_near or time.time() - self.seen.services_at >= 1.0:
            self.seen.revisions = self.stack.deployment.revisions()
            self.seen.services_at = time.time()

    def _status(self) -> Status:
        up = {service: revision is not None for service, revision in self.seen.revisions.items()}
        return Status(up, self.stack.load.failed_share(5.0), self._doing())

    def _doing(self) -> str:
        """What the demonstration waits for."""
        if self.seen.run and self.seen.run["state"] == "finished":
            return "watching 10 s longer"
        if self.seen.run:
            logs = self._agent.config.parent / "rollback" / "logs"
            return at_work(self.seen.run, time.time(), logs / f"rollback-{self.seen.run['id']}.log")
        if self.scenario.history and self.timeline.at(Moment.BACKFILLED) is None:
            return "awaiting bad signals"
        return "awaiting the agent"


def at_work(run: dict[str, Any], now: float, output: Path) -> str:
    """The phase that the agent is in, for how long, and what it waits for or the command's last line."""
    step = next((one for one in run["steps"] if one["name"] == run["phase"]), None)
    if step is None or step["finished_at"] is not None:
        return f"the agent: {run['phase']}"
    says = step["summary"] or ""
    if run["phase"] == "execute" and output.is_file():
        says = output.read_text(errors="replace").rstrip().rpartition("\n")[2]
    times = f"{max(now - step['started_at'], 0):.0f} s, the run for {max(now - run['created_at'], 0):.0f} s"
    return f"the agent: {run['phase']} for {times}{': ' + says if says else ''}"
