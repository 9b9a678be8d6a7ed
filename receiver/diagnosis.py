"""Collects what a person would look at first: fresh health checks, signals, recent releases, failed requests."""

from __future__ import annotations

from receiver import autonomy
from receiver.error_lines import last_error_lines
from receiver.errors import HealthError, JournalError, PrometheusError
from receiver.health import check_health
from receiver.journal import releases
from receiver.log import get_log
from receiver.model import Autonomy, CheckedHealth, Diagnosis, ErrorLines, Signal
from receiver.world import World

RECENT = 5
"""Releases that are told."""


def diagnose(world: World) -> Diagnosis | None:
    """The diagnosis of this moment, or None at L1, where the agent reads, decides, records and reports only.

    What cannot be collected is a gap, and keeps neither the rest nor the run from going on; raises JournalError.
    """
    if autonomy.of_world(world) is Autonomy.L1:
        return None
    at = world.clock()
    try:
        return _collect(world, at)
    except JournalError:
        raise
    except Exception as error:  # a run must not fail for want of a diagnosis
        get_log().exception("the diagnosis failed unexpectedly")
        return Diagnosis(at, (), (), (), (), (f"the diagnosis failed unexpectedly: {error}",))


def _collect(world: World, at: float) -> Diagnosis:
    gaps: list[str] = []
    checks, signals, error_lines = _checks(world, gaps), _signals(world, gaps), _error_lines(world, gaps)
    with world.database.read() as tx:
        recent = releases.recent(tx, world.deployment, RECENT)
    return Diagnosis(at, checks, signals, recent, error_lines, tuple(gaps))


def _checks(world: World, gaps: list[str]) -> tuple[CheckedHealth, ...]:
    settings = world.settings.diagnosis
    if settings.health is None:
        gaps.append("no health checks: diagnosis.health is not configured")
        return ()
    try:
        return check_health(settings.health, settings.timeout, world.deployment)
    except HealthError as error:
        gaps.append(f"no health checks: {error}")
        return ()


def _signals(world: World, gaps: list[str]) -> tuple[Signal, ...]:
    try:
        return world.prometheus.telemetry(world.deployment).signals
    except PrometheusError as error:
        gaps.append(f"no signals: {error}")
        return ()


def _error_lines(world: World, gaps: list[str]) -> tuple[ErrorLines, ...]:
    settings = world.settings.diagnosis
    if not settings.access_logs:
        gaps.append("no failed requests: diagnosis.access_logs is not configured")
    found = []
    for log in settings.access_logs:
        try:
            found.append(ErrorLines(str(log), last_error_lines(log, settings.lines)))
        except OSError as error:
            gaps.append(f"no failed requests of {log}: {error.strerror}")
    return tuple(found)
