"""The inbox: what is done about notifications, and when, by a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from receiver.inbox import LOOK_AGAIN, SETTLE
from receiver.journal import hotfixes, incidents, notifications, tables, views
from receiver.journal.escalations import MOST_OPEN
from receiver.journal.hotfixes import LINGERS, HotfixState
from receiver.model import Demand
from tests.receiver.desk import DOWN, HOUR, NOON, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.database.close()


@pytest.mark.parametrize("still_firing", [True, False])
def test_five_at_once_and_a_sixth_an_hour_later_are_one_run(desk: Desk, still_firing: bool) -> None:
    """Identical notifications begin one run, also when one comes an hour later, whether or not it still fires."""
    with ThreadPoolExecutor(5) as pool:
        for stored in [pool.submit(desk.notify) for _ in range(5)]:
            stored.result()
        for looked in [pool.submit(desk.inbox.work_once) for _ in range(5)]:
            looked.result()
    assert len(desk.runs()) == 1
    desk.end_runs()
    if not still_firing:
        desk.firing.now = {}
        desk.inbox.reconcile()

    desk.clock.now += HOUR
    desk.notify()
    desk.inbox.work_once()
    desk.clock.now += SETTLE
    desk.inbox.work_once()

    assert len(desk.runs()) == 1
    assert desk.open_notifications() == 0


def test_what_fires_again_later_is_a_new_incident(desk: Desk) -> None:
    """After its incident was closed, a branch that fires anew has a run of its own."""
    desk.notify()
    desk.inbox.work_once()
    desk.end_runs()
    desk.firing.now = {}
    desk.inbox.reconcile()
    desk.firing.now = {"qrl": DOWN}

    desk.clock.now += HOUR
    desk.notify()
    desk.inbox.work_once()

    assert len(desk.runs()) == 2


def test_a_notification_that_is_early_is_looked_at_again(desk: Desk) -> None:
    """Prometheus sends an alert before it stores it; what shows up within the settling time has its run."""
    desk.firing.now = {}
    desk.notify()
    desk.inbox.work_once()
    assert desk.runs() == []

    desk.firing.now = {"qrl": DOWN}
    desk.inbox.work_once()
    assert desk.runs() == []  # not yet due
    desk.clock.now += LOOK_AGAIN
    desk.inbox.work_once()

    assert len(desk.runs()) == 1
    assert desk.open_notifications() == 0


def test_what_never_fires_is_given_up_after_settling(desk: Desk) -> None:
    """A notification of what does not fire begins no run and is not kept for ever."""
    desk.firing.now = {}
    desk.notify()
    desk.inbox.work_once()
    desk.clock.now += SETTLE
    desk.inbox.work_once()
    assert desk.runs() == []
    assert desk.open_notifications() == 0


def test_what_prometheus_knows_nothing_of_gets_a_run_after_settling(desk: Desk) -> None:
    """Notified of a deployment that Prometheus does not measure, a run finds that out and asks a human, once."""
    desk.firing.now, desk.firing.measured = {}, False
    desk.notify()
    desk.inbox.work_once()
    assert desk.runs() == []
    desk.clock.now += SETTLE
    desk.inbox.work_once()
    desk.clock.now += SETTLE
    desk.inbox.work_once()
    assert len(desk.runs()) == 1
    assert desk.open_notifications() == 0


def test_where_prometheus_cannot_be_asked_a_run_finds_that_out(desk: Desk) -> None:
    """Without Prometheus the notified deployment has a run, which will ask a human; reconciling begins none."""
    desk.firing.now = None
    desk.inbox.reconcile()
    assert desk.runs() == []
    desk.notify()
    desk.inbox.work_once()
    assert len(desk.runs()) == 1


def test_a_resolved_alert_begins_nothing(desk: Desk) -> None:
    """ "Resolved" may be late or forged; it neither begins a run nor ends one."""
    desk.notify(status="resolved")
    desk.inbox.work_once()
    assert desk.runs() == []


def test_reconciling_finds_what_no_notification_told(desk: Desk) -> None:
    """What fires without a notification has its run; a deployment that nobody configured has none."""
    desk.firing.now = {"qrl": DOWN, "stranger": DOWN}
    assert desk.inbox.reconcile()
    assert len(desk.runs()) == 1
    assert not desk.inbox.reconcile()


def test_reconciling_closes_no_incident_of_what_is_not_measured(desk: Desk) -> None:
    """An incident whose deployment Prometheus knows nothing of is not over."""
    desk.inbox.reconcile()
    desk.end_runs()
    desk.firing.now, desk.firing.measured = {}, False
    desk.inbox.reconcile()
    assert desk.open_incidents() == 1
    desk.firing.measured = True
    desk.inbox.reconcile()
    assert desk.open_incidents() == 0


def test_reconciling_leaves_an_incident_open_while_its_run_goes_on(desk: Desk) -> None:
    """An incident is closed only when nothing fires and its run has ended."""
    desk.notify()
    desk.inbox.work_once()
    desk.firing.now = {}
    desk.inbox.reconcile()
    with desk.database.read() as tx:
        assert views.incidents(tx)[0]["state"] == "open"
    desk.end_runs()
    desk.inbox.reconcile()
    with desk.database.read() as tx:
        assert views.incidents(tx)[0]["state"] == "closed"


def test_reconciling_begins_nothing_for_what_was_just_restored(desk: Desk) -> None:
    """What Prometheus told before a rollback was verified begins no run afterwards; what still fires then does."""
    desk.inbox.reconcile()
    [run] = desk.runs()

    def restored() -> None:
        desk.end_runs()
        desk.clock.now += 1
        with desk.database.write() as tx:
            incidents.close(tx, incidents.of_run(tx, run), desk.clock())

    desk.firing.when_told = restored
    assert not desk.inbox.reconcile()
    assert desk.runs() == [run]
    desk.firing.when_told = lambda: None
    assert desk.inbox.reconcile()
    assert len(desk.runs()) == 2


@pytest.mark.parametrize("firing", [{}, {"qrl": DOWN}, {"other": DOWN}], ids=["quiet", "fires", "another fires"])
@pytest.mark.parametrize("measured", [True, False])
def test_reconciling_ends_a_hotfix_in_quiet(desk: Desk, firing: dict[str, Demand | None], measured: bool) -> None:
    """A failed hotfix is over once nothing fires on its deployment, which must be measured, and not before its time."""
    with desk.database.write() as tx:
        hotfixes.start(tx, "qrl", NOON, 600, "ada", "")
        hotfixes.end(tx, "qrl", NOON, HotfixState.FAILED, "ada")
    desk.firing.now, desk.firing.measured = firing, measured

    def is_over() -> bool:
        desk.inbox.reconcile()
        with desk.database.read() as tx:
            return hotfixes.unresolved(tx, "qrl") is None

    assert not is_over()
    desk.clock.now += LINGERS
    assert is_over() == (measured and "qrl" not in firing)


def test_an_unknown_pattern_asks_a_human_once(desk: Desk) -> None:
    """An alert without a branch, and one of a stranger, are escalated; the same question is not asked twice."""
    for _ in range(3):
        desk.notify(branch="")
        desk.notify(deployment="stranger")
    desk.inbox.work_once()
    assert sorted(desk.escalations()) == [("qrl", "unknown_pattern"), ("unknown", "unknown_pattern")]
    assert desk.runs() == []


WATCHDOG = {"alertname": "Watchdog", "deployment": "", "branch": ""}


def test_a_watchdog_is_remembered_and_nothing_else(desk: Desk) -> None:
    """It is no unknown pattern: it is counted as itself, with the time at which it was received, not looked at."""
    desk.notify(**WATCHDOG)
    desk.clock.now += 40
    desk.inbox.work_once()

    assert (desk.watchdog(), desk.counted()) == (NOON, {"watchdog": 1})
    assert (desk.escalations(), desk.runs(), desk.open_notifications()) == ([], [], 0)


def test_a_watchdog_that_was_overtaken_does_not_set_the_time_back(desk: Desk) -> None:
    """The latest that was received stays, also where the clock went back between two."""
    desk.notify(**WATCHDOG)
    desk.clock.now -= 30
    desk.notify(**WATCHDOG)
    desk.clock.now += 60
    desk.inbox.work_once()

    assert (desk.watchdog(), desk.counted()) == (NOON, {"watchdog": 2})


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"status": "resolved"}, "resolved"),
        ({"alertname": "watchdog"}, "unknown_deployment"),
        ({"alertname": "Watchdog2"}, "unknown_deployment"),
        ({"branch": "service_down", "deployment": "qrl"}, "branch"),
    ],
)
def test_what_is_no_watchdog_is_not_taken_for_one(desk: Desk, change: dict[str, str], outcome: str) -> None:
    """A resolved one says that it is gone; another name, or a branch, is something else."""
    desk.notify(**WATCHDOG | change)
    desk.inbox.work_once()

    assert (desk.watchdog(), desk.counted()) == (None, {outcome: 1})


def test_reconciling_begins_a_run_when_the_watchdog_is_back(desk: Desk) -> None:
    """What its absence alone refused is looked at again, once, after a Watchdog has come."""
    assert desk.inbox.reconcile()
    with desk.database.write() as tx:
        (run,) = tx.execute(sa.select(tables.run.c.id)).scalars()
        tx.execute(sa.update(tables.run).values(state="finished", result="refused"))
        row = {"run": run, "phase": "guard", "guardrail": "watchdog", "deployment": "qrl", "reason": "none came"}
        tx.execute(sa.insert(tables.refusal).values(row | {"refused_at": NOON}))
    assert not desk.inbox.reconcile()

    desk.clock.now += 60
    desk.notify(**WATCHDOG)
    desk.inbox.work_once()

    assert [desk.inbox.reconcile() for _ in range(2)] == [True, False]
    assert len(desk.runs()) == 2


def test_many_that_do_not_fire_keep_none_waiting_that_does(desk: Desk) -> None:
    """A deployment that fires has its run with the first look, whatever was notified of another one before."""
    desk.firing.now = {"other": DOWN}
    for _ in range(250):
        desk.notify()
    desk.inbox.work_once()
    desk.clock.now += LOOK_AGAIN
    desk.notify(deployment="other")
    desk.inbox.work_once()

    assert len(desk.runs()) == 1
    assert desk.counted() == {"branch": 251}


def test_thousands_of_odd_alerts_ask_as_often_as_is_allowed(desk: Desk) -> None:
    """Each is counted; of more questions than may be open one says that there were more."""
    alerts: list[dict[str, object]] = [{"status": "firing", "alertname": f"odd {n}"} for n in range(5000)]
    with desk.database.write() as tx:
        notifications.store(tx, desk.clock(), alerts, 0)
    desk.inbox.work_once()

    assert desk.counted() == {"unknown_deployment": 5000}
    assert len(desk.escalations()) == MOST_OPEN + 1
