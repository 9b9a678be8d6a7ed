"""A storm of alerts, and clients that mean no good, meet a real `serve`: it answers, stays small, and loses nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from demo.processes import Process
from tests.acceptance.stand import AGENT, Stand, alert, stand
from tests.faults.storm import EACH, MOST_MEMORY, alerting, await_end, body_of, labels_of, memory, names_of, query, send

NOTIFICATIONS = 200
NAMES = names_of(20)
PATIENCE = 120.0


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Stand]:
    """Twenty deployments, on each of which a branch fires; `make storm` has more of all."""
    with alerting(tmp_path, NAMES) as here:
        yield here


def test_of_a_storm_nothing_is_lost(fleet: Stand) -> None:
    """Each accepted alert is stored and comes to its end, with one incident and one run for each deployment."""
    named = [[NAMES[(EACH * n + m) % len(NAMES)] for m in range(EACH)] for n in range(NOTIFICATIONS)]
    told = send(fleet, named)

    assert told.keys() <= {202, 503}
    await_end(fleet, told[202], PATIENCE)
    assert query(fleet, "select deployment, count(*) from incident group by 1") == [(name, 1) for name in NAMES]
    assert query(fleet, "select state, count(*) from run group by 1") == [("finished", len(NAMES))]
    assert fleet.agent is not None
    assert max(memory(fleet.agent.pid)) < MOST_MEMORY


def test_the_same_again_and_again_is_one_incident(fleet: Stand) -> None:
    """Any number of duplicates is one incident and one run, and those of another deployment are not kept waiting."""
    told = send(fleet, [[NAMES[0]] * EACH] * NOTIFICATIONS + [[NAMES[1]]])

    assert told.keys() <= {202, 503}
    await_end(fleet, told[202], PATIENCE)
    runs = dict(query(fleet, "select deployment, count(*) from run group by 1"))
    assert set(NAMES[:2]) <= runs.keys()
    assert set(runs.values()) == {1}


def test_a_mebibyte_of_one_alert_is_one_alert(fleet: Stand) -> None:
    """The largest body that is taken holds one alert; of it is kept what is needed, and it comes to its end."""
    one = alert(**labels_of(NAMES[0]), alertname="ServiceDown")
    one["annotations"]["summary"] = ""
    one["annotations"]["summary"] = "x" * ((1 << 20) - len(body_of([one])))
    assert len(body_of([one])) == 1 << 20

    assert fleet.post(body_of([one])).status_code == 202
    assert fleet.post(body_of([one]) + b" ").status_code == 413
    await_end(fleet, 1, PATIENCE)
    assert query(fleet, "select max(length(alerts)) < 500 from notification") == [(1,)]


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
        here.eventually(lambda: query(here, "select count(*) from run where notified_at is not null") == [(1,)], 120)


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
        (stored,) = query(here, "select count(*) from notification")
        assert stored[0] >= 1


def _connect(here: Stand, stack: ExitStack) -> socket.socket:
    return stack.enter_context(socket.create_connection(("127.0.0.1", here.ports["agent"]), timeout=60))
