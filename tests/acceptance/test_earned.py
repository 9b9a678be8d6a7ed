"""Earned autonomy with real parts: a branch that was confirmed and right is not asked about, until it was wrong."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.stand import BAD, GOOD, Stand, stand

SAID = ("--level", "yes", "--hotfix", "no", "--cause", "a typing error", "--as", "ada")
LIMITS = {"cooldown": {"period": "1s"}, "daily_limit": {"limit": 10}, "disk_space": {"minimum_bytes": 0}}


def break_again(here: Stand, state: str) -> str:
    """The bad release is shipped, fires and is told of; the new incident, once its run is in `state`."""
    known = len(here.incidents())
    here.ship(BAD)
    here.await_firing()
    here.notify()
    here.eventually(lambda: [one["runs"][-1]["state"] for one in here.incidents()[:-known]] == [state], 60)
    return str(here.incidents()[0]["id"])


def test_a_branch_earns_that_nobody_is_asked_and_loses_it(tmp_path: Path) -> None:
    """Asked, approved, reviewed as right: the next goes ahead; reviewed as needless: the one after is asked again."""
    needed = {"enabled": True, "precision": 0.2, "approved": 1}
    with stand(tmp_path, autonomy="L3", earned_autonomy=needed, guardrails=LIMITS) as here:
        assert "L4 for a branch that earns it: 1 approved" in here.command("check-config")
        here.go_wrong()
        plan = here.await_run(state="waiting")["plan"]["hash"]
        incident = here.incidents()[0]["id"]
        here.command("approve", incident, "--plan", plan[:8])
        assert here.await_run()["result"] == "restored"
        assert 'rollback_branch_autonomy_level{branch="service_down"' not in here.metrics()

        here.command("review", incident, "--necessary", "yes", *SAID)
        shown = " ".join(here.command("autonomy", "show", "qrl").split())
        assert "1 of 1 approved, lower bound of precision 0.206 of 0.2" in shown
        assert 'rollback_branch_autonomy_level{branch="service_down",deployment="qrl"} 4.0' in here.metrics()

        second = break_again(here, "finished")
        run = here.incidents()[0]["runs"][-1]
        assert (run["result"], run["approval"], here.live()) == ("restored", None, GOOD)
        assert run["permission"]["by"] == "autonomy L4 (earned)"
        assert "autonomy L4 (earned)" in Path(run["report"]).read_text()
        assert "nobody need be asked: earned by service_down" in here.command("explain", second)

        here.command("review", second, "--necessary", "no", *SAID)
        assert 'rollback_branch_autonomy_level{branch="service_down",deployment="qrl"} 3.0' in here.metrics()
        break_again(here, "waiting")
        assert here.incidents()[0]["runs"][-1]["approval"]["state"] == "pending"

        changes = [one for one in here.audit() if one["decision"] in ("autonomy:earned", "autonomy:lost")]
        assert [(one["decision"], one["metrics_used"]["change"]) for one in changes] == [
            ("autonomy:earned", 1),
            ("autonomy:lost", 2),
        ]
        status = here.command("status")
        for part in ("rolls back without asking from now on, at L4", "asks before each rollback again, at L3"):
            assert status.count(part) == 1
        assert 'rollback_escalations_total{deployment="qrl",reason="autonomy_changed"} 2.0' in here.metrics()
