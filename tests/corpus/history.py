"""Writes drawn incidents as a Prometheus would have scraped them, and has it record the shipped signals of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import yaml

from demo.monitoring import Server, start_prometheus
from demo.processes import free_port
from receiver.rules.files import SHIPPED
from tests.corpus.shapes import BEFORE, DURING, KINDS, SERVICES, SHAPES, STEPS, Behaviour, Shape

STEP = 15
BEGAN = 1_790_000_100 // (STEP * 480) * (STEP * 480)
"""Unix seconds of the first step of all incidents: the same each time, so that figures can be compared."""
LAST = BEGAN + (STEPS - 1) * STEP
WINDOW = 5 * 60 // STEP
DAY = 86_400


@dataclass(frozen=True)
class Drawn:
    """One incident on a deployment of its own."""

    deployment: str
    shape: Shape
    behaviour: Behaviour
    seed: int

    @property
    def since(self) -> float:
        """Unix seconds of its beginning."""
        return BEGAN + BEFORE * STEP

    @property
    def until(self) -> float:
        """Unix seconds of its end."""
        return BEGAN + (BEFORE + DURING) * STEP

    def reviewed(self) -> dict[str, object]:
        """What a person has found, as `backtest --reviewed` reads it."""
        # What is no incident is reviewed as a whole: a rollback at any time in it is wrong.
        since, until = (self.since, self.until) if self.shape.rollback else (BEGAN, LAST)
        return {
            "deployment": self.deployment,
            "since": iso(since),
            "until": iso(until),
            "rollback": self.shape.rollback,
            "cause": self.shape.name,
        }


@dataclass(frozen=True)
class Alerted:
    """An alert with these labels that fired between two moments (Unix seconds)."""

    labels: Mapping[str, str]
    since: float
    until: float


def draw(each: int, seed: int = 1) -> list[Drawn]:
    """As many incidents of each shape; the same for the same seed."""
    found: list[Drawn] = []
    for shape in SHAPES:
        for number in range(each):
            own = int(np.random.SeedSequence([seed, len(found)]).generate_state(1)[0])
            behaviour = Behaviour()
            shape.draw(np.random.default_rng(own), behaviour)
            found.append(Drawn(f"{shape.name.replace('_', '-')}-{number:02}", shape, behaviour, own))
    return found


def iso(at: float) -> str:
    """A moment as a person would write it, in UTC."""
    return str(np.datetime64(int(at), "s")) + "Z"


def write_reviewed(drawn: list[Drawn], path: Path) -> Path:
    """The file of reviewed incidents."""
    path.write_text(json.dumps({"incidents": [one.reviewed() for one in drawn]}, indent=1))
    return path


@contextmanager
def remembered(drawn: list[Drawn], directory: Path, recorded: Sequence[Alerted] = ()) -> Iterator[Server]:
    """A real Prometheus that remembers these incidents and the signals that the shipped rules record of them.

    Of alerts it remembers those that are `recorded`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    data, text = directory / "prometheus-data", directory / "history.openmetrics"
    with text.open("w") as file:
        write_openmetrics(drawn, file, recorded)
    _promtool("create-blocks-from", "openmetrics", str(text), str(data))
    text.unlink()
    with start_prometheus(directory, {"scrape_configs": []}, free_port(), flags=_FLAGS) as server:
        _promtool(
            "create-blocks-from", "rules", f"--start={BEGAN}", f"--end={LAST}",
            f"--url={server.url}", f"--eval-interval={STEP}s", f"--output-dir={data}", str(_signals(directory)),
        )  # fmt: skip
    with start_prometheus(directory, {"scrape_configs": []}, free_port(), flags=_FLAGS) as server:
        yield server


_FLAGS = ("--storage.tsdb.retention.time=100y", "--query.max-samples=500000000")


def _signals(directory: Path) -> Path:
    """The shipped signals but those of a day, which this history is too short for."""
    groups = yaml.safe_load((SHIPPED / "signals.rules.yml").read_text())["groups"]
    path = directory / "signals.json"
    path.write_text(json.dumps({"groups": [one for one in groups if not one["name"].endswith("-daily")]}))
    return path


def _promtool(*arguments: str) -> None:
    done = subprocess.run(("promtool", "tsdb", *arguments), capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def write_openmetrics(drawn: list[Drawn], file: TextIO, recorded: Sequence[Alerted] = ()) -> None:
    """All samples of all incidents, metric by metric, as OpenMetrics wants them."""
    metrics: dict[str, list[tuple[str, np.ndarray, np.ndarray]]] = {}
    for one in drawn:
        for name, labels, values in _series(one):
            pairs = ",".join(f'{key}="{value}"' for key, value in {"deployment": one.deployment, **labels}.items())
            metrics.setdefault(name, []).append((pairs, values, one.behaviour.seen))
    moments = [BEGAN + step * STEP for step in range(STEPS)]
    for name, series in metrics.items():
        file.write(f"# TYPE {name} unknown\n")
        for pairs, values, seen in series:
            file.writelines(
                f"{name}{{{pairs}}} {value:.10g} {at}\n"
                for at, value, is_seen in zip(moments, values.tolist(), seen.tolist(), strict=True)
                if is_seen
            )
    if recorded:
        file.write("# TYPE ALERTS unknown\n")
    for alert in recorded:
        pairs = ",".join(f'{key}="{value}"' for key, value in {"alertstate": "firing", **alert.labels}.items())
        file.writelines(f"ALERTS{{{pairs}}} 1 {at}\n" for at in moments if alert.since <= at <= alert.until)
    file.write("# EOF\n")


def _series(one: Drawn) -> Iterator[tuple[str, dict[str, str], np.ndarray]]:
    """Each series of an incident as its exporter and the agent would expose it: name, labels, values."""
    random, made = np.random.default_rng(one.seed + 1), one.behaviour
    failed_in_all, sent_in_all = np.zeros(STEPS), np.zeros(STEPS)
    for service in SERVICES:
        labels = {"service": service}
        yield "healthcheck_success", {**labels, "check": "up", "kind": "availability"}, made.up[service]
        sent = random.poisson(made.rate * STEP)
        failed = random.binomial(sent, np.clip(made.errors[service], 0, 1))
        failed_in_all, sent_in_all = failed_in_all + failed, sent_in_all + sent
        for code, count in (("200", sent - failed), ("500", failed)):
            yield "access_log_requests_total", {**labels, "method": "GET", "code": code}, np.cumsum(count)
        yield "access_log_request_duration_seconds_sum", labels, np.cumsum(sent * 0.05)
        yield "access_log_request_duration_seconds_count", labels, np.cumsum(sent)
    for kind in KINDS:
        yield "healthcheck_success", {"service": "api", "check": kind, "kind": kind}, made.checks[kind]
    users = np.maximum(np.round(made.users * made.rate / made.rate[0]), 1)
    yield "access_log_users", {}, users
    yield "access_log_users_affected", {}, _affected(made, users, failed_in_all, sent_in_all)
    released = BEGAN - 3 * DAY if made.released_at is None else BEGAN + made.released_at * STEP
    live = np.arange(STEPS) * STEP + BEGAN >= released
    yield "release_timestamp_seconds", {}, np.where(live, released, BEGAN - 3 * DAY)
    yield "release_info", {"release": "1", "commit": "c1"}, np.ones(STEPS)
    failed_now = np.zeros(STEPS)
    if made.migration_failed:
        failed_now[live] = 1
        failed_now[BEFORE + DURING :] = 0
    yield "release_migration_failed", {}, failed_now
    yield "rollback_hotfix_deadline_timestamp_seconds", {}, np.zeros(STEPS)
    yield "rollback_hotfix_failed", {}, np.zeros(STEPS)


def _affected(made: Behaviour, users: np.ndarray, failed: np.ndarray, sent: np.ndarray) -> np.ndarray:
    """Users of the last five minutes who met an error: as the shape says, or as chance spreads the errors over them."""
    window = np.ones(WINDOW)
    failed_then = np.convolve(failed, window)[:STEPS]
    by_chance = users * (1 - np.exp(-failed_then / users))
    # A shape's users are affected for as long as the window remembers them.
    told = np.array([made.affected[max(step - WINDOW + 1, 0) : step + 1].max() for step in range(STEPS)])
    affected: np.ndarray = np.round(np.where(told > 0, told * users, by_chance))
    return affected
