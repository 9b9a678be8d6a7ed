"""History becomes promtool's notation with its gaps, its ends and its odd values, on every version of promtool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from receiver.backtest.replay import read_failures
from receiver.backtest.samples import notation, series_of, taken
from receiver.errors import BacktestError
from receiver.prometheus_api import Series
from tests.prometheus_versions import Version


class Remembered:
    """A history of one series: what can be read at each step, and what was measured in the step before it."""

    def __init__(self, readable: dict[int, float], measured: dict[int, float]) -> None:
        self.readable, self.measured = readable, measured

    def query_range(self, promql: str, since: float, until: float, step: int) -> tuple[Series, ...]:  # noqa: ARG002 - as Prometheus is asked
        """The one or the other, as the query asks."""
        found = self.measured if promql.startswith("last_over_time") else self.readable
        values = tuple((float(at), value) for at, value in sorted(found.items()) if since <= at <= until)
        return (Series({"__name__": "a", "deployment": "qrl"}, values),) if values else ()


def values(readable: dict[int, float], measured: dict[int, float], until: int) -> str:
    """The notation of a history from 0 to `until`, a second a step."""
    (found,) = taken(Remembered(readable, measured), ["a"], "qrl", 0, until, 1).values()
    return found


def test_gap_stays_a_gap_and_an_end_stays_an_end() -> None:
    """What is only remembered is not measured anew; what can no longer be read has its end mark, once."""
    readable = dict.fromkeys(range(6), 1.0)
    assert values(readable, dict.fromkeys((0, 1, 4, 5), 1.0), 8) == "1x1 _x2 1x1 stale _x2"


def test_what_was_measured_before_the_beginning_is_known_at_it() -> None:
    """The first step has what can be read at it, although it was measured earlier."""
    assert values({0: 7.0, 1: 7.0, 2: 8.0}, {2: 8.0}, 2) == "7 _x1 8"


def test_notation_is_short_and_exact() -> None:
    """Repeated values are written once; no exponent, which promtool's notation does not have for all."""
    assert notation(["1", "1", "1", "_", "_", "NaN", "NaN", "stale"]) == "1x2 _x2 NaN NaN stale"
    assert values({0: 1e-7, 1: 1e22, 2: float("inf")}, {0: 1e-7, 1: 1e22, 2: float("inf")}, 2) == (
        "0.0000001 10000000000000000000000 Inf"
    )


def test_every_promtool_reads_and_tells_the_same(version: Version, tmp_path: Path) -> None:
    """Odd values and labels go in, and what fires comes out with its moments, several alerts of a moment too."""
    odd = 'a "quoted" } \\ err: label'
    rules = {
        "groups": [
            {
                "name": "one",
                "rules": [
                    {"alert": name, "expr": "a > 1", "labels": {"branch": name, "text": odd}} for name in ("A", "B")
                ],
            }
        ]
    }
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    labels = (("__name__", "a"), ("deployment", odd))
    text = notation(["1", "2.5", "_", "_", "NaN", "-3", "Inf", "stale", "_", "0.0000001"])
    test = {
        "rule_files": ["rules.json"],
        "evaluation_interval": "90m",
        "tests": [
            {
                "interval": "90m",
                "input_series": [{"series": series_of(labels), "values": text}],
                "promql_expr_test": [{"expr": "ALERTS", "eval_time": f"{step * 90}m"} for step in range(200)],
            }
        ],
    }
    (tmp_path / "test.json").write_text(json.dumps(test))
    done = version.run("promtool", "test", "rules", tmp_path / "test.json")
    found = dict(read_failures((done.stdout + done.stderr).splitlines()))
    assert sorted(found) == [5400, 6 * 5400]
    for alerts in found.values():
        assert [(one["alertname"], one["deployment"], one["text"]) for one in alerts] == [
            ("A", odd, odd),
            ("B", odd, odd),
        ]


def test_rules_that_fail_are_no_silence(version: Version, tmp_path: Path) -> None:
    """A rule that cannot be evaluated on this history is an error, and not a quiet night."""
    rules = {"groups": [{"name": "one", "rules": [{"alert": "A", "expr": "a > on (x) a", "labels": {"branch": "a"}}]}]}
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    series = [{"series": f'a{{y="{one}"}}', "values": "1x3"} for one in "ab"]
    tests = [{"interval": "1m", "input_series": series, "promql_expr_test": [{"expr": "ALERTS", "eval_time": "1m"}]}]
    (tmp_path / "test.json").write_text(json.dumps({"rule_files": ["rules.json"], "tests": tests}))
    done = version.run("promtool", "test", "rules", tmp_path / "test.json")
    with pytest.raises(BacktestError, match="could not replay"):
        list(read_failures((done.stdout + done.stderr).splitlines()))
