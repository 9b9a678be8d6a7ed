"""A judge believes what it looks up, and names what is not as it has to be."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from demo.judges import judge
from demo.load import Request
from demo.play import Seen
from demo.prometheus import Alert
from demo.releases import Release
from demo.scenarios import Ending, Scenario, named
from demo.timeline import Moment, Timeline

if TYPE_CHECKING:
    from demo.play import Play

GOOD, BAD = Release("v1", "aaaaaaa"), Release("v2", "bbbbbbb")


@dataclass
class Stack:
    """A deployment whose live release answers from all services, and its users; also plays the parts of itself."""

    at: Release
    requests: list[Request] = field(default_factory=lambda: [Request(time.time(), "flask", failed=False, status=200)])

    @property
    def deployment(self) -> Stack:
        """It is its own deployment, ..."""
        return self

    releases = load = deployment

    def live(self) -> str:
        """The live release."""
        return self.at.id

    def revisions(self) -> dict[str, str]:
        """The commit that every service answers with."""
        return dict.fromkeys(("fastapi", "flask", "gradio"), self.at.commit)

    def between(self, start: float, end: float) -> list[Request]:
        """All requests."""
        assert start < end
        return self.requests


@dataclass
class Played:
    """What a judge reads of a scenario that was played; by default it went as it has to."""

    scenario: Scenario
    directory: Path
    good: Release = GOOD
    bad: Release = BAD
    timeline: Timeline = field(default_factory=Timeline)
    title: str = "a scenario"

    def __post_init__(self) -> None:
        rolled_back = self.scenario.ending is Ending.ROLLED_BACK
        logs = self.directory / "rollback" / "logs"
        logs.mkdir(parents=True)
        (logs / "audit-trail.jsonl").write_text("rolled back to v1\n")
        (logs / "incident.md").write_text("TheAlert: v1\n")
        self.stack = Stack(GOOD if rolled_back else BAD)
        results = {Ending.ROLLED_BACK: "restored", Ending.ASKED: "asked", Ending.WATCHED: "recorded"}
        run = {
            "result": results[self.scenario.ending],
            "reason": "so",
            "decision": {"branch": self.scenario.branch},
            "report": str(logs / "incident.md"),
            "approval": None,
        }
        reason = self.scenario.escalation
        escalations = [{"reason": reason, "state": "open"}] if reason else []
        first = Alert("TheAlert", self.scenario.branch, "", firing=True, first=0.0, last=1.0)
        self.seen = Seen({}, first=first, incident={"escalations": escalations}, run=run)
        self.timeline.mark(Moment.VERIFIED, time.time() - 1)

    @property
    def run(self) -> dict[str, Any]:
        """The receiver's account of the run."""
        assert self.seen.run is not None
        return self.seen.run

    def failed(self) -> list[str]:
        """The names of the conditions that do not hold."""
        verdict = judge(cast("Play", self), self.directory)
        assert verdict.good is not bool([one for one in verdict.conditions if not one.held])
        return [condition.name for condition in verdict.conditions if not condition.held]


def played(name: str, directory: Path) -> Played:
    """A scenario that went well."""
    (scenario,) = named([name])
    return Played(scenario, directory)


@pytest.mark.parametrize("name", ["payment_broken", "elevated_error_rate", "database_broken", "user_interface_broken"])
def test_what_went_as_it_has_to_is_good(tmp_path: Path, name: str) -> None:
    """Every condition of each way to end holds."""
    assert played(name, tmp_path).failed() == []


@pytest.mark.parametrize("name", ["payment_broken", "database_broken", "user_interface_broken"])
def test_another_branch_is_told(tmp_path: Path, name: str) -> None:
    """Neither a branch that decided alone nor one that only fired first is enough."""
    decided = played(name, tmp_path / "a")
    decided.run["decision"] = {"branch": "service_down"}
    assert decided.failed() == ["the branch"]
    fired = played(name, tmp_path / "b")
    fired.seen.first = Alert("TheAlert", "service_down", "", firing=True, first=0.0, last=1.0)
    assert fired.failed() == ["the branch"]


def test_a_rollback_that_users_suffered_from_is_none(tmp_path: Path) -> None:
    """A request that failed after verified, or a bad release that is still live, is told."""
    suffered = played("payment_broken", tmp_path / "a")
    suffered.stack.requests.append(Request(time.time(), "flask", failed=True, status=500))
    assert suffered.failed() == ["no request failed after verified"]
    still_bad = played("payment_broken", tmp_path / "b")
    still_bad.stack.at = BAD
    assert still_bad.failed() == ["the good release is live"]


def test_a_low_confidence_has_to_ask(tmp_path: Path) -> None:
    """Rolled back without that a human was asked is not how it has to end."""
    unasked = played("elevated_error_rate", tmp_path)
    unasked.seen.incident = {"escalations": []}
    assert unasked.failed() == ["a human was asked"]


def test_a_question_that_is_answered_or_another_one_is_none(tmp_path: Path) -> None:
    """An escalation has to be open, for the expected reason."""
    other = played("database_broken", tmp_path / "a")
    other.seen.incident = {"escalations": [{"reason": "unknown_pattern", "state": "open"}]}
    assert other.failed() == ["a human is asked"]
    answered = played("database_broken", tmp_path / "b")
    answered.seen.incident = {"escalations": [{"reason": "database_or_full", "state": "answered"}]}
    assert answered.failed() == ["a human is asked"]


@pytest.mark.parametrize("name", ["database_broken", "user_interface_broken"])
def test_what_was_touched_is_told(tmp_path: Path, name: str) -> None:
    """A backup, a command's output or another live release is not nothing."""
    backup = played(name, tmp_path / "a")
    (backup.directory / "rollback" / "backups" / "state-1").mkdir(parents=True)
    assert backup.failed() == ["no backup, no command"]
    command = played(name, tmp_path / "b")
    (command.directory / "rollback" / "logs" / "rollback-1.log").touch()
    assert command.failed() == ["no backup, no command"]
    moved = played(name, tmp_path / "c")
    moved.stack.at = GOOD
    assert moved.failed() == ["what was live still is"]


def test_a_watch_asks_nobody(tmp_path: Path) -> None:
    """An open escalation is told."""
    asked = played("user_interface_broken", tmp_path)
    asked.seen.incident = {"escalations": [{"reason": "branch_asks", "state": "open"}]}
    assert asked.failed() == ["nobody is asked"]


def test_a_fault_that_could_not_be_caused_is_told(tmp_path: Path) -> None:
    """Even if the rest looks well."""
    nothing = played("payment_broken", tmp_path)
    nothing.seen.trouble = "rollback-agent hotfix ended with 1"
    assert nothing.failed() == ["the fault was caused"]
