"""Random signals through the real rules: what fires is what an independent model of the tree says."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from tests.alert_rules.tree_cases import CHANGE, END, Case, draw
from tests.alert_rules.tree_model import Alert, branches, decided, is_beyond, outcome
from tests.prometheus_versions import Version

CASES, BESIDE = 480, 40
"""How many deployments, and how many of them one Prometheus watches."""
STEP = "2m"  # of samples and evaluations; each minute would take twice as long and show nothing more
LABELS = ("branch", "action", "service", "signal")
QUERY = f"count by (deployment, {', '.join(LABELS)}) (ALERTS{{alertstate='firing'}})"
BEYOND = "deployment:beyond_threshold:bool"


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """The same deployments in each run, so that a failure can be looked at again."""
    random = Random(20)
    return [draw(random, f"d{number}") for number in range(CASES)]


def expected(case: Case) -> set[Alert]:
    """What the model says, eight minutes after a change: a watch is held for five of them, three branches wait long."""
    fires, earlier = outcome(case.now, case.before), decided(case.before, case.before)
    watched = {alert for alert in earlier if alert[1] == "watch"}
    for slow in names(fires - earlier) & {"wide_impact", "minor_impact_worsening"}:
        # It has fired for two minutes. What was watched until then stands beside it, unless another watch was held.
        until_then = decided(case.now, case.before, but=slow)
        fires |= {alert for alert in until_then if alert[1] == "watch" and alert in (watched or {alert})}
    if watched:
        # It has waited for the three minutes only that have passed since that watch ended.
        fires = {alert for alert in fires if alert[0] != "slow_responses"}
    return fires


def names(alerts: set[Alert]) -> set[str]:
    return {branch for branch, *_ in alerts}


def test_what_fires_is_what_the_model_says(version: Version, shipped: Path, tmp_path: Path, cases: list[Case]) -> None:
    """On each deployment the first branch that holds fires and no other, and it is told whether a signal is beyond."""
    groups = [cases[first : first + BESIDE] for first in range(0, CASES, BESIDE)]
    file = tmp_path / "random.test.yml"
    rule_files = [str(shipped / "decision-tree.rules.yml")]
    tests = [promtool_test(group) for group in groups]
    file.write_text(yaml.safe_dump({"rule_files": rule_files, "evaluation_interval": STEP, "tests": tests}))

    tested = version.run("promtool", "test", "rules", file)

    assert tested.returncode == 0, differences(tested.stdout + tested.stderr, cases)


def test_the_cases_reach_every_branch(cases: list[Case]) -> None:
    """Each branch fires on some of the deployments, and on others is silent only because of one above it."""
    fires, silenced = Counter[str](), Counter[str]()
    for case in cases:
        holds = {name for rank in branches(case.now, case.before) for name, *_ in rank}
        fires.update(names(expected(case)))
        silenced.update(holds - names(expected(case)))
    assert len(fires) == 14
    assert min(fires.values()) >= 5, fires
    assert len(silenced) == 12
    assert min(silenced.values()) >= 1, silenced
    assert sum(not expected(case) for case in cases) >= 50
    assert min(Counter(is_beyond(case.now) for case in cases).values()) >= 10


def promtool_test(cases: list[Case]) -> dict[str, Any]:
    """One Prometheus that watches these deployments from minute 0 to END."""
    samples = [
        {"labels": labels(case.deployment, alert), "value": 1} for case in cases for alert in sorted(expected(case))
    ]
    return {
        "interval": STEP,
        "input_series": [series for case in cases for series in series_of(case)],
        "promql_expr_test": [
            {"expr": QUERY, "eval_time": f"{END}m", "exp_samples": samples},
            {"expr": BEYOND, "eval_time": f"{END}m", "exp_samples": list(beyond(cases))},
        ],
    }


def beyond(cases: list[Case]) -> Iterator[dict[str, Any]]:
    """What is recorded of each deployment of which it is known whether a signal is beyond its threshold."""
    for case in cases:
        told = is_beyond(case.now)
        if told is not None:
            yield {"labels": f'{BEYOND}{{deployment="{case.deployment}"}}', "value": int(told)}


def labels(deployment: str, alert: Alert) -> str:
    pairs = {"deployment": deployment} | dict(zip(LABELS, alert, strict=True))
    return "{" + ", ".join(f'{name}="{value}"' for name, value in pairs.items() if value) + "}"


def series_of(case: Case) -> list[dict[str, str]]:
    """Every signal as promtool reads it: one value until CHANGE, and another from then on, a sample each STEP."""
    series = []
    for name, service in sorted(case.before.signals.keys() | case.now.signals.keys()):
        was, now = case.before.signals.get((name, service)), case.now.signals.get((name, service))
        of_service = f', service="{service}"' if service else ""
        values = (
            f"_x{CHANGE // 2}" if was is None else repeated(was, CHANGE // 2),
            "stale" if now is None else repeated(now, (END - CHANGE) // 2 + 1),
        )
        series.append({"series": f'{name}{{deployment="{case.deployment}"{of_service}}}', "values": " ".join(values)})
    return series


def repeated(value: float, times: int) -> str:
    """So many samples; promtool knows a short form for numbers only."""
    return "NaN " * times if math.isnan(value) else f"{value!r}x{times - 1}"


def differences(output: str, cases: list[Case]) -> str:
    """What promtool complains of, for the deployments that it is about, with all that they are."""
    told = []
    for case in cases:
        # What was expected and what fired stand in one text; that which stands there once is the difference.
        alerts = Counter(re.findall(rf'\{{[^}}]*deployment="{case.deployment}"[^}}]*\}}', output))
        if odd := [alert for alert, count in alerts.items() if count == 1]:
            told += [*odd, f"  {case.before}", f"  {case.now}"]
    return "\n".join(told) or output
