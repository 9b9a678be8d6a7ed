"""Ships one bad release, watches it being rolled back, and judges what it saw."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.agent import Agent
from demo.deployment import SERVICES
from demo.releases import Fault, Release
from demo.stack import Stack
from demo.timeline import Moment, Timeline
from demo.verdict import Condition, Verdict
from demo.view import Status, View

AUTONOMY = {Fault.BROKEN_START: "L4", Fault.ERRORS_30_PERCENT: "L3"}
_GIVE_UP_AFTER = 240.0
_WATCH_AFTER_VERIFIED = 10.0
_LOOK_EVERY = 0.25


@dataclass(slots=True)
class _Seen:
    """What the newest look found."""

    revisions: dict[str, str | None]
    services_at: float = 0.0
    run: dict[str, Any] | None = None
    incident: str = ""
    approved: bool = False


class Scenario:
    """One bad release on a running stack with a receiver that knows `good` to be good."""

    def __init__(self, stack: Stack, agent: Agent, good: Release, fault: Fault, root: Path) -> None:
        self._stack = stack
        self._agent = agent
        self._good = good
        self._fault = fault
        self._root = root
        self._title = f"{fault}, autonomy {AUTONOMY[fault]}"
        self._timeline = Timeline()
        self._seen = _Seen(dict.fromkeys(SERVICES, good.commit))

    def play(self, view: View) -> Verdict:
        """Ship, watch until the run has ended, watch the users a little longer, judge."""
        bad = self._stack.deployment.releases.make(self._fault)
        shipping = threading.Thread(target=self._stack.deployment.put_live, args=(bad,), name="ship")
        with view.scenario(f"{self._title}: {self._good.id} is good, {bad.id} is not"):
            shipping.start()
            give_up_at = time.monotonic() + _GIVE_UP_AFTER
            while not self._ended() and time.monotonic() < give_up_at:
                self._look(bad)
                is_back = self._timeline.at(Moment.GOOD) is not None
                doing = "waiting until it is verified" if is_back else "waiting for the rollback"
                view.update(self._timeline, self._status(doing))
                time.sleep(_LOOK_EVERY)
            shipping.join()
            watch_until = time.time() + _WATCH_AFTER_VERIFIED
            while time.time() < watch_until:
                self._look_at_services()
                view.update(self._timeline, self._status("watching the users 10 s longer"))
                time.sleep(_LOOK_EVERY)
        return self._judge()

    def _ended(self) -> bool:
        run = self._seen.run
        is_over = run is not None and run["state"] == "finished"
        restored = is_over and run is not None and run["result"] == "restored"
        return is_over and (not restored or self._timeline.at(Moment.GOOD) is not None)

    def _look(self, bad: Release) -> None:
        timeline, releases = self._timeline, self._stack.deployment.releases
        if timeline.at(Moment.FAULT) is None:
            if releases.live() != bad.id:
                return
            timeline.mark(Moment.FAULT, releases.switched_at(), bad.id)
        self._look_at_alerts()
        self._look_at_agent()
        self._look_at_services()
        if releases.live() == self._good.id and set(self._seen.revisions.values()) == {self._good.commit}:
            timeline.mark(Moment.GOOD, self._seen.services_at, f"{self._good.id}, all services")

    def _look_at_alerts(self) -> None:
        """The first branch that fires, and since when that one was pending; until then, the first pending one."""
        fault_at = self._timeline.at(Moment.FAULT)
        alerts = self._stack.prometheus.alerts(fault_at) if fault_at else []
        fired = next((alert for alert in alerts if alert.firing), None)
        pending = [alert for alert in alerts if not alert.firing]
        if fired is not None:
            self._timeline.mark(Moment.FIRING, fired.first, f"{fired.name} {fired.service}")
            # Another one may have been pending, such as that of a service that only took its time to start.
            self._timeline.retract(Moment.PENDING)
            pending = [alert for alert in pending if (alert.name, alert.service) == (fired.name, fired.service)]
        if pending:
            self._timeline.mark(Moment.PENDING, pending[0].first, f"{pending[0].name} {pending[0].service}")

    def _look_at_agent(self) -> None:
        incident = self._agent.newest_incident()
        if incident is None or not incident["runs"]:
            return
        runs = sorted(incident["runs"], key=lambda run: float(run["created_at"]))
        run = next((run for run in runs if run["command_started_at"]), runs[-1])
        self._seen.run, self._seen.incident = run, incident["id"]
        self._timeline.read(run)
        approval = run["approval"]
        if AUTONOMY[self._fault] == "L3" and approval and approval["state"] == "pending" and not self._seen.approved:
            self._seen.approved = True
            self._agent.approve(incident["id"], run["plan"]["hash"])

    def _look_at_services(self) -> None:
        # Once a second, not to thin out the users' requests; often while the rollback is on its way.
        is_near = self._timeline.at(Moment.COMMAND) is not None and self._timeline.at(Moment.GOOD) is None
        if is_near or time.time() - self._seen.services_at >= 1.0:
            self._seen.revisions = self._stack.deployment.revisions()
            self._seen.services_at = time.time()

    def _status(self, doing: str) -> Status:
        up = {service: revision is not None for service, revision in self._seen.revisions.items()}
        return Status(up, self._stack.load.failed_share(5.0), doing)

    def _judge(self) -> Verdict:
        run = self._seen.run
        report = Path(run["report"]) if run and run["report"] else None
        audit_trail = self._root / "logs" / "audit-trail.jsonl"
        return Verdict(
            self._title,
            (
                self._good_is_live(),
                Condition("the run's result", bool(run and run["result"] == "restored"), _outcome(run)),
                self._no_user_failed(),
                _names("the report", report, self._good),
                _names("the audit trail", audit_trail, self._good),
            ),
            self._timeline.bounds(),
            report,
            audit_trail,
        )

    def _good_is_live(self) -> Condition:
        live, revisions = self._stack.deployment.releases.live(), self._stack.deployment.revisions()
        others = [service for service, revision in revisions.items() if revision != self._good.commit]
        answer = f"not from {', '.join(others)}" if others else "from all services"
        held = live == self._good.id and not others
        return Condition("the good release is live", held, f"{live} is live and answers {answer}")

    def _no_user_failed(self) -> Condition:
        name = "no request failed after verified"
        verified = self._timeline.at(Moment.VERIFIED)
        if verified is None:
            return Condition(name, held=False, found="never verified")
        asked = self._stack.load.between(verified, time.time())
        failed = sum(request.failed for request in asked)
        return Condition(name, bool(asked) and not failed, f"{failed} of {len(asked)} failed")


def _outcome(run: dict[str, Any] | None) -> str:
    if run is None:
        return "no run began"
    return f"{run['result'] or run['state']}: {run['reason'] or 'no reason given'}"


def _names(what: str, file: Path | None, release: Release) -> Condition:
    """Whether the file is there and names the release."""
    if file is None or not file.is_file():
        return Condition(f"{what} names the release", held=False, found="there is no such file")
    named = release.id in file.read_text(errors="replace")
    return Condition(f"{what} names the release", named, file.name)
