"""Restored only when everything says so; what is missing, old or worse never verifies."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from receiver.errors import PrometheusError
from receiver.journal import releases
from receiver.model import History
from tests.receiver.agent import Agent
from tests.receiver.phases.afterwards import after, give_up
from tests.receiver.surroundings import AVAILABILITY, BAD, GOOD, branch

NAN = math.nan


def test_all_good_is_restored(agent: Agent) -> None:
    """The target live, new samples of every signal, three good checks in a row and no branch: that is verified."""
    run = agent.go()

    assert (run["result"], run["verification"]["verdict"]) == ("restored", "restored")
    assert run["reason"] == "r1 is live, its checks are good and no branch fires"
    assert agent.latch() is None


@pytest.mark.parametrize(
    ("health", "still_missing"),
    [
        ({}, "not yet 3 good checks in a row: no service"),
        ({"flask": ()}, "not yet 3 good checks in a row: flask"),
        ({"flask": (1.0, 1.0)}, "not yet 3 good checks in a row: flask"),
        ({"flask": (1.0, 1.0, 0.99)}, "not yet 3 good checks in a row: flask"),
        ({"flask": (0.5, 1.0, 1.0)}, "not yet 3 good checks in a row: flask"),
        ({"flask": (1.0, NAN, 1.0)}, "not yet 3 good checks in a row: flask"),
        ({"flask": (NAN, 1.0, 1.0)}, "not yet 3 good checks in a row: flask"),
        ({"flask": (1.0, 1.0, 1.0), "gradio": (1.0, 0.0, 1.0)}, "not yet 3 good checks in a row: gradio"),
    ],
    ids=repr,
)
def test_checks_that_are_missing_or_bad_never_verify(
    agent: Agent, health: dict[str, tuple[float, ...]], still_missing: str
) -> None:
    """Every service needs three good samples in a row since the switch; no data is not good data."""
    agent.prometheus.health = {}
    after(agent, lambda: setattr(agent.prometheus, "health", health))

    run = give_up(agent)

    assert run["result"] == "inconclusive"
    assert run["reason"] == f"not verified in time: {still_missing}"
    assert agent.escalated() == ["verification_failed"]
    assert agent.latch() == run["reason"]


def test_bad_checks_before_good_ones_do_not_count(agent: Agent) -> None:
    """While the service comes up its checks may fail; only the last ones in a row count."""
    after(agent, lambda: setattr(agent.prometheus, "health", {"flask": (0.0, 0.0, 1.0, 1.0, 1.0)}))

    assert agent.go()["result"] == "restored"


def test_it_waits_for_enough_checks(make_agent: Callable[..., Agent]) -> None:
    """As many good checks as are configured are waited for, and then it is verified."""
    agent = make_agent(qrl={"verify": {"samples_in_a_row": 2}})
    after(agent, lambda: setattr(agent.prometheus, "health", {"flask": (1.0,)}))
    assert agent.go()["state"] == "waiting"
    after(agent, lambda: setattr(agent.prometheus, "health", {"flask": (1.0, 1.0)}))

    assert agent.wait(1.1)["result"] == "restored"


def test_signals_from_before_the_switch_verify_nothing(agent: Agent) -> None:
    """A sample that is older than the switch says nothing about what came after it."""
    old = agent.clock()
    after(agent, lambda: setattr(agent.prometheus, "samples_at", lambda: old))

    run = give_up(agent)

    assert (run["result"], agent.escalated()) == ("inconclusive", ["verification_failed"])
    assert run["reason"].startswith("not verified in time: no new sample yet of deployment:availability:ratio")
    assert agent.latch() == run["reason"]


def test_a_signal_that_has_become_no_number_verifies_nothing(agent: Agent) -> None:
    """What was measured when it was decided must be measured again."""
    after(agent, lambda: setattr(agent.prometheus, "availability", None))

    assert give_up(agent)["result"] == "inconclusive"


def test_without_prometheus_it_is_inconclusive(agent: Agent) -> None:
    """A Prometheus that stays away verifies nothing: the rollback happened, and nobody knows what it did."""
    after(agent, lambda: setattr(agent.prometheus, "error", PrometheusError("gone")))

    run = give_up(agent)

    assert (run["result"], run["reason"]) == ("inconclusive", "not verified in time: gone")
    assert (agent.executed(), agent.latch()) == ([GOOD], run["reason"])


def test_prometheus_may_be_away_for_a_while(agent: Agent) -> None:
    """Time is left for it to come back."""
    after(agent, lambda: setattr(agent.prometheus, "error", PrometheusError("gone")))
    assert agent.go()["state"] == "waiting"
    agent.prometheus.error = None
    after(agent, lambda: None)

    assert agent.wait(30)["result"] == "restored"


def test_a_branch_that_still_fires_is_no_effect(agent: Agent) -> None:
    """Good checks with a firing rollback branch do not verify; one that only watches does not keep it from it."""
    after(agent, lambda: setattr(agent.prometheus, "firing", (branch("high_error_rate"),)))

    run = give_up(agent)

    assert run["result"] == "no_effect"
    assert run["reason"] == (
        "not verified in time: HighErrorRate still fires; r2 is not to blame and is no longer held"
    )
    assert run["verification"]["reason"] == "HighErrorRate still fires"
    assert (agent.escalated(), agent.latch(), agent.held()) == (["verification_failed"], None, [])


def test_it_says_what_it_waits_for(agent: Agent) -> None:
    """Who looks at the run meanwhile sees what is not good yet."""
    after(agent, lambda: setattr(agent.prometheus, "firing", (branch("high_error_rate"),)))

    step = agent.go()["steps"][-1]

    assert (step["name"], step["summary"]) == ("verify", "HighErrorRate still fires")


def test_a_signal_beyond_its_threshold_is_waited_for(agent: Agent) -> None:
    """While the rules say that a signal is beyond its threshold it is not verified, although no branch fires yet."""
    after(agent, lambda: setattr(agent.prometheus, "beyond", 1.0))
    assert agent.go()["state"] == "waiting"
    agent.prometheus.beyond = 0.0
    after(agent, lambda: None)

    assert agent.wait(30)["result"] == "restored"


@pytest.mark.parametrize("beyond", [1.0, math.inf, -1.0, NAN])
def test_a_signal_that_stays_beyond_its_threshold_verifies_nothing(agent: Agent, beyond: float) -> None:
    """A rollback that helped a little is not taken for one that helped."""
    after(agent, lambda: setattr(agent.prometheus, "beyond", beyond))

    run = give_up(agent)

    assert (run["result"], agent.escalated()) == ("inconclusive", ["verification_failed"])
    assert run["reason"] == "not verified in time: a signal is still beyond its threshold"


def test_what_was_told_of_thresholds_must_be_told_again(agent: Agent) -> None:
    """A rule that said so when it was decided and is silent now verifies nothing."""
    after(agent, lambda: setattr(agent.prometheus, "beyond", None))

    run = give_up(agent)

    assert run["reason"] == "not verified in time: no new sample yet of deployment:beyond_threshold:bool"


def test_rules_that_never_tell_of_thresholds_leave_it_to_the_alerts(agent: Agent) -> None:
    """With rules of one's own that record no such signal, the alerts alone say when it is over."""
    agent.prometheus.beyond = None

    assert agent.go()["result"] == "restored"


def test_who_a_person_holds_stays_held(agent: Agent) -> None:
    """No effect takes back the hold of its own rollback only."""

    def hold() -> None:
        agent.prometheus.firing = (branch("high_error_rate"),)
        with agent.database.write() as tx:
            releases.hold(tx, "qrl", BAD, agent.clock(), "ada")

    after(agent, hold)

    assert (give_up(agent)["result"], agent.held()) == ("no_effect", [BAD])


def test_less_availability_than_before_is_worse(agent: Agent) -> None:
    """Where fewer checks succeed than before, the rollback made things worse: a human is called, and it latches."""

    def worse() -> None:
        agent.prometheus.availability = 0.1  # was 0.25
        agent.prometheus.firing = (branch(),)

    after(agent, worse)

    run = give_up(agent)

    assert (run["result"], agent.escalated()) == ("worse", ["verification_failed"])
    assert agent.latch() == run["reason"]


def test_a_little_less_is_chance(agent: Agent) -> None:
    """A share that moved by a few hundredths has not changed: the rollback had no effect."""

    def much_the_same() -> None:
        agent.prometheus.availability = 0.2  # was 0.25
        agent.prometheus.firing = (branch(),)

    after(agent, much_the_same)

    assert give_up(agent)["result"] == "no_effect"


def test_it_tells_the_worst_meanwhile(agent: Agent) -> None:
    """Between the command and the verdict each signal has a worst moment, which is told with the verdict."""

    def past(since: float, until: float) -> tuple[History, ...]:
        points = ((since - 60, 0.0), (since, 0.5), ((since + until) / 2, 0.25), (until + 60, 0.1))
        return (
            History(AVAILABILITY, None, points),
            History(
                "service:http_request_errors:ratio_rate1m", "flask", tuple((at, 1 - share) for at, share in points)
            ),
            History("service:http_requests:rate5m", "flask", points),
        )

    agent.prometheus.past = past

    run = agent.go()

    assert [(one["name"], one["value"]) for one in run["verification"]["worst"]] == [
        (AVAILABILITY, 0.25), ("service:http_request_errors:ratio_rate1m", 0.75),
    ]  # fmt: skip


def test_another_live_release_is_never_verified(agent: Agent) -> None:
    """Where somebody deploys over the rollback, its verification is about nothing any more."""
    after(agent, lambda: setattr(agent.prometheus, "health", {}))
    assert agent.go()["state"] == "waiting"
    agent.target.ship("r3")
    agent.prometheus.when_asked = lambda _: None
    agent.prometheus.health = {"flask": (1.0, 1.0, 1.0)}

    run = agent.wait(700)

    assert (run["result"], run["reason"]) == ("inconclusive", "not verified in time: r3 is live, not r1")


def test_a_verification_goes_on_after_a_restart(agent: Agent) -> None:
    """A new process takes the verification up where it was, and executes nothing again."""
    after(agent, lambda: setattr(agent.prometheus, "firing", (branch(),)))
    agent.go()
    agent.new_process()
    agent.prometheus.firing = ()
    agent.prometheus.when_asked = agent.heal

    assert (agent.wait(20)["result"], agent.executed()) == ("restored", [GOOD])


def test_the_kill_switch_does_not_stop_verification(agent: Agent) -> None:
    """Switched on while the command runs, what was done is still verified: verifying changes nothing."""
    agent.target.script += f"; touch {agent.config.kill_switch}"

    run = agent.go()

    assert (run["result"], agent.config.kill_switch.exists()) == ("restored", True)


def test_a_clock_that_was_set_back_is_told_at_once(agent: Agent) -> None:
    """An hour back, the time for verification would be up an hour late: it is inconclusive, and a human is called."""
    after(agent, lambda: setattr(agent.prometheus, "firing", (branch(),)))
    assert agent.go()["state"] == "waiting"

    run = agent.wait(-3600)

    assert (run["result"], agent.executed(), agent.held()) == ("inconclusive", [GOOD], [BAD])
    assert run["reason"] == "not verified: the command seems to end only later: the clock was set back"
    assert run["verification"]["reason"] == "the command seems to end only later: the clock was set back"
    assert "the clock was set back" in (agent.latch() or "")
    assert agent.escalated(only_open=True) == ["verification_failed"]
