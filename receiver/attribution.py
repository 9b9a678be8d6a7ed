"""Says how well the live release explains a fault: when it began, where it is, and what else is ill."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.durations import clock_time, in_words
from receiver.model import Attribution, Clue

BEFORE = 900.0
"""Seconds before a release went live in which nothing must have been wrong, for the fault to be its own."""
RECENT = 3600.0
"""Seconds for which a release counts as recent (the guide's `was_deployed_in_last_hour`)."""


@dataclass(frozen=True, slots=True)
class Around:
    """What was read about the release and its surroundings; times are Unix seconds, and None says "not known"."""

    now: float
    live_since: float | None
    began_at: float | None
    """When the condition of what fires became true."""
    was_ill_before: bool | None
    """Whether a signal was beyond its threshold within BEFORE before the release went live."""
    changed: tuple[str, ...] | None
    """The services that the pipeline said the release changes."""
    affected: tuple[str, ...]
    """The services that fail."""
    others: dict[str, float | None]
    """The other deployments that ask for a rollback, with when their releases went live."""
    ill: tuple[str, ...] | None
    """The alerts about upstreams and hosts that fire; None where none are named."""
    unknown: str | None = None
    """Why Prometheus could not tell."""


def attribute(around: Around) -> Attribution:
    """The four clues; the same facts give the same ones."""
    return Attribution((_began_after(around), _in_changed(around), _others(around), _surroundings(around)))


def _began_after(around: Around) -> Clue:
    name, live, began = "began_after", around.live_since, around.began_at
    if live is None or began is None:
        missing = "since when the release is live" if live is None else around.unknown or "when the fault began"
        return Clue(name, None, f"not known: {missing}")
    if around.was_ill_before:
        reason = f"a signal was beyond its threshold within {in_words(BEFORE)} before the release went live"
        return Clue(name, False, reason)
    moments = f"at {clock_time(began)}, the release went live at {clock_time(live)}"
    if began < live:
        return Clue(name, False, f"the fault began before it: {moments}")
    if around.was_ill_before is None:
        return Clue(name, None, f"the fault began after it, {moments}, but what was before is not known")
    return Clue(
        name, True, f"the fault began {in_words(began - live)} after it went live, and nothing was wrong before"
    )


def _in_changed(around: Around) -> Clue:
    name, affected = "in_changed_services", ", ".join(around.affected)
    if around.changed is None:
        return Clue(name, None, "no pipeline said which services the release changes")
    changed = ", ".join(around.changed) or "none"
    if not around.affected:
        return Clue(name, None, f"no single service fails; the release changes {changed}")
    if set(around.affected) & set(around.changed):
        return Clue(name, True, f"{affected} fails, and the release changes {changed}")
    return Clue(name, False, f"{affected} fails, but the release changes {changed} only")


def _others(around: Around) -> Clue:
    name = "not_elsewhere"
    if around.unknown is not None:
        return Clue(name, None, f"not known: {around.unknown}")
    unchanged = sorted(one for one, live in around.others.items() if live is not None and around.now - live > RECENT)
    if unchanged:
        return Clue(name, False, f"{', '.join(unchanged)} fails too, and was not changed within {in_words(RECENT)}")
    strange = sorted(one for one, live in around.others.items() if live is None)
    if strange:
        return Clue(name, None, f"{', '.join(strange)} fails too; whether it was changed is not known")
    if around.others:
        return Clue(name, True, f"{', '.join(sorted(around.others))} fails too, and was changed as well")
    return Clue(name, True, "no other deployment fails")


def _surroundings(around: Around) -> Clue:
    name = "surroundings_healthy"
    if around.ill is None:
        return Clue(name, None, "no alert about upstreams or hosts is named in the configuration")
    if around.unknown is not None:
        return Clue(name, None, f"not known: {around.unknown}")
    if around.ill:
        return Clue(name, False, f"{', '.join(around.ill)} fires")
    return Clue(name, True, "none of the alerts about upstreams and hosts fires")
