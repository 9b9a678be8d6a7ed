"""Sends a storm of alerts to a real `serve`, and one alert again and again, and says what came of it: `make storm`."""

from __future__ import annotations

import argparse
import itertools
import json
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.load import Client, request_of
from tests.acceptance.stand import TOKEN, Stand, alert, stand

EACH = 2
"""Alerts in a notification."""
CLIENTS = 8
MOST_MEMORY = 400 << 20
"""Bytes that the agent may occupy in a storm; an idle one occupies some ninety million."""
PATIENCE = 900.0
"""Seconds in which all must have come to its end; it is a machine with other work that may need them."""


def names_of(count: int) -> tuple[str, ...]:
    """The names of so many deployments."""
    return tuple(f"fleet-{number:03}" for number in range(count))


def labels_of(deployment: str) -> dict[str, str]:
    """Those of a branch that asks for a rollback."""
    return {
        "deployment": deployment, "branch": "service_down", "rank": "1", "action": "rollback", "level": "fast",
        "confidence": "0.99",
    }  # fmt: skip


def body_of(alerts: Sequence[dict[str, Any]]) -> bytes:
    """A notification."""
    return json.dumps({"version": "4", "status": "firing", "alerts": alerts, "truncatedAlerts": 0}).encode()


@contextmanager
def alerting(directory: Path, names: Sequence[str]) -> Iterator[Stand]:
    """Deployments on each of which a branch fires, a real Prometheus that says so, and an agent that only records."""
    rules = [{"alert": "ServiceDown", "expr": "vector(1)", "labels": labels_of(name)} for name in names]
    with stand(directory) as here:
        target = {"releases": {"path": str(here.app), "restart": [str(here.restart)]}}
        one = {"target": target, "observe_every": "1h"}
        here.write_config(autonomy="L1", deployments={name: deepcopy(one) for name in names})
        here.start_prometheus({"groups": [{"name": "storm", "interval": "1s", "rules": rules}]})
        here.start_agent(patience=PATIENCE)
        firing = 'count(ALERTS{alertstate="firing"})'
        here.eventually(lambda: [one["value"][1] for one in here.prometheus_says(firing)] == [str(len(names))], 60)
        yield here


def send(here: Stand, named: Sequence[Sequence[str]], seconds: float = 0.0) -> Counter[int]:
    """How notifications, each of alerts of these deployments, were answered; spread over `seconds`, or at once."""
    bodies = [body_of([alert(**labels_of(name), alertname="ServiceDown") for name in names]) for names in named]
    numbers, began = itertools.count(), time.monotonic()

    def work(_: int) -> Counter[int]:
        told = Counter[int]()
        while (number := next(numbers)) < len(bodies):
            time.sleep(max(began + seconds * number / len(bodies) - time.monotonic(), 0))
            client = Client(here.ports["agent"], request_of(bodies[number], TOKEN))
            told[client.post()] += 1
            client.close()
        return told

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(work, range(CLIENTS)), Counter[int]())


def await_end(here: Stand, accepted: int, patience: float) -> None:
    """Wait until each accepted notification is stored and concluded, and each run has ended."""
    open_ones = (
        "select (select count(*) from notification),"
        " (select count(*) from notification where next_look_at is not null),"
        " (select count(*) from run where state != 'finished')"
    )
    here.eventually(lambda: query(here, open_ones) == [(accepted, 0, 0)], patience)


def query(here: Stand, sql: str) -> list[tuple[Any, ...]]:
    """What the journal says."""
    with closing(sqlite3.connect(f"file:{here.root / 'state.db'}?mode=ro", uri=True, timeout=60)) as database:
        return database.execute(sql).fetchall()


def memory(pid: int) -> tuple[int, int]:
    """Bytes that the process occupies, and the most that it has occupied so far."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0]) << 10, int(lines["VmHWM"].split()[0]) << 10


@dataclass(frozen=True, slots=True)
class Storm:
    """Notifications, of which deployments their alerts are, and over how many seconds they come."""

    title: str
    named: Sequence[Sequence[str]]
    seconds: float


def play(here: Stand, storm: Storm, accepted_before: int) -> tuple[int, list[str]]:
    """Print the figures of one storm; how many notifications were accepted, and each promise that was broken."""
    if here.agent is None:
        raise ValueError("no agent was started")
    before, _ = memory(here.agent.pid)
    began = time.monotonic()
    told = send(here, storm.named, storm.seconds)
    sent_in = time.monotonic() - began
    accepted = accepted_before + told[202]
    broken = []
    try:
        await_end(here, accepted, PATIENCE)
    except AssertionError:
        broken.append("not all that was accepted has come to its end")
    ended_in = time.monotonic() - began - sent_in
    now, peak = memory(here.agent.pid)
    stored = query(here, "select count(*) from notification")[0][0]
    runs = Counter(dict(query(here, "select deployment, count(*) from run group by 1")))
    incidents = Counter(dict(query(here, "select deployment, count(*) from incident group by 1")))
    figures = {
        "alerts": f"{sum(map(len, storm.named))} in {len(storm.named)} notifications, in {sent_in:.0f} s",
        "answers": ", ".join(f"{times} x {status}" for status, times in sorted(told.items())),
        "accepted and not stored": max(accepted - stored, 0),
        "deployments with an incident": f"{len(incidents)}, {max(incidents.values(), default=0)} at most of one",
        "runs": f"{runs.total()}, {max(runs.values(), default=0)} at most of one",
        "all at its end": f"{ended_in:.1f} s after the last answer",
        "memory": f"{before >> 20} MiB before, {now >> 20} after, {peak >> 20} at most",
    }
    print(storm.title, *(f"  {name:<30} {figure}" for name, figure in figures.items()), sep="\n", flush=True)
    if any(status not in {202, 503} and not 400 <= status < 500 for status in told):
        broken.append("something was answered otherwise than 202, 503 or 4xx")
    if stored != accepted:
        broken.append(f"{accepted} notifications were accepted, and {stored} are stored")
    if set(incidents.values()) | set(runs.values()) != {1} or incidents.keys() != runs.keys():
        broken.append("a deployment has not one incident and one run")
    if not {name for names in storm.named for name in names} <= runs.keys():
        broken.append("a deployment has no run")
    if peak > MOST_MEMORY:
        broken.append(f"the agent has occupied more than {MOST_MEMORY >> 20} MiB")
    return accepted, broken


def main() -> int:
    """Play both storms one after the other on one agent; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make storm ARGS=", description=__doc__)
    parser.add_argument("--alerts", type=int, default=10_000, help="in each of both storms")
    parser.add_argument("--deployments", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0, help="over which each storm is spread")
    asked = parser.parse_args()
    names, count = names_of(asked.deployments), asked.alerts // EACH
    spread = [[names[(EACH * n + m) % len(names)] for m in range(EACH)] for n in range(count)]
    storms = (
        Storm(f"{asked.alerts} alerts of {len(names)} deployments", spread, asked.seconds),
        Storm(f"{asked.alerts} times the same alert", [[names[0]] * EACH] * count, asked.seconds),
    )
    accepted, broken = 0, list[str]()
    with tempfile.TemporaryDirectory(prefix="storm-") as directory, alerting(Path(directory), names) as here:
        for storm in storms:
            accepted, found = play(here, storm, accepted)
            broken += found
    print(*(f"broken: {one}" for one in broken), sep="\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
