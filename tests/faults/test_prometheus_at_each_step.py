"""Prometheus fails in the middle of four runs at once: what it cannot say starts nothing, and verifies nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo.processes import free_port
from tests.faults.between import empty, in_part, no_numbers
from tests.faults.fleet import Fleet
from tests.faults.scene import ASKED, BACKED_UP, EVALUATED, IN_THE_COMMAND, Scene, scene
from tests.faults.watchers import start_prometheus_of, telling

TOO_LATE = 6.0
"""Seconds after which an answer comes that is waited for five."""


def is_down(here: Scene) -> None:
    here.prometheus.stop()


def is_slow(here: Scene) -> None:
    here.between.late_by = TOO_LATE


def is_empty(here: Scene) -> None:
    here.between.change = empty


def has_no_numbers(here: Scene) -> None:
    here.between.change = no_numbers


def answers_in_part(here: Scene) -> None:
    here.between.change = in_part


FAULTS: dict[str, tuple[Callable[[Scene], None], str]] = {
    "down": (is_down, "missing_data"),
    "slow": (is_slow, "missing_data"),
    "empty": (is_empty, "missing_data"),
    "in part": (answers_in_part, "missing_data"),
    # That a branch fires is no number, so that much is known; no guardrail lets it pass.
    "no numbers": (has_no_numbers, "refused"),
}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Scene]:
    """Three runs at their places, and one deployment that is well."""
    with scene(tmp_path) as made:
        made.begin()
        yield made


@pytest.mark.parametrize(("fails", "evaluated"), FAULTS.values(), ids=FAULTS)
def test_what_prometheus_cannot_say_starts_nothing_and_verifies_nothing(
    here: Scene, fails: Callable[[Scene], None], evaluated: str
) -> None:
    """Wherever a run is when Prometheus fails, no command is started or taken for a success, and a human is called."""
    fails(here)
    here.go_wrong(EVALUATED)
    here.go_on()

    assert here.results() == {
        EVALUATED: (evaluated,),
        ASKED: ("refused",),
        BACKED_UP: ("refused",),
        IN_THE_COMMAND: ("inconclusive",),
    }
    assert here.effects() == {IN_THE_COMMAND: 1}, "it was started before"
    assert here.judgement().broken == ()


def test_an_exporter_that_is_gone_says_nothing_of_a_rollback(here: Scene) -> None:
    """What can be measured no more is not mended: the alert ends, and nothing is started or taken for a success."""
    here.stop_exporter()
    here.go_wrong(EVALUATED)
    here.go_on()

    found = here.results()
    assert found.pop(ASKED) in (("refused",), ("withdrawn",))
    assert found == {EVALUATED: ("missing_data",), BACKED_UP: ("refused",), IN_THE_COMMAND: ("inconclusive",)}
    assert here.effects() == {IN_THE_COMMAND: 1}
    assert here.judgement().broken == ()


def test_a_prometheus_that_comes_back_with_its_data_is_believed(here: Scene) -> None:
    """Restarted in the middle, and all there: the runs go on, and each ends as if nothing had been."""
    here.prometheus.stop()
    here.start_prometheus()
    here.go_wrong(EVALUATED)
    here.await_firing(EVALUATED, ASKED, BACKED_UP)
    here.go_on()

    every = (EVALUATED, ASKED, BACKED_UP, IN_THE_COMMAND)
    assert here.results() == dict.fromkeys(every, ("restored",))
    assert here.effects() == dict.fromkeys(every, 1)
    assert here.judgement().broken == ()


def test_a_prometheus_that_has_lost_its_data_verifies_nothing_of_before(here: Scene, tmp_path: Path) -> None:
    """What fires again is rolled back; what was begun before nobody can compare, and a human is called."""
    here.prometheus.stop()
    shutil.rmtree(tmp_path / "prometheus-data")
    here.start_prometheus()
    here.go_wrong(EVALUATED)
    here.await_firing(EVALUATED, ASKED, BACKED_UP)
    here.go_on()

    again = dict.fromkeys((EVALUATED, ASKED, BACKED_UP), ("restored",))
    assert here.results() == {**again, IN_THE_COMMAND: ("inconclusive",)}
    assert here.judgement().broken == ()


def test_another_prometheus_that_sees_all_well_starts_and_verifies_nothing(here: Scene, tmp_path: Path) -> None:
    """The same address leads to a Prometheus that watches namesakes, all of them well: it is not taken at its word."""
    namesakes = Fleet()
    namesakes.renew(here.names(), tmp_path / "elsewhere")
    (tmp_path / "other").mkdir()
    with telling(namesakes) as exporter, start_prometheus_of(exporter, tmp_path / "other", free_port()) as other:
        here.await_known(other)
        here.between.server = other.url
        here.go_wrong(EVALUATED)
        here.go_on()

        found = here.results()
        assert EVALUATED not in found, "a notification is a hint, and there nothing fires"
        assert found[ASKED] in (("refused",), ("withdrawn",))
        assert (found[BACKED_UP], found[IN_THE_COMMAND]) == (("refused",), ("inconclusive",))
        assert here.effects() == {IN_THE_COMMAND: 1}
        assert here.judgement(EVALUATED).broken == ()
