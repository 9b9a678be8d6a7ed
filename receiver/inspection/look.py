"""Asks every kind of target whether a directory looks like it, the surest first."""

from __future__ import annotations

import re
from collections.abc import Callable

from receiver.inspection.compose import compose
from receiver.inspection.found import FittingTarget, Place
from receiver.inspection.git import git
from receiver.inspection.helm import helm
from receiver.inspection.kubernetes import kubernetes
from receiver.inspection.releases import releases, settings_of
from receiver.inspection.script import script
from receiver.inspection.systemd import systemd

LOOKS: tuple[Callable[[Place], FittingTarget | None], ...] = (releases, script, systemd, compose, helm, kubernetes, git)
"""In this order: what says which release is live comes before what could run anything."""
_NOTHING = (
    "nothing of what rollback-agent knows how to roll back was found; it is to become releases/<id> with a link current"
)


def look(place: Place) -> tuple[FittingTarget, ...]:
    """All that fit, the surest first; never none. Raises OSError where the directory cannot be read."""
    next(place.directory.iterdir(), None)
    found = tuple(one for looks in LOOKS if (one := looks(place)))
    return found or (FittingTarget("releases", _NOTHING, settings_of(place)),)


def name_of(found: FittingTarget, place: Place) -> str:
    """What the deployment is called: as it is there, otherwise like the directory, as far as a name may be so."""
    wanted = found.name or place.directory.name
    return re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).strip("._-")[:63] or "app"
