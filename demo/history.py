"""Gives Prometheus a past: signals as they would have been recorded, in blocks that promtool makes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from demo.places import REPOSITORY
from demo.processes import NotReadyError
from demo.settings import DEPLOYMENT

_TREE = REPOSITORY / "alert-rules" / "decision-tree.rules.yml"
LEFT = 20.0
"""Seconds that an alert which has been pending still has to wait, live."""
GRACE = "15s"
"""Prometheus' --rules.alert.for-grace-period: less than LEFT, which would be prolonged to it otherwise."""
_UNITS = {"s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True)
class Series:
    """One recorded signal: from so many seconds ago on, this value; a sample `every` so many seconds."""

    name: str
    steps: tuple[tuple[float, float], ...]
    service: str = ""
    every: float = 15.0


@dataclass(frozen=True, slots=True)
class History:
    """The past of some signals, and of the one alert (`service` as in its labels) that has been pending in it.

    `ready` is a query: the live signals are such that they go on where the past ends.
    """

    ready: str
    series: tuple[Series, ...]
    alert: str = ""
    service: str = ""

    @property
    def signals(self) -> str:
        """The names of the signals whose past is made up."""
        return ", ".join(dict.fromkeys(series.name for series in self.series))

    def told(self) -> str:
        """What is made up, in few words."""
        longest = max(ago for series in self.series for ago, _ in series.steps)
        period = f"{longest / 3600:g} h" if longest >= 7200 else f"{longest / 60:g} min"
        if not self.alert:
            return period
        hold = _hold(self.alert)
        return f"{period}, pending for {hold - LEFT:g} of {hold:g} s"

    def openmetrics(self, now: float) -> str:
        """The past up to `now` (Unix seconds) as OpenMetrics text."""
        lines: list[str] = []
        for series in self.series:
            labels = _labels(deployment=DEPLOYMENT, service=series.service)
            lines.append(f"# TYPE {series.name} gauge")
            lines.extend(f"{series.name}{labels} {value:g} {at:.3f}" for at, value in _samples(series, now))
        if self.alert:
            lines.append("# TYPE ALERTS_FOR_STATE gauge")
            lines.extend(self._pending(now))
        return "\n".join([*lines, "# EOF", ""])

    def _pending(self, now: float) -> Iterator[str]:
        """What Prometheus writes of an alert with `for`: the time since when its expression holds, again and again."""
        rule = _rule(self.alert)
        since = now - (_hold(self.alert) - LEFT)
        labels = _labels(alertname=self.alert, deployment=DEPLOYMENT, service=self.service, **rule["labels"])
        state = Series("ALERTS_FOR_STATE", ((now - since, since),))
        for at, value in _samples(state, now):
            yield f"{state.name}{labels} {value:.0f} {at:.3f}"


def write_blocks(history: History, now: float, data: Path) -> None:
    """Write the past up to `now` into the data directory of a Prometheus that does not run; or raises NotReadyError."""
    data.mkdir(parents=True)
    text = data.with_name("history.openmetrics")
    text.write_text(history.openmetrics(now))
    done = subprocess.run(
        ("promtool", "tsdb", "create-blocks-from", "openmetrics", text, data),
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise NotReadyError(f"promtool makes no blocks of {text}: {done.stderr.strip()}")


def _samples(series: Series, now: float) -> Iterator[tuple[float, float]]:
    """Times and values, oldest first; the last one is of `now`."""
    longest = max(ago for ago, _ in series.steps)
    for number in range(int(longest // series.every), -1, -1):
        ago = number * series.every
        _, value = min((step for step in series.steps if step[0] >= ago), key=lambda step: step[0])
        yield now - ago, value


def _labels(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items() if value) + "}"


def _rule(alert: str) -> Mapping[str, Any]:
    """The shipped rule: a restored alert has to have its very labels."""
    groups = yaml.safe_load(_TREE.read_text())["groups"]
    found: Mapping[str, Any] = next(rule for group in groups for rule in group["rules"] if rule.get("alert") == alert)
    return found


def _hold(alert: str) -> float:
    """Its `for`, in seconds."""
    text = str(_rule(alert)["for"])
    return float(text[:-1]) * _UNITS[text[-1]]
