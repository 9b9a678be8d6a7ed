"""The `script` target: the operations guide's three scripts, and `list-releases.sh`, which tells the releases."""

from __future__ import annotations

from receiver.config.targets import ScriptTarget
from receiver.errors import TargetError
from receiver.model import Level, Release
from receiver.targets.outside import ask, commit_of, is_release_id, only_if_live, require_ids

LIST, BACK_UP, ROLL_BACK, VERIFY = (
    "list-releases.sh",
    "backup-current-state.sh",
    "emergency-rollback.sh",
    "verify-rollback.sh",
)


class Scripts:
    """One deployment that scripts roll back."""

    def __init__(self, config: ScriptTarget) -> None:
        self._config = config

    def live(self) -> Release:
        """The release that `list-releases.sh --live` prints; raises TargetError."""
        found = self._listed("--live")
        if len(found) != 1:
            raise TargetError(f"{self._script(LIST)} --live printed {len(found)} releases, not one")
        return found[0]

    def known(self) -> tuple[Release, ...]:
        """The releases that `list-releases.sh` prints; raises TargetError."""
        return self._listed()

    def command(self, level: Level, live: Release, target: Release) -> tuple[str, ...]:
        """Back up, roll back and verify, each by its script; raises TargetError."""
        require_ids(live, target)
        # In the command too, which a person may be shown to run by hand.
        told = ("/usr/bin/env", f"ROLLBACK_LIVE_RELEASE={live.id}", f"ROLLBACK_TARGET_RELEASE={target.id}")
        actions = (
            (self._script(BACK_UP),),
            (*told, self._script(ROLL_BACK), f"--{level}", "--auto-confirm"),
            (*told, self._script(VERIFY)),
        )
        return only_if_live(live.id, (self._script(LIST), "--live"), actions)

    def programs(self, _level: Level) -> tuple[str, ...]:
        """All four scripts."""
        return tuple(map(self._script, (LIST, BACK_UP, ROLL_BACK, VERIFY)))

    def time_limit(self, _level: Level) -> float:
        """Seconds that the three scripts may take together."""
        return self._config.timeout

    def faults(self) -> tuple[str, ...]:
        """Nothing beyond what all targets are asked."""
        return ()

    def _script(self, name: str) -> str:
        return str(self._config.directory / name)

    def _listed(self, *options: str) -> tuple[Release, ...]:
        lines = ask((self._script(LIST), *options), self._config.read_timeout).splitlines()
        return tuple(self._release(line) for line in lines if line.strip())

    def _release(self, line: str) -> Release:
        """A line is the id, then if known the commit and the Unix time since when it is live, `-` for not known."""
        release, commit, since, *rest = [*line.split(), "-", "-"][: max(3, len(line.split()))]
        try:
            live_since = None if since == "-" else float(since)
        except ValueError:
            live_since = -1.0
        if rest or not is_release_id(release) or (live_since is not None and not 0 < live_since < 1e11):
            raise TargetError(f"{self._script(LIST)} printed {line[:200]!r}, which is no release")
        return Release(release, commit_of(commit), live_since)
