"""Template units whose instances are named by their release."""

from __future__ import annotations

from receiver.config.targets import TemplateUnit
from receiver.inspection.found import FittingTarget, Place, Setting, fits
from receiver.inspection.units import units_of


def systemd(place: Place) -> FittingTarget | None:
    """Where template units run from `releases/`, without a link that says which of them is live."""
    units = tuple(unit for unit in units_of(place) if fits(unit, TemplateUnit))
    if not units or not (place.directory / "releases").is_dir():
        return None
    because = f"releases/ is there without a link current, and {', '.join(units)} run from it"
    return FittingTarget("systemd", because, (Setting("path", str(place.directory)), Setting("units", units)))
