"""A checkout of git that is deployed where it lies."""

from __future__ import annotations

from receiver.inspection.found import FittingTarget, Place, Setting

_FILL_IN = (
    "put scripts there with `rollback-agent scripts DIRECTORY`, and make them do with this checkout what they do with "
    "releases/; or deploy into releases/<id> with a link current, which needs no scripts (docs/targets/releases.md)"
)


def git(place: Place) -> FittingTarget | None:
    """Where `.git` is in the directory; such a checkout has no earlier release beside the live one."""
    if not (place.directory / ".git").exists():
        return None
    because = "it is a checkout of git, in which only one release can be at a time"
    return FittingTarget(
        "script", because, (Setting("directory", str(place.directory / "rollback" / "scripts"), to_do=_FILL_IN),)
    )
