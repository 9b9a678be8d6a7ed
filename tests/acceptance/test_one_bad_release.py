"""A bad release is shipped, and the agent does what its autonomy level says."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.acceptance.stand import AGENT, BAD, GOOD, REPOSITORY, stand
from tests.prometheus_versions import Version


def test_l4_rolls_back_by_itself_and_reports(tmp_path: Path) -> None:
    """At L4 a bad release is rolled back, verified and reported, and the bad one is held."""
    with stand(tmp_path, autonomy="L4") as here:
        here.start()
        here.ship(BAD)
        here.await_firing()

        assert here.notify().status_code == 202
        run = here.await_run()

        assert (run["result"], here.live(), here.restarts()) == ("restored", GOOD, 1)
        assert run["plan"]["target_release"] == GOOD
        assert [step["name"] for step in run["steps"]] == [
            "evaluate", "guard", "approve", "claim", "back_up", "execute", "verify", "report",
        ]  # fmt: skip
        report = Path(run["report"]).read_text()
        assert "restored" in report
        assert GOOD in report
        assert "execute" in [record["decision"] for record in here.audit()]
        assert f'rollback_held_release_info{{deployment="qrl",release="{BAD}"}} 1.0' in here.metrics()


def test_shipped_rules_and_configuration_bring_the_good_release_back(tmp_path: Path, version: Version) -> None:
    """Shipped rules, both servers of each version: bad at 0, fires after 20 s, restored without a hand."""
    with stand(tmp_path, autonomy="L4") as here:
        here.version = version
        here.start_alertmanager()
        here.start_prometheus(REPOSITORY / "alert-rules" / "decision-tree.rules.yml", alertmanager=True)
        here.start_agent()
        here.await_good()
        here.ship(BAD)

        here.stays(lambda: here.live() == BAD, 15)  # three failed checks have to come first
        run = here.await_run(timeout=60)

        assert (run["result"], here.live(), here.restarts()) == ("restored", GOOD, 1)
        assert run["decision"]["branch"] == "service_down"
        assert run["notified_at"] is not None


def test_l3_asks_and_goes_on_when_a_person_approves_the_plan(tmp_path: Path) -> None:
    """At L3 nothing is touched until a person approves this very plan."""
    with stand(tmp_path, autonomy="L3") as here:
        here.go_wrong()

        run = here.await_run(state="waiting")
        incident = here.incidents()[0]["id"]
        shown = here.command("show", incident)
        plan = run["plan"]["hash"][:8]
        assert f"rollback-agent approve {incident} --plan {plan}" in shown
        assert 'rollback_approvals_pending{deployment="qrl"} 1.0' in here.metrics()
        assert "is not the plan" in here.command("approve", incident, "--plan", "0" * 8, code=1)
        assert "at least the first 8" in here.command("approve", incident, "--plan", plan[:4], code=1)
        assert (here.live(), here.restarts()) == (BAD, 0)

        assert "Approved as ada" in here.command("approve", incident, "--plan", plan, "--as", "ada")
        run = here.await_run()
        assert (run["result"], here.live(), here.restarts()) == ("restored", GOOD, 1)
        assert run["permission"]["by"] == "ada"
        assert "already approved by ada" in here.command("approve", incident, "--plan", plan, code=1)


def test_a_denied_plan_ends_the_run_and_latches(tmp_path: Path) -> None:
    """A person's no ends the run; nothing is rolled back until the deployment is cleared."""
    with stand(tmp_path, autonomy="L3") as here:
        here.go_wrong()
        here.await_run(state="waiting")
        incident = here.incidents()[0]["id"]

        here.command("deny", incident, "--as", "ada", "--comment", "we fix it forward")
        run = here.await_run()

        assert (run["result"], here.live(), here.restarts()) == ("denied", BAD, 0)
        assert "we fix it forward" in run["reason"]
        assert 'rollback_latched{deployment="qrl"} 1.0' in here.metrics()
        assert "denied by ada: we fix it forward" in here.command("status")
        assert "evaluates it again now" in here.command("clear", "qrl", "--as", "ada")
        assert 'rollback_latched{deployment="qrl"} 0.0' in here.metrics()
        here.eventually(lambda: [run["state"] for run in here.runs()] == ["finished", "waiting"])


def test_l2_reports_a_diagnosis_and_touches_nothing(tmp_path: Path) -> None:
    """At L2 a bad release is diagnosed: checks, signals, releases, failed requests are told; nothing is executed."""
    current, log = tmp_path / "srv" / "current", tmp_path / "access.log"
    is_good = ["/bin/sh", "-c", f'test "$(readlink {current})" = releases/{GOOD}']
    check = {"name": "home", "kind": "availability", "command": {"argv": is_good}}
    exporter = tmp_path / "exporter.yml"
    exporter.write_text(yaml.safe_dump({"deployments": {"qrl": {"services": {"flask": {"checks": [check]}}}}}))
    lines = [f'1.2.3.4 - - [t] "GET /{n}?token=hunter2 HTTP/1.1" {200 + 300 * (n % 2)} 5' for n in range(10)]
    log.write_text("\n".join(lines) + "\n")
    health = [str(AGENT), "health", "--json", "--config", str(exporter)]
    diagnosis = {"health": health, "access_logs": [str(log), str(tmp_path / "absent.log")], "lines": 3}
    with stand(tmp_path, autonomy="L2", deployment={"diagnosis": diagnosis}) as here:
        here.go_wrong()

        run = here.await_run()

        assert (run["result"], here.live(), here.restarts()) == ("recorded", BAD, 0)
        assert "execute" not in [record["decision"] for record in here.audit()]
        report = Path(run["report"]).read_text().replace("\\", "")
        assert "| `flask` | `home` | `availability` | **failed**: exit_code: exit code 1, expected 0 |" in report
        assert "| `deployment:availability:ratio` | 0 |" in report
        assert f"| `{BAD}` | " in report
        assert re.findall(r"^    1.2.3.4 .* \"GET /(\d)", report, re.MULTILINE) == ["5", "7", "9"]
        assert f"Missing: no failed requests of {tmp_path}/absent.log: No such file or directory" in report
        shown = here.command("show", here.incidents()[0]["id"])
        assert "failed: exit_code: exit code 1, expected 0" in shown
