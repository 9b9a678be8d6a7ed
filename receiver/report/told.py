"""What a report tells, put together once for all of its forms."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.audit_chain import Head
from receiver.journal.views import View
from receiver.model import History, Result, Run


@dataclass(frozen=True, slots=True)
class Told:
    """A run that has ended, with what the journal and Prometheus know of it; times are Unix seconds."""

    run: Run
    result: Result
    reason: str
    at: float
    """When it was written."""
    view: View
    """The run as the page shows it."""
    latched: bool
    """Whether the deployment is latched when the report is written."""
    escalations: tuple[View, ...]
    hotfixes: tuple[View, ...]
    history: tuple[History, ...]
    """How the signals went from some minutes before the run to its end."""
    history_unknown: str | None
    checkpoint: Head | None
    """The audit trail's last record when this was written."""
    checkpoint_unknown: str | None
    page: str | None
    """Where people see the incident."""
    prometheus: str
    """Where people reach Prometheus."""
    why: View | None
    """What was kept of the run's judgements, explained."""
    alike: tuple[View, ...]
    """Reviewed incidents that look like this one, the likest first."""
