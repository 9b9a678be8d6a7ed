"""A Prometheus and an Alertmanager as `doctor` sees them: all is well until a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from receiver.doctor.monitoring import Monitoring
from receiver.rules.files import SHIPPED, read_rule_files
from receiver.rules.groups import Group

ROUTES = Path(__file__).parents[3] / "alert-rules" / "alertmanager.yml"


class ToldRules:
    """Has the shipped rules, the right time, and an Alertmanager."""

    url = "http://127.0.0.1:1"

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.error: Exception | None = None
        self.behind = 0.0
        self.without: frozenset[str] = frozenset()
        """Groups that it has not loaded."""
        self.sends_to: tuple[str, ...] = ("http://127.0.0.1:9093/api/v2/alerts",)

    def groups(self) -> tuple[Group, ...]:
        """The groups of the files that everybody loads, just evaluated."""
        loaded = (group for file in read_rule_files(SHIPPED) if not file.is_optional for group in file.groups)
        here = [group for group in loaded if group.name not in self.without]
        return tuple(replace(one, interval=one.interval or 10.0, last_evaluation=self.now()) for one in here)

    def now(self) -> float:
        """Its time, as told."""
        if self.error is not None:
            raise self.error
        return self.clock() - self.behind

    def loaded_at(self) -> float:
        """A day ago."""
        return self.now() - 86400

    def formatted(self, promql: str) -> str:
        """As it was given."""
        return promql

    def alertmanagers(self) -> tuple[str, ...]:
        """As told."""
        return self.sends_to


class ToldRouting:
    """Has loaded the shipped routes."""

    def __init__(self) -> None:
        self.text = ROUTES.read_text()

    def configuration(self) -> str:
        """As told."""
        return self.text


def watching(clock: Callable[[], float]) -> tuple[Monitoring, ToldRules, ToldRouting]:
    """Both, where all is well."""
    rules, routing = ToldRules(clock), ToldRouting()
    return Monitoring(rules, routing), rules, routing
