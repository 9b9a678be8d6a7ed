"""The guardrails refuse a real rollback, and say who, why and when."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.services import FAST_TREE
from tests.acceptance.stand import BAD, GOOD, stand


def test_the_kill_switch_refuses(tmp_path: Path) -> None:
    """While it is on, over restarts, nothing is executed; the "no" is audited, counted and reported."""
    with stand(tmp_path) as here:
        here.start_prometheus()
        agent = here.start_agent()
        here.await_good()
        here.command("kill-switch", "on", "--as", "ada")
        agent.stop()
        here.start_agent()
        here.ship(BAD)
        here.await_firing()
        here.notify()

        run = here.await_run()

        assert (run["result"], here.live(), here.restarts()) == ("refused", BAD, 0)
        assert [refusal["guardrail"] for refusal in run["refusals"]] == ["kill_switch"]
        assert 'rollback_refusals_total{deployment="qrl",guardrail="kill_switch"} 1.0' in here.metrics()
        assert "kill_switch" in Path(run["report"]).read_text()
        assert "guard:refused" in [record["decision"] for record in here.audit()]


def test_a_second_rollback_within_the_cooldown_is_refused(tmp_path: Path) -> None:
    """A bad release right after a rollback is not rolled back; the refusal says when to ask again."""
    with stand(tmp_path) as here:
        worse = "20261103-1200-worse"
        (here.app / "releases" / worse).mkdir()
        (here.app / "releases" / worse / "REVISION").write_text("2" * 40)
        here.services.bad.add(worse)
        here.go_wrong()
        first = here.await_run()
        assert first["result"] == "restored"

        here.ship(worse)  # at once: the agent has not looked around by itself since
        here.await_firing()
        here.notify()
        here.eventually(lambda: len(here.runs()) == 2 and here.runs()[0]["state"] == "finished", 30)

        second = here.runs()[0]
        assert (second["result"], here.live(), here.restarts()) == ("refused", worse, 1)
        (refusal,) = second["refusals"]
        assert refusal["guardrail"] == "cooldown"
        assert 295 < refusal["retry_at"] - first["command_started_at"] < 305
        assert here.incidents()[0]["escalations"][0]["reason"] == "limit_reached"


def test_a_command_that_fails_latches_and_asks_a_human(tmp_path: Path) -> None:
    """A rollback command that ends with an error is not tried again; the report holds its last words."""
    with stand(tmp_path) as here:
        here.restart.write_text(f"#!/bin/sh\necho x >> {here.calls}\necho the supervisor is gone\nexit 3\n")
        here.go_wrong()

        run = here.await_run()

        assert (run["result"], here.restarts()) == ("failed", 1)
        assert "exit code 3" in run["reason"]
        assert "the supervisor is gone" in Path(run["report"]).read_text()
        assert 'rollback_latched{deployment="qrl"} 1.0' in here.metrics()
        assert here.incidents()[0]["escalations"][0]["reason"] == "rollback_failed"


def test_no_known_good_release_is_no_target(tmp_path: Path) -> None:
    """Where no release has proved good, nothing is rolled back to."""
    with stand(tmp_path, good_after="1h") as here:
        here.ship(BAD)
        here.start_prometheus()
        here.start_agent()
        here.await_firing()
        here.notify()

        run = here.await_run()

        assert (run["result"], here.live()) == ("refused", BAD)
        assert [refusal["guardrail"] for refusal in run["refusals"]] == ["target_release_valid"]
        assert GOOD not in (run["plan"]["target_release"] or "")


def test_a_good_release_on_which_a_branch_fires_is_no_target_any_more(tmp_path: Path) -> None:
    """A release that proved good and breaks later has to prove good anew before anything is rolled back to it."""
    with stand(tmp_path, autonomy="L3") as here:
        here.services.bad.clear()
        here.start()
        here.ship(BAD)
        here.await_good(BAD)

        here.services.bad.add(BAD)
        here.await_firing()
        here.notify()

        assert here.await_run(state="waiting")["plan"]["target_release"] == GOOD
        assert f'rollback_release_good_info{{deployment="qrl",release="{BAD}"}}' not in here.metrics()


def test_an_open_transaction_refuses_and_so_does_a_silence(tmp_path: Path) -> None:
    """A writer that holds the database, and a maintenance window in Alertmanager, each keep the release where it is."""
    limits = {"pending_transactions": {"older_than": "500ms"}}
    with stand(tmp_path, guardrails=limits) as here:
        here.start()
        id_ = here.silence("deployment", "qrl")
        with closing(sqlite3.connect(here.app / "shared" / "qrl.db", isolation_level=None)) as service:
            service.execute("begin immediate")
            here.ship(BAD)
            here.await_firing()
            here.notify()

            run = here.await_run()

        assert (run["result"], here.live(), here.restarts()) == ("refused", BAD, 0)
        refused = {refusal["guardrail"]: refusal for refusal in run["refusals"]}
        assert sorted(refused) == ["pending_transactions", "silenced"]
        assert "qrl.db: it has been locked by a transaction for 0.5 s" in refused["pending_transactions"]["reason"]
        assert f"silence {id_}" in refused["silenced"]["reason"]
        assert refused["silenced"]["retry_at"] - run["created_at"] > 3000


def test_after_a_deploy_that_refused_it_the_rollback_goes_on(tmp_path: Path) -> None:
    """A bad release that fires while its pipeline is still at it is rolled back once the pipeline is done."""
    with stand(tmp_path, reconcile_every="500ms") as here:
        here.start()
        here.command("release", "start", "qrl", BAD, "--as", "ci")
        here.ship(BAD)
        here.await_firing()
        here.eventually(lambda: [run["result"] for run in here.runs()] == ["refused"], 30)
        assert [refusal["guardrail"] for refusal in here.runs()[0]["refusals"]] == ["release_in_progress"]
        assert here.live() == BAD

        here.command("release", "finish", "qrl", BAD, "--as", "ci")

        here.eventually(lambda: [run["result"] for run in here.runs()] == ["refused", "restored"], 30)
        assert (here.live(), here.restarts()) == (GOOD, 1)


def test_behind_an_irreversible_migration_the_refusal_says_what_to_do(tmp_path: Path) -> None:
    """A release whose pipeline reported such a migration stays, until what the refusal says has been done."""
    with stand(tmp_path) as here:
        here.start()
        here.command("release", "start", "qrl", BAD, "--as", "ci")
        here.ship(BAD)
        here.command("release", "finish", "qrl", BAD, "--migration", "ok", "--irreversible", "--as", "ci")
        here.await_firing()
        here.notify()

        run = here.await_run()

        assert (run["result"], here.live(), here.restarts()) == ("refused", BAD, 0)
        (refusal,) = run["refusals"]
        assert refusal["guardrail"] == "irreversible_migration"
        *_, command, rest = refusal["reason"].split("`")
        assert rest == ""
        assert command in Path(run["report"]).read_text()
        (asked,) = here.incidents()[0]["escalations"]

        here.command(*command.split()[1:], "--as", "ada")
        here.command("answer", asked["id"], "--retry", "--as", "ada")

        here.eventually(lambda: [one["result"] for one in here.runs()] == ["refused", "restored"], 60)
        assert (here.live(), here.restarts()) == (GOOD, 1)


def rule(alert: str, **labels: str) -> dict[str, Any]:
    """A rule that fires while the branch of `qrl` does, with these labels."""
    expr = 'deployment:availability:ratio{deployment="qrl"} < 0.5'
    return {"alert": alert, "expr": expr, "labels": labels}


BRANCH = FAST_TREE["groups"][0]["rules"][0]["labels"]
STORMS = {
    "4 deployments ask for a rollback at once (pay, qrl, search, shop), 3 may": [
        rule("ServiceDown", **BRANCH, deployment=name) for name in ("pay", "search", "shop")
    ],
    "PostgresDown fires, which is about what several deployments share": [rule("PostgresDown")],
    "": [rule("ServiceDown", **BRANCH, deployment=name) for name in ("pay", "search")],
}
"""What fires beside the branch of `qrl`, by what is said of it; three deployments are no storm yet."""


@pytest.mark.parametrize("reason", STORMS, ids=["many deployments", "a shared dependency", "as many as may"])
def test_in_a_storm_nobody_is_rolled_back(tmp_path: Path, reason: str) -> None:
    """What else fires is read from Prometheus, also of deployments that this agent does not watch."""
    tree = deepcopy(FAST_TREE)
    tree["groups"][0]["rules"] += STORMS[reason]
    with stand(tmp_path, guardrails={"storm": {"dependencies": ["PostgresDown"]}}) as here:
        here.start_prometheus(tree)
        here.start_agent()
        here.await_good()
        here.ship(BAD)
        here.await_firing()
        here.notify()

        run = here.await_run()

        refused = {(one["guardrail"], one["reason"]) for one in run["refusals"]}
        if not reason:
            assert (run["result"], here.live(), refused) == ("restored", GOOD, set())
            return
        assert (run["result"], here.live(), here.restarts()) == ("refused", BAD, 0)
        assert refused == {("storm", reason)}
        assert 'rollback_refusals_total{deployment="qrl",guardrail="storm"} 1.0' in here.metrics()
        assert reason in Path(run["report"]).read_text()
        assert [one["reason"] for one in here.incidents()[0]["escalations"]] == ["safety_check_failed"]
