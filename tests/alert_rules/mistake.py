"""What a mistake in a rule file is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """What somebody might change in a rule file, and the unit tests that have to notice."""

    what: str
    text: str
    becomes: str
    noticed_by: str
    file: str = "decision-tree.rules.yml"
    alert: str = ""
    """The one alert in which it is made; everywhere in the file without."""


def of(alert: str, noticed_by: str, *changes: tuple[str, str, str]) -> tuple[Mistake, ...]:
    """Mistakes in one alert of the tree."""
    return tuple(Mistake(*change, noticed_by, alert=alert) for change in changes)


def about(file: str, noticed_by: str, *changes: tuple[str, str, str]) -> tuple[Mistake, ...]:
    """Mistakes in another file of rules."""
    return tuple(Mistake(*change, noticed_by, file) for change in changes)
