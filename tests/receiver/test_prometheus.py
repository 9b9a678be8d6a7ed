"""The Prometheus client against a real Prometheus: what fires, what the signals are, and what is no fact."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from demo.processes import wait_until
from receiver.errors import PrometheusError
from receiver.model import Action, Branch, Demand, Level
from receiver.prometheus import Prometheus
from tests.receiver.monitored import Monitored, await_signals, series

ODD_NAME = 'a"b\\c{d="e"}|.*'
LABELS = {"branch": "service_down", "rank": "1", "action": "rollback", "level": "fast", "confidence": "0.99"}
AVAILABILITY, HEALTH = "deployment:availability:ratio", "service:availability:ratio"


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    with ExitStack() as stack:
        yield Monitored(tmp_path_factory.mktemp("prometheus"), stack)


def test_it_tells_what_fires_and_the_signals(monitored: Monitored) -> None:
    """Each firing branch with its labels, lowest rank first, and each signal of the moment with its value and age."""
    watch = {"branch": "slow", "rank": "10", "action": "watch"}
    began = time.time()
    await_signals(
        monitored, "whole",
        series("test_firing", "whole", 1, **watch),
        series("test_firing", "whole", 1, **LABELS | {"rank": "9", "service": "flask"}),
        series(AVAILABILITY, "whole", 0.25), series(HEALTH, "whole", 1, service="flask"),
        series("unrelated", "whole", 7), series(AVAILABILITY, "another", 0.5),
        series("service:http_request_duration_seconds:mean1d", "whole", 0.2, service="flask"),
    )  # fmt: skip

    told = monitored.client().telemetry("whole")

    assert told.firing == (
        Branch("Tested", "service_down", 9, Action.ROLLBACK, Level.FAST, 0.99, "flask"),
        Branch("Tested", "slow", 10, Action.WATCH, None, None, None),
    )
    assert told.unreadable == ()
    assert [(one.series, one.value) for one in told.signals] == [
        (AVAILABILITY, 0.25),
        (f'{HEALTH}{{service="flask"}}', 1.0),
    ]
    assert all(began <= one.at <= time.time() for one in told.signals)


def test_what_is_pending_or_outside_the_tree_does_not_fire(monitored: Monitored) -> None:
    """An alert that only waits, and one without a branch label, are no firing branches."""
    no_branch = {name: text for name, text in LABELS.items() if name != "branch"}
    await_signals(
        monitored, "pending",
        series("test_pending", "pending", 1, **LABELS), series("test_firing", "pending", 1, **no_branch),
        series(AVAILABILITY, "pending", 1),
    )  # fmt: skip

    told = monitored.client().telemetry("pending")

    assert (told.firing, told.unreadable) == ((), ())


@pytest.mark.parametrize(
    "broken",
    [
        {"rank": ""}, {"rank": "first"}, {"action": ""}, {"action": "explode"}, {"level": ""}, {"level": "partly"},
        {"confidence": ""}, {"confidence": "high"}, {"confidence": "1.5"}, {"confidence": "-0.1"},
        {"confidence": "NaN"},
    ],
    ids=lambda broken: "=".join(*broken.items()),
)  # fmt: skip
def test_a_branch_that_says_too_little_is_unreadable(broken: dict[str, str], monitored: Monitored) -> None:
    """An alert that claims to be a branch without a branch's labels is named, and never decides."""
    deployment = f"broken {broken}"
    await_signals(
        monitored, deployment,
        series("test_firing", deployment, 1, **LABELS | broken), series(AVAILABILITY, deployment, 1),
    )  # fmt: skip

    told = monitored.client().telemetry(deployment)

    assert (told.firing, told.unreadable) == ((), ("Tested",))


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
def test_a_value_that_is_no_number_is_none(monitored: Monitored, value: str) -> None:
    """0/0 and infinities are "measured, and nothing to tell": the signal is there, its value is None."""
    await_signals(monitored, f"is {value}", series(AVAILABILITY, f"is {value}", value))

    (signal,) = monitored.client().telemetry(f"is {value}").signals

    assert signal.value is None


def test_old_samples_are_no_facts(monitored: Monitored) -> None:
    """A signal whose newest sample is too old is left out; where all are, nothing is known."""
    old = round(time.time() * 1000) - 30_000
    await_signals(monitored, "old", series(AVAILABILITY, "old", f"1 {old}"))
    await_signals(monitored, "half", series(AVAILABILITY, "half", f"1 {old}"), series(HEALTH, "half", 1, service="a"))

    with pytest.raises(PrometheusError, match=r"no signal of old from the last 10 s, so nothing is known about it"):
        monitored.client().telemetry("old")
    assert [one.name for one in monitored.client().telemetry("half").signals] == [HEALTH]
    assert [one.name for one in monitored.client(max_age=300.0).telemetry("old").signals] == [AVAILABILITY]


def test_nothing_is_known_of_an_unknown_deployment(monitored: Monitored) -> None:
    """No signal at all is an error that says so, not a healthy deployment."""
    with pytest.raises(PrometheusError, match="Prometheus has no signal of nobody"):
        monitored.client().telemetry("nobody")


def test_a_name_cannot_leave_its_quotes(monitored: Monitored) -> None:
    """A deployment whose name holds quotes, backslashes and braces is asked about as it is, and no other one is."""
    await_signals(
        monitored, ODD_NAME, series("test_firing", ODD_NAME, 1, **LABELS), series(AVAILABILITY, ODD_NAME, 0.1)
    )  # fmt: skip
    await_signals(monitored, "harmless", series(AVAILABILITY, "harmless", 0.9))

    told = monitored.client().telemetry(ODD_NAME)

    assert ([one.branch for one in told.firing], [one.value for one in told.signals]) == (["service_down"], [0.1])
    assert ODD_NAME in monitored.client().deciding()
    with pytest.raises(PrometheusError, match="no signal of"):
        monitored.client().telemetry('x"} or ALERTS{deployment="harmless')


def test_it_tells_which_deployments_fire_and_what_for(monitored: Monitored) -> None:
    """All deployments with a firing branch are told, with what decides: the lowest rank, else the most demanding."""
    await_signals(
        monitored, "both",
        series("test_firing", "both", 1, **LABELS),
        series("test_firing", "both", 1, branch="slow", rank="10", action="watch"),
    )  # fmt: skip
    await_signals(
        monitored, "asks",
        series(AVAILABILITY, "asks", 1),
        *(series("test_firing", "asks", 1, branch="slow", rank="10", action=action) for action in ("watch", "ask")),
    )  # fmt: skip
    await_signals(monitored, "calm", series(AVAILABILITY, "calm", 1))

    unreadable = series("test_firing", "unreadable", 1, **LABELS | {"rank": "first"})
    await_signals(monitored, "unreadable", series(AVAILABILITY, "unreadable", 1), unreadable)

    told = monitored.client().deciding()

    assert told["both"] == Demand("service_down", Action.ROLLBACK)
    assert told["asks"] == Demand("slow", Action.ASK)
    assert "calm" not in told
    assert told["unreadable"] is None


def test_quiet_means_signals_and_no_alert_for_as_long(monitored: Monitored) -> None:
    """A branch that fires, only waits, or has just cleared is not quiet; without signals nothing is known."""
    await_signals(monitored, "quiet", series(AVAILABILITY, "quiet", 1))
    await_signals(monitored, "waits", series(AVAILABILITY, "waits", 1), series("test_pending", "waits", 1, **LABELS))
    fires = series("test_firing", "cleared", 1, **LABELS)
    await_signals(monitored, "cleared", series(AVAILABILITY, "cleared", 1), fires)
    monitored.expose("cleared", series(AVAILABILITY, "cleared", 1))
    assert wait_until(lambda: not monitored.shows('ALERTS{deployment="cleared"}'), 60, every=0.1)
    client = monitored.client(max_age=60)

    assert [client.quiet_for(name, 60) for name in ("quiet", "waits", "cleared")] == [True, False, False]
    with pytest.raises(PrometheusError, match="no signal of nobody"):
        client.quiet_for("nobody", 60)


def test_a_time_in_which_nobody_measured_was_not_quiet(monitored: Monitored) -> None:
    """Quiet begins with the first sample, and a gap of samples longer than `max_age` begins it anew."""
    measured = series(AVAILABILITY, "gap", 1)
    client = monitored.client(max_age=1)
    await_signals(monitored, "gap", measured)
    assert not client.quiet_for("gap", 3)
    assert wait_until(lambda: client.quiet_for("gap", 3), 60, every=0.2)

    monitored.expose("gap")
    time.sleep(1.5)
    await_signals(monitored, "gap", measured)

    assert not client.quiet_for("gap", 3)
    assert wait_until(lambda: client.quiet_for("gap", 3), 60, every=0.2)


def test_samples_are_those_after_the_moment(monitored: Monitored) -> None:
    """The values of a signal come by service, oldest first, and only those after the moment asked for."""
    await_signals(monitored, "sampled", *(series(HEALTH, "sampled", 0, service=name) for name in ("a", "b")))
    time.sleep(0.5)
    switched = time.time()
    monitored.expose("sampled", series(HEALTH, "sampled", 1, service="a"), series(HEALTH, "sampled", 0.5, service="b"))
    client = monitored.client()
    assert wait_until(lambda: len(client.samples("sampled", HEALTH, switched).get("a", ())) >= 3, 60)

    after = client.samples("sampled", HEALTH, switched)
    before = client.samples("sampled", HEALTH, switched - 30)

    # One scrape may have been under way at the moment itself.
    assert sorted(after) == ["a", "b"]
    assert (set(after["a"][1:]), set(after["b"][1:])) == ({1.0}, {0.5})
    assert (before["a"][0], before["a"][-1]) == (0.0, 1.0)
    assert len(before["a"]) > len(after["a"])
    assert not any(client.samples("sampled", HEALTH, time.time() + 5).values())
    assert client.samples("nobody", HEALTH, switched) == {}


def test_it_remembers_which_rollback_branch_fired_and_when(monitored: Monitored) -> None:
    """Asked of a time it tells whether one did; a branch that only watches, or another deployment's, is none."""
    began = time.time()
    await_signals(monitored, "past", series("test_firing", "past", 1, **LABELS))
    await_signals(monitored, "watch", series("test_firing", "watch", 1, **LABELS | {"action": "watch"}))
    monitored.expose("past", series("test_marker", "past", 1))
    client = monitored.client()
    assert wait_until(lambda: not monitored.shows('ALERTS{deployment="past"}'), 60, every=0.1)
    now = time.time()

    assert client.fired("past", began, now)
    assert not client.fired("past", began - 60, began)
    assert not client.fired("past", now, now + 1)
    assert not client.fired("watch", began, now)
    assert not client.fired("nobody", began, now)


def test_a_storm_is_what_fires_on_all_deployments(monitored: Monitored) -> None:
    """Every deployment whose rollback branch fires is told, and of other alerts those that were asked for by name."""
    watch = LABELS | {"action": "watch"}
    await_signals(monitored, "storm 1", series("test_firing", "storm 1", 1, **LABELS))
    await_signals(monitored, ODD_NAME, series("test_firing", ODD_NAME, 1, **LABELS | {"service": "a"}))
    await_signals(monitored, "watched", series("test_firing", "watched", 1, **watch))
    await_signals(monitored, "still pending", series("test_pending", "still pending", 1, **LABELS))
    client = monitored.client()

    names = ("Tested", "Waits", 'Odd.*"\\', "Test.d")
    found = client.storm(names)

    assert {"storm 1", ODD_NAME} <= found.deployments
    assert not {"watched", "still pending"} & found.deployments
    assert found.dependencies == {"Tested"}
    assert client.storm(()).dependencies == client.storm(names[1:]).dependencies == frozenset()
    with pytest.raises(PrometheusError):
        Prometheus("http://127.0.0.1:1", 1.0, 10.0, time.time).storm(())


@pytest.mark.parametrize("timeout", [0.5, 1.5, 30.0])
def test_any_timeout_is_one_that_prometheus_takes(monitored: Monitored, timeout: float) -> None:
    """Fractions of a second are sent in a form that Prometheus understands."""
    assert isinstance(monitored.client(timeout=timeout).deciding(), dict)


def test_a_query_that_prometheus_refuses_is_an_error(monitored: Monitored) -> None:
    """Prometheus' own reason is told."""
    with pytest.raises(PrometheusError, match=r"Prometheus refused a query: .*parse error"):
        monitored.client().samples("qrl", "no such signal", time.time())
