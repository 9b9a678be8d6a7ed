"""Has promtool evaluate the rules of a window over its history, and reads what fired at each step."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from configfile import parse_duration
from receiver.backtest.activity import Span, Window
from receiver.backtest.promtool import FAILED, run_tests
from receiver.backtest.samples import History, series_of, taken
from receiver.errors import BacktestError
from receiver.program import ENVIRONMENT

FIRING = 'ALERTS{alertstate="firing",branch!=""}'
_FASTER = {"GOGC": "800", "GOMAXPROCS": "1"}
"""Several run side by side, each with little memory: a fifth less processor time."""
_MOMENT = re.compile(r'^\s*expr: ".*", time: (?P<time>\w+), *$')
_KNOWN = re.compile(r"^\s*(Unit Testing:.*|FAILED:|SUCCESS|exp: ?nil)\s*$")
_SAMPLE = re.compile(r'\{(?P<labels>(?:[\w"]+="(?:[^"\\]|\\.)*"(?:, )?)*)\} \S+')
_LABEL = re.compile(r'"?(\w+)"?=("(?:[^"\\]|\\.)*")')
_WEEK = re.compile(r"^(?:(\d+)y)?(?:(\d+)w)?(.*)$")


@dataclass(frozen=True, slots=True)
class Fired:
    """The labels of everything that fired on a deployment at one moment (Unix seconds)."""

    at: float
    alerts: tuple[dict[str, str], ...]


def replay(history: History, window: Window, span: Span, promtool: str) -> list[Fired]:
    """What fired at each step of the window at which anything did; raises BacktestError or PrometheusError."""
    lead = window.lead(span.step)
    began = span.at(window.first - lead)
    series = taken(history, window.rules.inputs, window.deployment, began, span.at(window.last), span.step)
    steps = [step - window.first + lead for part in window.busy for step in part]
    with tempfile.TemporaryDirectory(prefix="rollback-backtest-") as directory:
        rules, test = Path(directory, "rules.json"), Path(directory, "test.json")
        rules.write_text(json.dumps(window.rules.as_file(began)))
        test.write_text(
            json.dumps(
                {
                    "rule_files": [str(rules)],
                    "evaluation_interval": f"{span.step}s",
                    "group_eval_order": list(dict.fromkeys(rule.group for rule in window.rules.rules)),
                    "tests": [
                        {
                            "interval": f"{span.step}s",
                            "input_series": [
                                {"series": series_of(labels), "values": values}
                                for labels, values in sorted(series.items())
                                if dict(labels).get("__name__") not in window.rules.recorded
                            ],
                            # That nothing fires is expected at each step; promtool tells where it is not so.
                            "promql_expr_test": [
                                {"expr": FIRING, "eval_time": f"{step * span.step}s"} for step in steps
                            ],
                        }
                    ],
                }
            )
        )
        return [Fired(began + seconds, alerts) for seconds, alerts in _told(promtool, test)]


def _told(promtool: str, test: Path) -> list[tuple[float, tuple[dict[str, str], ...]]]:
    """The seconds since the beginning at which something fired, and what."""
    output = test.with_name("output")
    with output.open("wb") as file:
        code = run_tests(promtool, [test], file, {**ENVIRONMENT, **_FASTER})
    with output.open(errors="replace") as lines:
        found = list(read_failures(lines))
    if code != (FAILED if found else 0):
        raise BacktestError(f"{promtool} ended with {code}, and told of {len(found)} moments at which something fired")
    return found


def read_failures(lines: Iterable[str]) -> Iterator[tuple[float, tuple[dict[str, str], ...]]]:
    """The moments (seconds) and the labels of the samples that promtool found where it expected none."""
    moment: float | None = None
    samples: list[dict[str, str]] = []
    for line in lines:
        if found := _MOMENT.match(line):
            if samples and moment is not None:
                yield moment, tuple(samples)
            moment, samples = _seconds(found["time"]), []
        elif moment is not None and (several := list(_SAMPLE.finditer(line))):
            # Each but the first stands on a line of its own.
            samples += ({name: json.loads(value) for name, value in _LABEL.findall(one["labels"])} for one in several)
        elif line.strip() and not _KNOWN.match(line):
            raise BacktestError(f"promtool could not replay the rules: {line.strip()}")
    if samples and moment is not None:
        yield moment, tuple(samples)


def _seconds(text: str) -> float:
    found = _WEEK.match(text)
    years, weeks, rest = found.groups() if found else (None, None, text)
    return int(years or 0) * 365 * 86400 + int(weeks or 0) * 7 * 86400 + (parse_duration(rest) if rest else 0.0)
