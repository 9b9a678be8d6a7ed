"""How long the shipped rule groups take to evaluate for 100, 300 and 1,000 deployments of three services each."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.measure import cpu_seconds
from demo.exposition import serve_metrics
from demo.monitoring import start_prometheus
from demo.processes import free_port
from receiver.prometheus_api import PrometheusApi
from receiver.rules.api import RulesApi
from receiver.rules.groups import Group

RULES = Path(__file__).parents[1] / "alert-rules"
SIZES = (100, 300, 1000)
SERVICES = ("api", "web", "ui")
EVERY = 10
"""Seconds between scrapes and between evaluations, as shipped."""
EVALUATIONS, PATIENCE = 5, 90.0
"""Evaluations that are measured after the first, which is cold, and the seconds that they may take."""
DAILY, DAILY_HERE = "interval: 2m", "interval: 10s"
"""The daily group is evaluated more often here, so that there is more than one figure; what it reads is the same."""
SLOWEST = 6
HOUR, DAY, WINDOW = 3600, 86400, 360
DAY_STEP = 30
"""Seconds between the samples of a day: three times as many as scraping leaves would fill a gigabyte of text more."""


class Fleet:
    """The raw series of many deployments: gauges, and counters that grow by so much a second."""

    def __init__(self, deployments: int, since: float) -> None:
        self.since = since
        self.gauges: list[tuple[str, float]] = []
        self.counters: list[tuple[str, float]] = []
        self.recorded: list[tuple[str, float]] = []
        """Signals that the rules look back at for an hour."""
        self.daily: list[tuple[str, float]] = []
        for number in range(deployments):
            bad, minor = number % 50 == 0, number % 10 == 1
            self._add(f'deployment="fleet-{number:04}"', is_bad=bad, affected=80 if bad else 10 if minor else 0)

    def exposition(self, now: float) -> str:
        """What exporter and receiver expose at that moment."""
        grown = now - self.since
        lines = [f"{series} {value}\n" for series, value in self.gauges]
        lines += [f"{series} {rate * grown:.3f}\n" for series, rate in self.counters]
        return "".join(lines)

    def _add(self, deployment: str, is_bad: bool, affected: int) -> None:
        for service in SERVICES:
            self._add_service(f'{deployment},service="{service}"', 0.3 if is_bad and service == "api" else 0.0)
        for kind in ("authentication", "payment", "database", "ui"):
            check = f'{deployment},service="api",check="{kind}",kind="{kind}"'
            self.gauges.append((f"healthcheck_success{{{check}}}", 1))
            self.recorded.append((f"deployment:{kind}:ratio{{{deployment}}}", 1))
        for name, value in (
            ("access_log_users", 900),
            ("access_log_users_affected", affected),
            ("release_timestamp_seconds", self.since),
            ("release_migration_failed", 0),
            ("rollback_hotfix_deadline_timestamp_seconds", 0),
            ("rollback_hotfix_failed", 0),
            ("rollback_latched", 0),
            ("rollback_budget_remaining", 3),
        ):
            self.gauges.append((f"{name}{{{deployment}}}", value))
        self.gauges.append((f'release_info{{{deployment},release="20261101-1200",commit="0123456"}}', 1))
        for reason in ("rollback_failed", "low_confidence", "missing_data"):
            self.gauges.append((f'rollback_escalations_open{{{deployment},reason="{reason}"}}', 0))
        for name, value in (
            ("availability:ratio", 1),
            ("users_affected:ratio", affected / 900),
            ("release_age:seconds", 5000),
            ("migration_failed:bool", 0),
        ):
            self.recorded.append((f"deployment:{name}{{{deployment}}}", value))

    def _add_service(self, labels: str, errors: float) -> None:
        self.gauges.append((f'healthcheck_success{{{labels},check="home",kind="availability"}}', 1))
        for method, code, share in (
            ("GET", "200", 0.6 - errors),
            ("GET", "404", 0.1),
            ("GET", "500", errors + 0.001),
            ("POST", "200", 0.28),
            ("POST", "503", 0.001),
        ):
            series = f'access_log_requests_total{{{labels},method="{method}",code="{code}"}}'
            self.counters.append((series, 20 * share))
        self.counters.append((f"access_log_unparsable_lines_total{{{labels}}}", 0.001))
        self.counters.append((f"access_log_request_duration_seconds_sum{{{labels}}}", 1.0))
        self.counters.append((f"access_log_request_duration_seconds_count{{{labels}}}", 20))
        self.recorded.append((f"service:availability:ratio{{{labels}}}", 1))
        self.recorded.append((f"service:http_request_errors:ratio_rate5m{{{labels}}}", errors + 0.002))
        self.daily.append((f"service:http_request_duration_seconds:mean5m{{{labels}}}", 0.05))


def backfill(fleet: Fleet, data: Path) -> None:
    """A day of what is compared with a day, an hour of what is looked back at, and the windows of the rates."""
    now = int(time.time())
    _blocks(data, _gauges(fleet.daily, range(now - DAY, now - HOUR, DAY_STEP)))
    _blocks(data, _gauges((*fleet.daily, *fleet.recorded), range(now - HOUR, now, EVERY)))
    now = int(time.time())
    moments = range(now - WINDOW, now, EVERY)
    grown = [at - fleet.since for at in moments]
    _blocks(
        data,
        (
            "".join([f"{series} {rate * by:.3f} {at}\n" for by, at in zip(grown, moments, strict=True)])
            for series, rate in fleet.counters
        ),
    )


def _gauges(series: Sequence[tuple[str, float]], moments: Sequence[int]) -> Iterator[str]:
    """Samples that move a little, as a measured value does; one that never moves would take no room."""
    for name, value in series:
        yield "".join([f"{name} {value * (1 + at // EVERY % 7 / 100):.5g} {at}\n" for at in moments])


def _blocks(data: Path, chunks: Iterator[str]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".om") as text:
        text.writelines(chunks)
        text.write("# EOF\n")
        text.flush()
        # Every block is another reading of the text.
        command = ("promtool", "tsdb", "create-blocks-from", f"--max-block-duration={DAY}s", "--quiet", "openmetrics")
        subprocess.run((*command, text.name, data), check=True)


@contextmanager
def served(fleet: Fleet) -> Iterator[int]:
    """The port on which the fleet can be scraped."""
    server = serve_metrics(lambda: fleet.exposition(time.time()))
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of an evaluation: the median, and the least, to which the machine's other work added least."""

    median: float
    least: float

    def __str__(self) -> str:
        return f"{self.median * 1000:.0f} ms ({self.least * 1000:.0f})"


@dataclass(frozen=True, slots=True)
class Figures:
    """What each group takes, each of its rules, and all of Prometheus in an interval (seconds of processor time)."""

    groups: dict[str, Times]
    rules: dict[str, Times]
    processor: float


def measure(deployments: int, directory: Path) -> Figures:
    """The figures of so many deployments; keeps all it has in `directory`."""
    directory.mkdir()
    for path in RULES.glob("*.rules.yml"):
        (directory / path.name).write_text(path.read_text().replace(DAILY, DAILY_HERE))
    fleet = Fleet(deployments, time.time() - DAY)
    backfill(fleet, directory / "prometheus-data")
    with served(fleet) as port:
        config = {
            "global": {"scrape_interval": f"{EVERY}s", "evaluation_interval": f"{EVERY}s"},
            "rule_files": [str(directory / "*.rules.yml")],
            "scrape_configs": [
                {"job_name": "rollback-exporter", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
            ],
        }
        with start_prometheus(directory, config, free_port()) as server:
            api = PrometheusApi(server.url, 30.0)
            began, used = time.monotonic(), cpu_seconds(server.process.pid)
            evaluations = _evaluations(RulesApi(api))
            processor = (cpu_seconds(server.process.pid) - used) / (time.monotonic() - began) * EVERY
            _check(api, deployments)
    shutil.rmtree(directory)
    return _figures(evaluations, processor)


def _evaluations(api: RulesApi) -> list[list[Group]]:
    """Several evaluations of each group, as prometheus_rule_group_last_duration_seconds tells of the last one."""
    seen: dict[str, dict[float, Group]] = {}
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for group in api.groups():
            if group.last_evaluation > 0:
                seen.setdefault(group.name, {})[group.last_evaluation] = group
        if seen and all(len(each) > EVALUATIONS for each in seen.values()):
            break
        time.sleep(1)
    return [[each[at] for at in sorted(each)[1:]] for each in seen.values()]


def _figures(evaluations: list[list[Group]], processor: float) -> Figures:
    rules = {
        f"{group.name}: {place + 1}. {rule.name}": _times([one.rules[place].evaluation_time for one in each])
        for each in evaluations
        for group in each[:1]
        for place, rule in enumerate(group.rules)
    }
    groups = {each[0].name: _times([one.evaluation_time for one in each]) for each in evaluations}
    return Figures(groups, rules, processor)


def _times(seconds: Sequence[float]) -> Times:
    return Times(median(seconds), min(seconds))


def _check(api: PrometheusApi, deployments: int) -> None:
    """Rules that find nothing are fast; the figures count only where every service and every branch was looked at."""
    for query, expected in (
        ("count(service:http_request_duration_seconds:mean1d)", deployments * len(SERVICES)),
        ("count(service:http_request_errors:ratio_rate1m)", deployments * len(SERVICES)),
        ('count(ALERTS{alertstate="firing",branch="high_error_rate"})', -(-deployments // 50)),
        ('count(ALERTS{branch="minor_impact",action="watch"})', deployments // 10),
    ):
        found = [one.value for one in api.query(query)]
        if not found or found[0] is None or found[0][1] < expected:
            raise RuntimeError(f"{query} gives {found}, and {expected} are expected; the figures would mean nothing")


def run() -> None:
    """Print what the groups take, and the slowest rules; ends within six minutes."""
    with tempfile.TemporaryDirectory() as directory:
        found = {size: measure(size, Path(directory) / str(size)) for size in SIZES}
    largest = found[SIZES[-1]]
    _table("group", {name: [found[size].groups[name] for size in SIZES] for name in sorted(largest.groups)})
    slowest = sorted(largest.rules, key=lambda name: -largest.rules[name].median)[:SLOWEST]
    _table("slowest rules", {name: [found[size].rules[name] for size in SIZES] for name in slowest})
    # The time of an evaluation grows with whatever else the machine does; this does not.
    used = ", ".join(f"{found[size].processor:.2f} s ({size:,})" for size in SIZES)
    print(f"\nProcessor time of all of Prometheus in {EVERY} s, scrapes and storage included: {used}")


def _table(what: str, figures: Mapping[str, Sequence[Times]]) -> None:
    """Medians (and least) by deployments, as Markdown; the growth is that from the fewest to the most."""
    growth = SIZES[-1] / SIZES[0]
    print(f"\n| {what} | {' | '.join(f'{size:,}' for size in SIZES)} | growth (linear: {growth:g}) |")
    print(f"|---|{'---:|' * (len(SIZES) + 1)}")
    for name, times in figures.items():
        grown = [
            last / first for first, last in ((times[0].median, times[-1].median), (times[0].least, times[-1].least))
        ]
        print(f"| `{name}` | {' | '.join(map(str, times))} | {grown[0]:.1f} ({grown[1]:.1f}) |")


if __name__ == "__main__":
    run()
