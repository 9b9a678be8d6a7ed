"""Drills: faults that are brought about on purpose, in deployments that are there for it."""

from __future__ import annotations

from configfile import Command, Section
from receiver.config_values import Name, Period
from receiver.model import DrillEnding

REHEARSAL = "rehearsal"
"""The drill that every deployment has, and that breaks nothing."""


class Drill(Section):
    """One fault of a deployment that says of itself that it is a sandbox, and how it has to end."""

    deployment: Name
    fault: Command
    """Brings the fault about, and ends."""
    mend: Command | None = None
    """Takes it away again, however the drill went."""
    branch: Name | None = None
    """The branch that has to decide; without it any may."""
    ends: DrillEnding = DrillEnding.RESTORED
    within: Period = 600.0
    """From the fault on; it is also the time for which nothing may be touched, where that is how it has to end."""
