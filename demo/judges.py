"""Judges a scenario: by the deployment itself, Prometheus, the users, files, and the receiver's account."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo.play import Play
from demo.scenarios import Ending
from demo.timeline import Moment
from demo.verdict import Condition, Verdict

Judge = Callable[[Play, Path], tuple[Condition, ...]]


def judge(play: Play, directory: Path) -> Verdict:
    """The verdict on a scenario whose receiver kept its files below `directory`."""
    scenario, run = play.scenario, play.seen.run
    rolls_back = scenario.ending is Ending.ROLLED_BACK
    return Verdict(
        title=play.title,
        name=scenario.name,
        ending=str(scenario.ending),
        branch=play.seen.first.branch if play.seen.first else "none",
        did=_did(play),
        fired_after=play.timeline.since_fault(Moment.FIRING),
        ended_after=play.timeline.since_fault(Moment.VERIFIED if rolls_back else Moment.REPORTED),
        backfilled=scenario.history is not None,
        conditions=(*_trouble(play), _branch(play), *_JUDGES[scenario.ending](play, directory)),
        bounds=play.timeline.bounds(from_fault=not scenario.calls_for_patience) if rolls_back else (),
        report=Path(run["report"]) if run and run["report"] else None,
        audit_trail=_audit_trail(directory),
    )


def _rolled_back(play: Play, directory: Path) -> tuple[Condition, ...]:
    run = play.seen.run
    asked = (_escalated(play, is_open=False),) if play.scenario.escalation else ()
    return (
        _live(play, "the good release is live", play.good.id, play.good.commit),
        Condition("the run's result", bool(run and run["result"] == "restored"), _outcome(run)),
        *asked,
        _no_user_failed(play),
        _names("the report names the release", _report(run), play.good.id),
        _names("the audit trail names it too", _audit_trail(directory), play.good.id),
    )


def _asked(play: Play, directory: Path) -> tuple[Condition, ...]:
    run = play.seen.run
    return (
        Condition("the run's result", bool(run and run["result"] in ("asked", "missing_data")), _outcome(run)),
        _escalated(play, is_open=True),
        *_untouched(play, directory),
    )


def _watched(play: Play, directory: Path) -> tuple[Condition, ...]:
    run = play.seen.run
    reasons = _reasons(play, is_open=True)
    return (
        Condition("the run's result", bool(run and run["result"] == "recorded"), _outcome(run)),
        Condition("nobody is asked", not reasons, ", ".join(reasons) or "no escalation is open"),
        *_untouched(play, directory),
    )


_JUDGES: dict[Ending, Judge] = {Ending.ROLLED_BACK: _rolled_back, Ending.ASKED: _asked, Ending.WATCHED: _watched}


def _untouched(play: Play, directory: Path) -> tuple[Condition, ...]:
    """The release that was live still is, and no command left a trace."""
    shipped = play.bad or play.good
    left = [file.name for file in (directory / "rollback").glob("logs/rollback-*.log")]
    left += [file.name for file in (directory / "rollback").glob("backups/*")]
    alert = play.seen.first.name if play.seen.first else "an alert"
    return (
        _live(play, "what was live still is", shipped.id, shipped.commit),
        Condition("no backup, no command", not left, ", ".join(left) or "neither left a file"),
        _names("the report names the alert", _report(play.seen.run), alert),
        Condition("the audit trail is there", _audit_trail(directory).is_file(), _audit_trail(directory).name),
    )


def _trouble(play: Play) -> tuple[Condition, ...]:
    """A condition that does not hold, where something kept the fault from being caused."""
    trouble = play.seen.trouble
    return (Condition("the fault was caused", held=False, found=trouble),) if trouble else ()


def _branch(play: Play) -> Condition:
    """The branch that fired first in Prometheus is the one that the receiver decided by, and the expected one."""
    run, expected = play.seen.run, play.scenario.branch
    decided = (run["decision"] or {}).get("branch", "none") if run else "none"
    first = play.seen.first.branch if play.seen.first else "none"
    held = first == decided == expected
    found = expected if held else f"{first} fired, {decided} decided; expected was {expected}"
    return Condition("the branch", held, found)


def _live(play: Play, name: str, release: str, commit: str) -> Condition:
    live, revisions = play.stack.deployment.releases.live(), play.stack.deployment.revisions()
    others = [service for service, revision in revisions.items() if revision != commit]
    answer = f"not from {', '.join(others)}" if others else "from all services"
    return Condition(name, live == release and not others, f"{live} is live and answers {answer}")


def _no_user_failed(play: Play) -> Condition:
    name = "no request failed after verified"
    verified = play.timeline.at(Moment.VERIFIED)
    if verified is None:
        return Condition(name, held=False, found="never verified")
    asked = play.stack.load.between(verified, time.time())
    failed = sum(request.failed for request in asked)
    return Condition(name, bool(asked) and not failed, f"{failed} of {len(asked)} failed")


def _escalated(play: Play, *, is_open: bool) -> Condition:
    reasons = _reasons(play, is_open=is_open)
    name = "a human is asked" if is_open else "a human was asked"
    return Condition(name, play.scenario.escalation in reasons, ", ".join(reasons) or "no escalation")


def _reasons(play: Play, *, is_open: bool) -> list[str]:
    """Why humans were asked, as far as they still are where `is_open`."""
    incident = play.seen.incident
    escalations: list[dict[str, Any]] = incident["escalations"] if incident else []
    return [str(one["reason"]) for one in escalations if one["state"] == "open" or not is_open]


def _did(play: Play) -> str:
    """What the agent did, whatever it should have done."""
    run = play.seen.run
    if run is None:
        return "nothing"
    match run["result"]:
        case "restored":
            return f"{'asked, ' if run['approval'] else ''}rolled back"
        case "recorded":
            return "watched"
        case "asked" | "missing_data":
            return "asked"
        case None:
            return f"still in {run['phase']}"
        case result:
            return str(result)


def _report(run: dict[str, Any] | None) -> Path | None:
    return Path(run["report"]) if run and run["report"] else None


def _audit_trail(directory: Path) -> Path:
    return directory / "rollback" / "logs" / "audit-trail.jsonl"


def _outcome(run: dict[str, Any] | None) -> str:
    if run is None:
        return "no run began"
    return f"{run['result'] or run['state']}: {run['reason'] or 'no reason given'}"


def _names(condition: str, file: Path | None, word: str) -> Condition:
    """Whether the file is there and names the word."""
    if file is None or not file.is_file():
        return Condition(condition, held=False, found="there is no such file")
    return Condition(condition, word in file.read_text(errors="replace"), file.name)
