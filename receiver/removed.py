"""What is said of an incident that was removed from the journal: when, and where what is left of it lies."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from receiver.durations import clock_time
from receiver.errors import Gone
from receiver.journal import past


def gone(tx: sa.Connection, incident: str) -> Gone | None:
    """What to answer who asks for an incident that was removed; None where there was none of that id."""
    found = past.removed(tx, incident)
    if found is None:
        return None
    one = found.past
    return Gone(
        f"incident {one.id} of {one.deployment}, from {clock_time(one.opened_at)} to {clock_time(one.closed_at)}, was "
        f"removed from the journal at {clock_time(found.removed_at)}, as `retention.incidents` says; "
        f"{_reports(found.runs)}; the audit trail names what was decided by run: "
        f"{', '.join(run for run, _ in found.runs) or 'none'}"
    )


def _reports(runs: tuple[tuple[str, str | None], ...]) -> str:
    here = [report for _, report in runs if report and Path(report).is_file()]
    return f"its report: {', '.join(here)}" if here else "no report of it lies here"
