"""The operations guide's three scripts, and the one that tells the releases."""

from __future__ import annotations

from receiver.inspection.found import FittingTarget, Place, Setting

_ROLLBACK = "emergency-rollback.sh"
_SCRIPTS = ("list-releases.sh", "backup-current-state.sh", _ROLLBACK, "verify-rollback.sh")


def script(place: Place) -> FittingTarget | None:
    """Where the script that rolls back lies in the directory, or where the guide keeps it below."""
    for below in ("", "scripts", "rollback/scripts"):
        directory = place.directory / below
        if (directory / _ROLLBACK).is_file():
            missing = [name for name in _SCRIPTS if not (directory / name).is_file()]
            to_do = f"{', '.join(missing)} must lie there too; see docs/targets/script.md" if missing else ""
            because = f"{place.here(directory / _ROLLBACK)} is there"
            return FittingTarget("script", because, (Setting("directory", str(directory), to_do=to_do),))
    return None
