"""`drill`: faults in a sandbox and rehearsals, through a real Prometheus and a real Alertmanager."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from receiver.errors import NotPossible
from receiver.interface import simulate_service_failure
from tests.acceptance.stand import BAD, GOOD, Stand, stand

BY_HAND = ("--as", "ada")


@contextmanager
def sandbox(directory: Path, autonomy: str = "L4", **drills: dict[str, Any]) -> Iterator[Stand]:
    """A stand with everything started, all well, and these drills; `ship.sh RELEASE` makes a release live."""
    ship = directory / "ship.sh"
    ship.write_text(
        f'#!/bin/sh\nln -s "releases/$1" {directory}/srv/next && mv -T {directory}/srv/next {directory}/srv/current\n'
    )
    ship.chmod(0o755)
    configured = {
        name: {"deployment": "qrl", "fault": [str(ship), BAD], "within": "60s", **drill}
        for name, drill in drills.items()
    }
    more = {"drills": configured, "deployment": {"sandbox": True}, "reconcile_every": "1s"}
    with stand(directory, autonomy=autonomy, **more) as here:
        here.start_alertmanager()
        here.start_prometheus(alertmanager=True)
        here.start_agent()
        here.await_good()
        yield here


def test_a_bad_release_is_seen_rolled_back_and_verified(tmp_path: Path) -> None:
    """Every part of the way is told with its time; the drill is on the record, in the metrics, and in the list."""
    with sandbox(tmp_path, bad_release={"branch": "service_down"}) as here:
        assert '{deployment="qrl",scenario="bad_release"} 0.0' in here.metrics()
        told = here.command("drill", "bad_release", *BY_HAND)

        parts = [line.split()[1] for line in told.splitlines()[1:-1]]
        assert parts == ["broken", "noticed", "decided", "done", "verified"]
        assert "Good: rolled back and verified" in told
        assert (here.live(), here.restarts()) == (GOOD, 1)
        assert [(one["decision"], one["actor"]) for one in here.audit() if one["decision"].startswith("drill")] == [
            ("drill:begin", "ada"),
            ("drill:good", "ada"),
        ]
        assert '{deployment="qrl",scenario="bad_release"} 0.0' not in here.metrics()
        assert "good, begun" in here.command("drill")
        here.eventually(lambda: here.incidents()[0]["state"] == "closed", 60)  # the next one begins where all is calm
        assert "latched" not in here.command("status")


def test_at_l3_the_drill_confirms_the_plan_where_it_may(tmp_path: Path) -> None:
    """With --confirm whoever drills is who approves."""
    with sandbox(tmp_path, autonomy="L3", bad_release={}) as here:
        found = json.loads(here.command("drill", "bad_release", "--confirm", "--json", *BY_HAND))
        assert found["good"]
        assert list(found["seconds"]) == ["broken", "noticed", "decided", "asked", "done", "verified"]
        (incident,) = here.incidents()
        assert incident["runs"][0]["approval"]["decided_by"] == "ada"


def test_a_fault_that_nothing_notices_fails_the_drill(tmp_path: Path) -> None:
    """And is taken away all the same; so is one that another branch noticed than the one it was made for."""
    mended = tmp_path / "mended"
    quiet = {"fault": ["/bin/true"], "mend": ["/usr/bin/touch", str(mended)], "within": "3s"}
    with sandbox(tmp_path, quiet=quiet, other={"branch": "payment_broken"}) as here:
        assert "no branch fired within 0:00:03" in here.command("drill", "quiet", code=1)
        assert mended.exists()
        assert "service_down decided, and not payment_broken" in here.command("drill", "other", code=1)
        assert "failed, begun" in here.command("drill")


def test_a_fault_that_must_be_put_to_a_person(tmp_path: Path) -> None:
    """At L3 it is asked and nothing is touched; a drill for which nothing may be touched fails where it was."""
    with sandbox(tmp_path, autonomy="L3", ask={"ends": "asked", "mend": [str(tmp_path / "ship.sh"), GOOD]}) as here:
        assert "a person is asked, and nothing was touched" in here.command("drill", "ask")
        assert (here.live(), here.restarts()) == (GOOD, 0)


def test_a_fault_that_must_be_left_alone(tmp_path: Path) -> None:
    """A rollback is then a failure; where the agent may not act, it is none."""
    with sandbox(tmp_path, alone={"ends": "untouched", "within": "10s"}) as here:
        here.command("autonomy", "set", "L1", "qrl")
        assert "nothing was touched within 0:00:10" in here.command("drill", "alone")
        here.ship(GOOD)
        here.eventually(lambda: here.incidents()[0]["state"] == "closed", 60)
        here.command("autonomy", "set", "L4", "qrl")
        assert "it was rolled back, and must not have been" in here.command("drill", "alone", code=1)


def test_nothing_is_broken_where_a_drill_cannot_be_judged(tmp_path: Path) -> None:
    """A kill switch, a latch, an open incident, an agent that does not run, a fault that cannot be brought about."""
    broken = tmp_path / "broken"
    touch = {"fault": ["/usr/bin/touch", str(broken)], "within": "3s"}
    with sandbox(tmp_path, touch=touch, cannot={"fault": ["/bin/false"]}) as here:
        assert "the fault could not be brought about: /bin/false ended with 1" in here.command(
            "drill", "cannot", code=1
        )
        here.command("kill-switch", "on")
        assert "the kill switch is on" in here.command("drill", "touch", code=1)
        here.command("kill-switch", "off")
        here.command("autonomy", "set", "L1", "qrl")
        here.ship(BAD)
        here.eventually(lambda: bool(here.incidents()), 60)
        assert "is open; a drill begins where nothing fires" in here.command("drill", "touch", code=1)
        assert "there is no drill nothing; the configuration has cannot, touch" in here.command(
            "drill", "nothing", code=1
        )
        assert here.agent is not None
        here.agent.stop()
        assert "rollback-agent serve is not running" in here.command("drill", "touch", code=1)
        assert not broken.exists()


def test_a_rehearsal_breaks_nothing(tmp_path: Path) -> None:
    """Its alert goes the real way, wakes nothing, and the plan is told; without a target that is the failure."""
    with sandbox(tmp_path) as here:
        told = here.command("drill", "--dry-run", "qrl", code=1)
        assert "the alert came to the agent after" in told
        assert "refused by target_release_valid" in told

        here.services.bad.clear()
        here.ship(BAD)
        here.await_good(BAD)
        found = json.loads(here.command("drill", "--dry-run", "qrl", "--json"))
        assert (found["good"], found["from"], found["to"]) == (True, BAD, GOOD)
        assert (here.live(), here.restarts(), here.incidents()) == (BAD, 0, [])
        assert 'rollback_alerts_total{outcome="drill"}' in here.metrics()
        assert 'rollback_drill_last_success_timestamp_seconds{deployment="qrl",scenario="rehearsal"}' in here.metrics()


def test_a_rehearsal_without_its_neighbours(tmp_path: Path) -> None:
    """Alertmanager that is down is said to be."""
    with sandbox(tmp_path) as here:
        assert here.alertmanager is not None
        here.alertmanager.stop()
        assert "Alertmanager at http://127.0.0.1" in here.command("drill", "--dry-run", "qrl", code=1)


def test_the_guides_function(tmp_path: Path) -> None:
    """`simulate_service_failure` does the drill that is named after the service, and no other."""
    with sandbox(tmp_path, kill_fastapi={}) as here:
        with pytest.raises(NotPossible, match="there is no drill kill_flask; the configuration has kill_fastapi"):
            simulate_service_failure("flask", here.config)
        good, reason = simulate_service_failure("fastapi", here.config, person="ada")
        assert (good, here.live()) == (True, GOOD), reason
