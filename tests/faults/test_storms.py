"""A storm of alerts, and clients that mean no good, meet a real `serve`: it answers, stays small, and loses nothing."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.processes import Process
from tests.acceptance.stand import AGENT, Stand, alert, stand

FULL = "ROLLBACK_AGENT_FULL_STORM" in os.environ
"""Whether the storm is ten thousand alerts of a hundred deployments, which takes minutes."""
DEPLOYMENTS, NOTIFICATIONS = (100, 5_000) if FULL else (20, 200)
EACH = 2
"""Alerts in a notification."""
PATIENCE = 900.0 if FULL else 120.0
MOST_MEMORY = 400 << 20
"""Bytes that the agent may occupy in a storm; an idle one occupies some ninety million."""
NAMES = tuple(f"fleet-{number:03}" for number in range(DEPLOYMENTS))


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Stand]:
    """Many deployments, on each of which a branch fires; the agent only records."""
    rules = [{"alert": "ServiceDown", "expr": "vector(1)", "labels": _labels(name)} for name in NAMES]
    with stand(tmp_path) as here:
        target = {"releases": {"path": str(here.app), "restart": [str(here.restart)]}}
        one = {"target": target, "observe_every": "1h"}
        here.write_config(autonomy="L1", deployments={name: deepcopy(one) for name in NAMES})
        here.start_prometheus({"groups": [{"name": "storm", "interval": "1s", "rules": rules}]})
        here.start_agent()
        firing = 'count(ALERTS{alertstate="firing"})'
        here.eventually(lambda: [one["value"][1] for one in here.prometheus_says(firing)] == [str(DEPLOYMENTS)], 60)
        yield here


def test_of_a_storm_nothing_is_lost(fleet: Stand) -> None:
    """Each accepted alert is stored and comes to its end, with one incident and one run for each deployment."""
    named = [[NAMES[(EACH * n + m) % DEPLOYMENTS] for m in range(EACH)] for n in range(NOTIFICATIONS)]
    told = Counter(_post(fleet, named))

    assert told.keys() <= {202, 503}
    _await_end(fleet, told[202])
    assert _query(fleet, "select deployment, count(*) from incident group by 1") == [(name, 1) for name in NAMES]
    assert _query(fleet, "select state, count(*) from run group by 1") == [("finished", DEPLOYMENTS)]
    assert fleet.agent is not None
    assert _memory(fleet.agent.pid) < MOST_MEMORY


def test_the_same_again_and_again_is_one_incident(fleet: Stand) -> None:
    """Any number of duplicates is one incident and one run, and those of another deployment are not kept waiting."""
    told = Counter(_post(fleet, [[NAMES[0]] * EACH] * NOTIFICATIONS + [[NAMES[1]]]))

    assert told.keys() <= {202, 503}
    _await_end(fleet, told[202])
    runs = dict(_query(fleet, "select deployment, count(*) from run group by 1"))
    assert set(NAMES[:2]) <= runs.keys()
    assert set(runs.values()) == {1}


def test_a_mebibyte_of_one_alert_is_one_alert(fleet: Stand) -> None:
    """The largest body that is taken holds one alert; of it is kept what is needed, and it comes to its end."""
    one = alert(**_labels(NAMES[0]), alertname="ServiceDown")
    one["annotations"]["summary"] = ""
    one["annotations"]["summary"] = "x" * ((1 << 20) - len(_body([one])))
    assert len(_body([one])) == 1 << 20

    assert fleet.post(_body([one])).status_code == 202
    assert fleet.post(_body([one]) + b" ").status_code == 413
    _await_end(fleet, 1)
    assert _query(fleet, "select max(length(alerts)) < 500 from notification") == [(1,)]


def test_alertmanager_delivers_among_five_hundred_slow_clients(tmp_path: Path) -> None:
    """While five hundred clients never end their requests, a real Alertmanager's notification begins a run."""
    with stand(tmp_path) as here, ExitStack() as slow:
        here.start_prometheus(alertmanager=True)
        here.start_alertmanager(pager="http://127.0.0.1:9/")
        here.start_agent()
        here.await_good()
        for number in range(500):
            _connect(here, slow).sendall(b"POST /api/v1/alerts HTTP/1.1\r\n" if number % 2 else b"")
        assert requests.get(f"{here.url}/-/healthy", timeout=60).status_code == 200
        assert "rollback_journal_up 1.0" in here.metrics()
        here.services.broken = True
        here.eventually(lambda: _query(here, "select count(*) from run where notified_at is not null") == [(1,)], 120)


def test_with_few_descriptors_it_answers_and_goes_on(tmp_path: Path) -> None:
    """With sixty-four descriptors and more clients than that it answers 202, 503 or not at all, and lives on."""
    with stand(tmp_path) as here, ExitStack() as slow:
        here.start_prometheus()
        limited = ("/bin/sh", "-c", 'ulimit -n 64; exec "$@"', "sh", AGENT, "serve", "--config", here.config)
        agent = slow.enter_context(Process(limited, here.directory / "agent.log"))
        agent.await_ready(f"{here.url}/-/ready", timeout=60)
        for _ in range(100):
            _connect(here, slow)
        here.eventually(lambda: here.notify().status_code == 202, 60)
        here.eventually(lambda: requests.get(f"{here.url}/-/ready", timeout=30).status_code == 200, 60)
        assert agent.running
        (stored,) = _query(here, "select count(*) from notification")
        assert stored[0] >= 1


def _labels(deployment: str) -> dict[str, str]:
    return {
        "deployment": deployment, "branch": "service_down", "rank": "1", "action": "rollback", "level": "fast",
        "confidence": "0.99",
    }  # fmt: skip


def _body(alerts: list[dict[str, Any]]) -> bytes:
    return json.dumps({"version": "4", "status": "firing", "alerts": alerts, "truncatedAlerts": 0}).encode()


def _post(here: Stand, notifications: Any) -> list[int]:
    """The answers to notifications that eight clients send as fast as they can."""
    bodies = [_body([alert(**_labels(name), alertname="ServiceDown") for name in names]) for names in notifications]
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda body: here.post(body).status_code, bodies))


def _await_end(here: Stand, accepted: int) -> None:
    """Wait until each accepted notification is stored and concluded, and each run has ended."""
    open_ones = (
        "select (select count(*) from notification),"
        " (select count(*) from notification where next_look_at is not null),"
        " (select count(*) from run where state != 'finished')"
    )
    here.eventually(lambda: _query(here, open_ones) == [(accepted, 0, 0)], PATIENCE)


def _query(here: Stand, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{here.root / 'state.db'}?mode=ro", uri=True, timeout=60)) as database:
        return database.execute(sql).fetchall()


def _connect(here: Stand, stack: ExitStack) -> socket.socket:
    return stack.enter_context(socket.create_connection(("127.0.0.1", here.ports["agent"]), timeout=60))


def _memory(pid: int) -> int:
    """The most that the process has occupied so far."""
    (line,) = (one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM:"))
    return int(line.split()[1]) << 10
