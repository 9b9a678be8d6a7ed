"""A new configuration comes into force while the agent runs, or the old one stays."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.acceptance.stand import BAD, GOOD, OPERATOR, Stand, stand


def change(here: Stand, **keys: Any) -> None:
    """Replace top-level keys of the configuration file."""
    here.config.write_text(json.dumps(yaml.safe_load(here.config.read_text()) | keys))  # no alias, as YAML might have


def reload(here: Stand, token: str = OPERATOR) -> requests.Response:
    """Ask for a reload over HTTP."""
    return requests.post(f"{here.url}/-/reload", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def hang_up(here: Stand) -> None:
    """Ask for a reload by signal."""
    assert here.agent is not None
    here.agent.signal(signal.SIGHUP)


def value(here: Stand, series: str) -> float | None:
    """The value of a series of the agent's exposition."""
    found = [line.rsplit(" ", 1)[1] for line in here.metrics().splitlines() if line.startswith(f"{series} ")]
    return float(found[0]) if found else None


def with_shop(here: Stand) -> dict[str, Any]:
    """The deployments of the configuration, and `shop` beside them."""
    shop = here.directory / "shop"
    shutil.copytree(here.app, shop, symlinks=True)
    deployments: dict[str, Any] = yaml.safe_load(here.config.read_text())["deployments"]
    target = {"releases": {"path": str(shop), "restart": ["/bin/true"]}}
    return deployments | {"shop": deployments["qrl"] | {"target": target}}


def test_a_signal_brings_levels_limits_and_deployments_into_force(tmp_path: Path) -> None:
    """After SIGHUP autonomy and limits are the new ones, a new deployment is observed and one that is gone is not."""
    with stand(tmp_path) as here:
        here.start_agent()
        assert value(here, 'rollback_autonomy_level{deployment="qrl"}') == 4
        started = value(here, "rollback_config_last_reload_success_timestamp_seconds") or 0
        before = yaml.safe_load(here.config.read_text())["deployments"]

        change(here, autonomy="L1", guardrails={"daily_limit": {"limit": 7}}, deployments=with_shop(here))
        hang_up(here)
        live = f'release_info{{commit="{"0" * 40}",deployment="shop",release="{GOOD}"}}'
        here.eventually(lambda: value(here, live) == 1)

        assert value(here, 'rollback_autonomy_level{deployment="qrl"}') == 1
        assert value(here, 'rollback_budget_remaining{deployment="qrl"}') == 7
        assert (value(here, "rollback_config_last_reload_success_timestamp_seconds") or 0) > started
        assert value(here, "rollback_config_last_reload_successful") == 1

        change(here, deployments=before)
        hang_up(here)
        here.eventually(lambda: value(here, live) is None)
        assert value(here, 'rollback_autonomy_level{deployment="shop"}') is None


def test_a_bad_file_leaves_the_old_configuration(tmp_path: Path) -> None:
    """The metric tells, the log names each fault, the answer quotes nothing; repaired, the file comes into force."""
    with stand(tmp_path) as here:
        here.start_agent()
        good = here.config.read_text()
        here.config.write_text(good.replace("autonomy: L4", "autonomi: L1") + "hunter2: hunter2\n")

        answer = reload(here)

        assert (answer.status_code, "hunter2" in answer.text, str(here.config) in answer.text) == (500, False, False)
        assert value(here, "rollback_config_last_reload_successful") == 0
        assert value(here, 'rollback_autonomy_level{deployment="qrl"}') == 4
        logged = [json.loads(line) for line in (here.root / "logs" / "agent.log").read_text().splitlines()]
        faults = " ".join(str(line["context"].get("fault")) for line in logged)
        assert "autonomi: unknown key; did you mean 'autonomy'?" in faults
        assert "hunter2: unknown key" in faults

        change_listen = good.replace(here.url.removeprefix("http://"), "127.0.0.1:1")
        here.config.write_text(change_listen)
        assert reload(here).json()["error"].endswith("listen cannot change while the agent runs; restart it")

        here.config.write_text(good.replace("autonomy: L4", "autonomy: L2"))
        assert reload(here).json() == {"status": "reloaded"}
        assert value(here, 'rollback_autonomy_level{deployment="qrl"}') == 2
        assert value(here, "rollback_config_last_reload_successful") == 1


def test_the_token_follows(tmp_path: Path) -> None:
    """The old token brings the new one's file into force, and is none afterwards."""
    with stand(tmp_path) as here:
        here.start_agent()
        other = here.write_token("other", "another-token-that-only-tests-use")
        change(here, web={"tokens": {"other": {"file": str(other), "role": "operator"}}})

        assert [reload(here).status_code for _ in range(2)] == [200, 401]
        assert reload(here, other.read_text()).status_code == 200


def test_a_run_that_waits_for_a_person_goes_on_by_the_new_configuration(tmp_path: Path) -> None:
    """It keeps its plan and its question over a reload; the guardrails of its next phase are the new ones."""
    with stand(tmp_path, autonomy="L3") as here:
        here.go_wrong()
        plan = here.await_run(state="waiting")["plan"]["hash"]

        change(here, guardrails={"disk_space": {"minimum_bytes": 10**18}}, deployments=with_shop(here))
        assert reload(here).status_code == 200
        assert here.runs()[0]["state"] == "waiting"
        here.command("approve", here.incidents()[0]["id"], "--plan", plan[:8], "--as", "ada")

        run = here.await_run()
        assert (run["result"], run["permission"]["by"], here.live()) == ("refused", "ada", BAD)
        assert [refusal["guardrail"] for refusal in run["refusals"]] == ["disk_space"]


def test_a_run_that_was_planned_before_a_reload_is_carried_out(tmp_path: Path) -> None:
    """A reload that changes nothing of its deployment does not stand in the way of what a person then approves."""
    with stand(tmp_path, autonomy="L3") as here:
        here.go_wrong()
        plan = here.await_run(state="waiting")["plan"]["hash"]

        hang_up(here)
        here.eventually(lambda: "the configuration was reloaded" in (here.root / "logs" / "agent.log").read_text())
        here.command("approve", here.incidents()[0]["id"], "--plan", plan[:8], "--as", "ada")

        assert (here.await_run()["result"], here.live()) == ("restored", GOOD)


def test_a_run_of_a_deployment_that_is_gone_fails(tmp_path: Path) -> None:
    """Taken out of the configuration while its run waits, it is not touched, and a human is told."""
    with stand(tmp_path, autonomy="L3") as here:
        here.go_wrong()
        here.await_run(state="waiting")

        change(here, deployments={"shop": with_shop(here)["shop"]})
        assert reload(here).status_code == 200

        run = here.await_run()
        assert (run["result"], run["reason"]) == ("failed", "qrl is no longer in the configuration")
        assert (here.live(), here.restarts()) == (BAD, 0)
        (asked,) = here.incidents()[0]["escalations"]
        assert (asked["reason"], asked["state"]) == ("agent_failed", "open")


def test_the_process_tells_of_itself(tmp_path: Path) -> None:
    """The start time and the other usual metrics of a process are exposed: a rule reads the start time."""
    with stand(tmp_path) as here:
        here.start_agent()
        started, reloaded = (
            value(here, name)
            for name in ("process_start_time_seconds", "rollback_config_last_reload_success_timestamp_seconds")
        )
        assert started is not None
        assert reloaded is not None
        assert 0 < reloaded - started < 60
