"""The layout of Capistrano: `releases/<id>`, and the link `current` to one of them."""

from __future__ import annotations

from receiver.inspection.found import UNFINISHED, FittingTarget, Place, Setting
from receiver.inspection.units import units_of
from receiver.plural import several

_FILL_IN = "the command that restarts the services; it ends once they were restarted"


def releases(place: Place) -> FittingTarget | None:
    """Where `current` is a link into `releases/`."""
    current, kept = place.directory / "current", place.directory / "releases"
    if not current.is_symlink() or not kept.is_dir():
        return None
    known = [one for one in kept.iterdir() if one.is_dir()]
    without = sorted(one.name for one in known if not (one / "REVISION").is_file())
    because = f"releases/ holds {several(len(known), 'release')}, and current is a link to {current.readlink()}"
    if without:
        because += f"; a release is known once its commit stands in REVISION, which is missing in {', '.join(without)}"
    return FittingTarget("releases", because, settings_of(place))


def settings_of(place: Place) -> tuple[Setting, ...]:
    """The path, and how what runs from it is restarted, as far as systemd's units tell."""
    units = tuple(unit for unit in units_of(place) if "@" not in unit)
    if units:
        restart: tuple[str, ...] = ("/usr/bin/systemctl", "restart", *units)
        how = Setting("restart", restart, f"Units that run from here: {', '.join(units)}.")
    else:
        how = Setting(
            "restart", (f"{UNFINISHED}/restart",), "No unit of systemd that runs from here was found.", _FILL_IN
        )
    return (Setting("path", str(place.directory)), how)
