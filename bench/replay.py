"""How long `backtest` takes for a week of three services at 15 s, which has some incidents and a nearly quiet rest."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.measure import cpu_seconds
from demo.monitoring import start_prometheus
from demo.processes import free_port
from receiver.backtest.activity import Span
from receiver.backtest.rule_set import read_rule_set
from receiver.backtest.run import Replayer
from receiver.config import DecisionBounds
from receiver.prometheus_api import PrometheusApi
from receiver.rules.files import SHIPPED, TREE

DAYS, STEP, INCIDENTS, LENGTH = 7, 15, 10, 80
SERVICES = ("api", "web", "ui")
STEPS = DAYS * 86_400 // STEP
PART = 6 * 3600 // STEP
BEGAN = 1_790_000_000 // 86_400 * 86_400


def run() -> None:
    """Print what the replay of the week takes."""
    with tempfile.TemporaryDirectory() as directory:
        here = Path(directory)
        _write(here, here / "prometheus-data")
        flags = ("--storage.tsdb.retention.time=100y",)
        with start_prometheus(here, {"scrape_configs": []}, free_port(), flags=flags) as server:
            replayer = Replayer(PrometheusApi(server.url, 120.0), "promtool", DecisionBounds(), lambda _: True)
            own, began = _processor(server.process.pid), time.monotonic()
            replayed = replayer.run(read_rule_set(SHIPPED / TREE), Span(BEGAN, BEGAN + (STEPS - 1) * STEP, STEP))
            took, used = time.monotonic() - began, _processor(server.process.pid) - own
    rollbacks = sum(one.course == "rolled_back" for one in replayed.decisions)
    print(
        f"{DAYS} days of {len(SERVICES)} services at {STEP} s: {replayed.span.count:,} evaluations, of which promtool "
        f"{replayed.steps:,}; {len(replayed.decisions)} decisions, {rollbacks} of them rollbacks\n"
        f"{took:.0f} s by the clock, {used:.0f} s of processor time (promtool, Prometheus and backtest)"
    )
    if rollbacks < INCIDENTS:
        raise RuntimeError(
            f"{rollbacks} rollbacks, and {INCIDENTS} incidents are in it; the figures would mean nothing"
        )


def _processor(pid: int) -> float:
    times = os.times()
    return cpu_seconds(pid) + float(times.user + times.system + times.children_user + times.children_system)


def _write(directory: Path, data: Path) -> None:
    """The recorded signals of the week: noise, ten incidents, and a few users who are affected now and then."""
    random = np.random.default_rng(1)
    bad = np.zeros(STEPS, dtype=bool)
    for begin in random.choice(STEPS // LENGTH - 2, size=INCIDENTS, replace=False) * LENGTH + LENGTH:
        bad[begin : begin + LENGTH] = True
    ones, moments = np.ones(STEPS), BEGAN + np.arange(STEPS) * STEP
    affected = np.where(random.random(STEPS // 40).repeat(40)[:STEPS] < 0.05, 0.004, 0.0002)
    series: dict[str, list[tuple[str, np.ndarray]]] = {
        f"deployment:{kind}:ratio": [("", ones)]
        for kind in ("availability", "authentication", "payment", "database", "ui")
    }
    series["deployment:users:count5m"] = [("", np.full(STEPS, 900.0))]
    series["deployment:users_affected:ratio"] = [("", np.resize(affected, STEPS))]
    series["deployment:release_age:seconds"] = [("", 1000.0 + np.arange(STEPS) * STEP)]
    series["deployment:migration_failed:bool"] = [("", 0 * ones)]
    series["rollback_hotfix_failed"] = series["rollback_hotfix_deadline_timestamp_seconds"] = [("", 0 * ones)]
    series["release_info"] = [(',release="1"', ones)]
    for service in SERVICES:
        own = f',service="{service}"'
        errors = np.where(bad & (service == "api"), 0.3, random.uniform(0, 0.01, STEPS))
        for window in ("1m", "5m"):
            series.setdefault(f"service:http_requests:rate{window}", []).append((own, random.uniform(18, 22, STEPS)))
            series.setdefault(f"service:http_request_errors:ratio_rate{window}", []).append((own, errors))
        series.setdefault("service:availability:ratio", []).append((own, ones))
        for mean in ("mean5m", "mean1d"):
            times = random.uniform(0.05, 0.06, STEPS)
            series.setdefault(f"service:http_request_duration_seconds:{mean}", []).append((own, times))
    # A part at a time, since promtool reads the whole file again for each block of two hours.
    for first in range(0, STEPS, PART):
        part, path = slice(first, first + PART), directory / "part.openmetrics"
        with path.open("w") as file:
            for name, found in series.items():
                file.write(f"# TYPE {name} unknown\n")
                for labels, values in found:
                    file.writelines(
                        f'{name}{{deployment="qrl"{labels}}} {value:.6g} {at}\n'
                        for at, value in zip(moments[part].tolist(), values[part].tolist(), strict=True)
                    )
            file.write("# EOF\n")
        subprocess.run(
            ("promtool", "tsdb", "create-blocks-from", "openmetrics", path, data), check=True, capture_output=True
        )
