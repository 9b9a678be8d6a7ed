"""The `systemd` target: instances of template units, named by their release, of which one is enabled."""

from __future__ import annotations

from pathlib import Path

from receiver.config.targets import SystemdTarget
from receiver.errors import TargetError
from receiver.model import Level, Release
from receiver.targets.layout import complete_releases, read_release
from receiver.targets.outside import ask, is_release_id, only_if_live, require_ids


class Units:
    """Template units that are released together: `qrl@.service`, of which `qrl@<release>.service` is enabled."""

    def __init__(self, config: SystemdTarget) -> None:
        self._config = config
        self._systemctl = str(config.systemctl)

    def live(self) -> Release:
        """The release of which an instance of every unit is enabled, since the last was; raises TargetError."""
        enabled = {unit: self._enabled(unit) for unit in self._config.units}
        releases = {release for release, _ in enabled.values()}
        if len(releases) != 1:
            told = ", ".join(f"{unit}: {release}" for unit, (release, _) in enabled.items())
            raise TargetError(f"no one release is enabled ({told})")
        return read_release(self._config.path, releases.pop(), max(since for _, since in enabled.values()))

    def known(self) -> tuple[Release, ...]:
        """The releases that are complete below `path`; raises TargetError."""
        return complete_releases(self._config.path)

    def command(self, level: Level, live: Release, target: Release) -> tuple[str, ...]:
        """Disable and stop the live instances, then enable and start the target's; raises TargetError."""
        if level is Level.FULL:
            raise TargetError("a full rollback of the systemd target is not configured; a person must do it by hand")
        require_ids(live, target)
        old, new = self._instances(live), self._instances(target)
        question = (self._systemctl, "is-enabled", *old)
        actions = ((self._systemctl, "disable", "--now", *old), (self._systemctl, "enable", "--now", *new))
        return only_if_live(" ".join("enabled" for _ in old), question, actions)

    def programs(self, _level: Level) -> tuple[str, ...]:
        """The systemctl."""
        return (self._systemctl,)

    def time_limit(self, _level: Level) -> float:
        """Seconds that stopping and starting may take."""
        return self._config.timeout

    def faults(self) -> tuple[str, ...]:
        """Whether systemd has all template units."""
        try:
            ask((self._systemctl, "cat", *self._config.units), self._config.read_timeout)
        except TargetError as error:
            return (str(error),)
        return ()

    def _instances(self, release: Release) -> tuple[str, ...]:
        return tuple(unit.replace("@.", f"@{release.id}.") for unit in self._config.units)

    def _enabled(self, unit: str) -> tuple[str, float]:
        """The one release of which an instance is enabled, and since when (Unix seconds)."""
        before, _, after = unit.partition("@")
        try:
            links = [
                link
                for kind in ("wants", "requires")
                for link in self._config.enabled_in.glob(f"*.{kind}/{before}@*{after}")
                if is_release_id(_instance(link, before, after))
            ]
            found = {_instance(link, before, after): link.lstat().st_ctime for link in links}
        except OSError as error:
            raise TargetError(f"{self._config.enabled_in}: cannot be read: {error.strerror}") from error
        if len(found) != 1:
            told = ", ".join(sorted(found)) or "none"
            raise TargetError(
                f"one instance of {unit} has to be enabled in {self._config.enabled_in}, here are: {told}"
            )
        return found.popitem()


def _instance(link: Path, before: str, after: str) -> str:
    return link.name.removeprefix(f"{before}@").removesuffix(after)
