"""What a look at a deployment says, and what it has read by then."""

from __future__ import annotations

import pytest

from receiver.errors import PrometheusError, TargetError
from receiver.phases.looking import HEALTH, look
from tests.receiver.agent import Agent
from tests.receiver.surroundings import BAD, branch

AT = 1000.0


@pytest.fixture
def well(agent: Agent) -> Agent:
    """A deployment of two services on which all is well, measured at `AT`."""
    told = agent.prometheus
    told.firing, told.availability, told.samples_at = (), 1.0, lambda: AT
    told.health = {"flask": (1.0, 1.0, 1.0), "gradio": (1.0, 1.0, 1.0)}
    return agent


def test_all_is_well(well: Agent) -> None:
    """Nothing speaks against it, and the signals were read."""
    found = look(well.world, AT - 1, BAD)
    assert (found.missing, len(found.signals)) == (None, 4)


def test_it_asks_for_the_checks_since_then(well: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this deployment, by the signal that says whether its services are well."""
    asked: list[object] = []
    monkeypatch.setattr(well.prometheus, "samples", lambda *question: asked.append(question) or {})

    look(well.world, AT - 1, BAD)

    assert asked == [("qrl", HEALTH, AT - 1)]


def test_what_was_measured_at_that_very_moment_is_not_new(well: Agent) -> None:
    """A sample of the moment of the switch says nothing of what came after it; each that is missing is named."""
    measured = look(well.world, AT - 1, BAD).signals

    found = look(well.world, AT, BAD, measured)

    assert found.missing == f"no new sample yet of {', '.join(signal.series for signal in measured)}"
    assert found.signals == measured


def test_bad_checks_are_named(well: Agent) -> None:
    """All services that have them; the signals are told all the same."""
    well.prometheus.health = {"flask": (1.0, 0.0, 1.0), "gradio": (1.0,)}
    found = look(well.world, AT - 1, BAD)
    assert (found.missing, len(found.signals)) == ("not yet 3 good checks in a row: flask, gradio", 4)


def test_alerts_are_named(well: Agent) -> None:
    """All that ask for a rollback, once each."""
    well.prometheus.firing = (
        branch("service_down", service="flask"),
        branch("service_down"),
        branch("high_error_rate"),
    )
    found = look(well.world, AT - 1, BAD)
    assert (found.missing, found.firing) == (
        "HighErrorRate, ServiceDown still fires", ["HighErrorRate", "ServiceDown"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("part", "error"),
    [("target", TargetError("the link is gone")), ("prometheus", PrometheusError("it is gone"))],
)
def test_what_cannot_be_read_is_said(well: Agent, part: str, error: Exception) -> None:
    """In the words of what could not be read, with no signals."""
    getattr(well, part).error = error
    found = look(well.world, AT - 1, BAD)
    assert (found.missing, found.signals) == (str(error), ())
