"""The configuration in force and what is built from it; a reload swaps both as a whole, or leaves both as they are."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from configfile import ConfigError
from receiver.config import Config
from receiver.log import get_log

Built = TypeVar("Built")

_FIXED = ("root", "listen", "journal", "log", "audit")
"""Keys that hold while the agent runs: its lock, journal, logs are set up with them, and its socket is bound."""


class NeedsRestart(ConfigError):
    """The new configuration is good, but changes what only a new process can take up."""


class Current(Generic[Built]):
    """Call it for what is built from the configuration in force; who does several things with it calls it once."""

    def __init__(self, config: Config, build: Callable[[Config], Built], clock: Callable[[], float]) -> None:
        self._config = config
        self._build = build
        self._clock = clock
        self._built = build(config)
        self._one_at_a_time = threading.Lock()
        self.was_reloaded_well = True
        self.reloaded_at = clock()
        """When a configuration last came into force (Unix seconds)."""

    def __call__(self) -> Built:
        """What is built from the configuration in force."""
        return self._built

    def reload(self, load: Callable[[], Config]) -> str | None:
        """Bring what `load` gives into force; why not, in a sentence that quotes nothing of the file, or None."""
        with self._one_at_a_time:
            try:
                config = load()
                self._refuse_what_needs_a_restart(config)
                built = self._build(config)
            except Exception as error:  # whatever it is, what is in force is good and stays
                self.was_reloaded_well = False
                return _tell(error)
            self._config, self._built = config, built
            self.was_reloaded_well, self.reloaded_at = True, self._clock()
        get_log().info("the configuration was reloaded", deployments=sorted(config.deployments))
        return None

    def _refuse_what_needs_a_restart(self, new: Config) -> None:
        changed = [key for key in _FIXED if getattr(new, key) != getattr(self._config, key)]
        if changed:
            raise NeedsRestart(f"{' and '.join(changed)} cannot change while the agent runs; restart it")


def _tell(error: Exception) -> str:
    """Log each fault, and give the sentence for who asked."""
    if isinstance(error, ConfigError):
        for fault in str(error).splitlines():
            get_log().error("the new configuration cannot be used", fault=fault)
    else:
        get_log().exception("reloading failed unexpectedly")
    why = str(error) if isinstance(error, NeedsRestart) else "the agent's log says what is wrong with the new one"
    return f"the old configuration stays in force: {why}"
