"""Judges a drill by what the journal shows of the incident that it led to; reads nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from receiver.config.drills import Drill
from receiver.durations import in_words
from receiver.journal.views import View, evaluated_at
from receiver.model import DrillEnding, Result

_OVER_WITHOUT_SUCCESS = frozenset(
    {Result.NO_EFFECT, Result.WORSE, Result.INCONCLUSIVE, Result.FAILED, Result.UNKNOWN, Result.DENIED, Result.EXPIRED}
)


@dataclass(frozen=True, slots=True)
class DrillResult:
    """Whether a drill ended as it had to, in a sentence, and the incident that it led to, if it led to one."""

    is_good: bool
    reason: str
    incident: str | None = None


def judge(drill: Drill, incident: View | None, began_at: float, now: float) -> DrillResult | None:
    """What became of a fault that was brought about at `began_at` (Unix seconds); None while that is not known yet."""
    is_over = now - began_at >= drill.within
    if incident is None:
        return _nothing_noticed(drill) if is_over else None
    if drill.ends is DrillEnding.RESTORED:
        found = _restored(drill, incident, began_at, is_over)
    else:
        found = _not_touched(drill, incident, is_over)
    if found is None or not found.is_good or drill.branch is None:
        return found
    decided = list(_branches(incident))
    if drill.branch in decided:
        return found
    return DrillResult(False, f"{', '.join(decided) or 'no branch'} decided, and not {drill.branch}", incident["id"])


def moments(incident: View) -> dict[str, float]:
    """When each part of the way was over (Unix seconds), in its order, as far as it was gone."""
    found = {"noticed": incident["opened_at"]}
    for run in incident["runs"]:
        evaluated = evaluated_at(run)
        if evaluated is not None:
            found.setdefault("decided", evaluated)
        if run["approval"] is not None:
            found.setdefault("asked", run["approval"]["opened_at"])
        if run["command_finished_at"] is not None:
            found["done"] = run["command_finished_at"]
        if run["result"] == Result.RESTORED and run["finished_at"] is not None:  # else its report is being written
            found["verified"] = run["finished_at"]
    if incident["escalations"]:
        found.setdefault("asked", incident["escalations"][0]["opened_at"])
    return dict(sorted(found.items(), key=lambda moment: moment[1]))


def _nothing_noticed(drill: Drill) -> DrillResult:
    if drill.ends is DrillEnding.UNTOUCHED and drill.branch is None:
        return DrillResult(True, f"nothing was touched within {in_words(drill.within)}, and nobody called")
    reason = f"no branch fired within {in_words(drill.within)}; `rollback-agent tree` shows each of them"
    return DrillResult(False, reason)


def _restored(drill: Drill, incident: View, began_at: float, is_over: bool) -> DrillResult | None:
    for run in incident["runs"]:
        if run["finished_at"] is None:
            continue
        if run["result"] == Result.RESTORED:
            took = in_words(run["finished_at"] - began_at)
            return DrillResult(True, f"rolled back and verified {took} after the fault", incident["id"])
        if run["result"] in _OVER_WITHOUT_SUCCESS:
            return DrillResult(False, f"the run ended {run['result']}: {run['reason']}", incident["id"])
    if not is_over:
        return None
    last = incident["runs"][-1] if incident["runs"] else None
    stands = "no run was begun" if last is None else f"the run is {last['result'] or last['phase']}"
    why = f": {last['reason']}" if last and last["reason"] else ""
    return DrillResult(False, f"not rolled back within {in_words(drill.within)}; {stands}{why}", incident["id"])


def _not_touched(drill: Drill, incident: View, is_over: bool) -> DrillResult | None:
    if any(run["command_started_at"] is not None for run in incident["runs"]):
        return DrillResult(False, "it was rolled back, and must not have been", incident["id"])
    if drill.ends is DrillEnding.UNTOUCHED:
        good = f"nothing was touched within {in_words(drill.within)}"
        return DrillResult(True, good, incident["id"]) if is_over else None
    if "asked" in moments(incident):
        return DrillResult(True, "a person is asked, and nothing was touched", incident["id"])
    return DrillResult(False, f"nobody was asked within {in_words(drill.within)}", incident["id"]) if is_over else None


def _branches(incident: View) -> Iterator[str]:
    for run in incident["runs"]:
        if run["decision"] is not None and run["decision"]["branch"] is not None:
            yield run["decision"]["branch"]
