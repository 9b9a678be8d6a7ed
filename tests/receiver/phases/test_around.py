"""All that is read around a live release, as one: each of it where it is known, and nothing where it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from receiver.announcements import Announcements
from receiver.attribution import BEFORE, Around
from receiver.errors import PrometheusError
from receiver.journal import releases
from receiver.model import History, Release, Signal, Telemetry
from receiver.phases.surroundings import around
from receiver.rules.groups import Group
from receiver.tree.snapshot import Snapshot
from tests.receiver.agent import Agent
from tests.receiver.surroundings import AVAILABILITY, BAD, BEYOND, HEALTH, branch
from tests.receiver.tree import builders


@pytest.fixture
def named(make_agent: Callable[..., Agent]) -> Agent:
    """An agent whose configuration names an upstream of all deployments and a host of this one; time stands still."""
    limits = {"disk_space": {"minimum_bytes": 0}, "storm": {"dependencies": ["UpstreamDown"]}}
    agent = make_agent(guardrails=limits, qrl={"attribution": {"alerts": ["HostDown"]}})
    agent.clock.stand_still()
    return agent


def fire(agent: Agent, *ages: float) -> Snapshot:
    """The tree in which a branch waits for its time, and others fire whose conditions became true so long ago."""
    now = agent.clock()
    waits = builders.branch("waits", 9, "a > 1", builders.alert("pending", 9, since=now - 3600), duration=7200)
    firing = (
        builders.branch(f"fires_{rank}", rank, "a > 1", builders.alert("firing", rank, since=now - age))
        for rank, age in enumerate(ages, 1)
    )
    return Snapshot(now, "qrl", (Group("tree", (waits, *firing), 10.0, now),), {})


def test_each_thing_that_is_known(named: Agent) -> None:
    """When it began, where, what else fails and what was before, of this deployment and this release."""
    now = named.clock()
    live, shop = Release(BAD, None, live_since=now - 60), Release("s1", None, live_since=now - 7200)
    told = Announcements(named.database, named.world.audit, ("qrl",))
    told.start_release("qrl", BAD, "ci", services=("gradio",))
    with named.database.write() as tx:
        releases.seen(tx, "shop", (shop,), now)
        releases.set_live(tx, "shop", shop.id, now - 7200)
    named.prometheus.storming = frozenset({"qrl", "shop", "bakery"})
    named.prometheus.alerting = frozenset({"UpstreamDown", "HostDown", "Unnamed"})
    named.prometheus.past = lambda _since, _until: (History(BEYOND, None, ((now - 61, 0.0),)),)
    signals = (
        Signal(HEALTH, "flask", 0.5, now),
        Signal(HEALTH, "gradio", 1.0, now),
        Signal(AVAILABILITY, None, 0, now),
    )
    telemetry = Telemetry(now, (branch(service="worker"), branch(service=None)), (), signals)

    assert around(named.world, live, telemetry, fire(named, 20.0, 30.0, 10.0)) == Around(
        now=now, live_since=now - 60, began_at=now - 30, was_ill_before=False, changed=("gradio",),
        affected=("flask", "worker"), others={"bakery": None, "shop": now - 7200}, ill=("HostDown", "UpstreamDown"),
    )  # fmt: skip


def test_nothing_that_is_not_known(named: Agent) -> None:
    """Without Prometheus, without a tree, of a release that no pipeline told of."""
    named.prometheus.error = PrometheusError("it is gone")

    assert around(named.world, Release(BAD, None, live_since=named.clock()), None, None) == Around(
        now=named.clock(), live_since=named.clock(), began_at=None, was_ill_before=None, changed=None, affected=(),
        others={}, ill=(), unknown="it is gone",
    )  # fmt: skip


@pytest.mark.parametrize("error", [None, PrometheusError("it is gone")])
def test_where_no_alert_is_named_none_is_well(agent: Agent, error: PrometheusError | None) -> None:
    """It is not "none of them fires", whether Prometheus answers or not."""
    agent.prometheus.error = error

    assert around(agent.world, Release(BAD, None, live_since=None), None, fire(agent)).ill is None


def test_what_was_before_an_unknown_moment_is_not_known(named: Agent) -> None:
    """A target that does not say since when its release is live leaves the rest as it is."""
    named.prometheus.alerting = frozenset({"HostDown"})

    found = around(named.world, Release(BAD, None, live_since=None), None, fire(named))

    assert (found.was_ill_before, found.unknown, found.began_at) == (None, None, None)
    assert (found.ill, found.live_since) == (("HostDown",), None)


@pytest.mark.parametrize(
    ("points", "was_ill"),
    [
        (((-1, 0.0),), False),
        (((-2, 0.5), (-1, 0.0)), True),
        (((-1, -1.0),), True),
        (((-1, 0.0), (0, 1.0)), False),
        (((0, 0.0),), None),
        ((), None),
    ],
)
def test_what_was_before(named: Agent, points: tuple[tuple[int, float], ...], was_ill: bool | None) -> None:
    """Asked for the time before the release alone; its own first moment is not before it, nor is another signal."""
    since, asked = named.clock() - 60, []

    def past(begin: float, end: float) -> tuple[History, ...]:
        asked.append((begin, end))
        other = History(AVAILABILITY, None, ((since - 1, 1.0),))
        return (History(BEYOND, None, tuple((since + at, value) for at, value in points)), other)

    named.prometheus.past = past

    assert around(named.world, Release(BAD, None, live_since=since), None, None).was_ill_before is was_ill
    assert asked == [(since - BEFORE, since)]
