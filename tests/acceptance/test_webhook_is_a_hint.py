"""Whatever is posted, Prometheus decides; and what Prometheus cannot say goes to a human."""

from __future__ import annotations

import copy
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.acceptance.stand import BAD, FAST_TREE, GOOD, alert, stand


def test_a_forged_notification_starts_nothing(tmp_path: Path) -> None:
    """A notification of an alert that does not fire in Prometheus begins no run."""
    with stand(tmp_path) as here:
        here.start()

        assert here.notify().status_code == 202

        here.eventually(lambda: "Prometheus shows no firing branch" in (tmp_path / "agent.log").read_text(), 30)
        assert here.runs() == []
        assert (here.live(), here.restarts()) == (GOOD, 0)


def test_five_at_once_and_one_later_are_one_run(tmp_path: Path) -> None:
    """Five identical notifications at once begin one run, and a sixth after its end begins none (T2)."""
    with stand(tmp_path) as here:
        here.start()
        here.ship(BAD)
        here.await_firing()

        with ThreadPoolExecutor(5) as pool:
            answers = [future.result() for future in [pool.submit(here.notify) for _ in range(5)]]
        assert [answer.status_code for answer in answers] == [202] * 5
        assert here.await_run()["result"] == "restored"

        assert here.notify().status_code == 202
        here.eventually(lambda: "Prometheus shows no firing branch" in (tmp_path / "agent.log").read_text(), 30)
        assert len(here.runs()) == 1
        assert here.restarts() == 1


def test_what_still_fires_after_a_run_begins_no_second_one(tmp_path: Path) -> None:
    """One attempt: where the rollback did not help, repeated notifications start nothing more."""
    with stand(tmp_path, deployment={"verify": {"timeout": "3s"}}) as here:
        here.start()
        here.services.broken = True
        here.ship(BAD)
        here.await_firing()
        here.notify()

        assert here.await_run()["result"] == "no_effect"
        here.notify()
        here.stays(lambda: len(here.runs()) == 1, 3)
        assert (here.live(), here.restarts()) == (GOOD, 1)
        assert 'rollback_latched{deployment="qrl"} 0.0' in here.metrics(), "the release is not to blame, and not held"


def test_without_prometheus_nothing_is_rolled_back_and_a_human_is_asked(tmp_path: Path) -> None:
    """Prometheus stopped before the decision: no rollback, an open escalation, and an answer closes it."""
    with stand(tmp_path) as here:
        here.start()
        here.ship(BAD)
        here.await_firing()
        assert here.prometheus is not None
        here.prometheus.stop()

        here.notify()
        run = here.await_run()

        assert (run["result"], here.live(), here.restarts()) == ("missing_data", BAD, 0)
        is_open = 'rollback_escalations_open{deployment="qrl",reason="missing_data"}'
        assert f"{is_open} 1.0" in here.metrics()
        (escalation,) = here.incidents()[0]["escalations"]
        assert escalation["id"] in here.command("status")
        assert "Prometheus" in escalation["summary"]
        assert escalation["id"] in Path(run["report"]).read_text()

        here.command("answer", escalation["id"], "--done", "--as", "ada")
        assert f"{is_open} 0.0" in here.metrics()
        assert "already answered by ada" in here.command("answer", escalation["id"], "--done", code=1)


def test_a_person_may_let_the_agent_try_again(tmp_path: Path) -> None:
    """After "retry" the agent evaluates anew, and Prometheus, back again, lets it roll back."""
    with stand(tmp_path) as here:
        here.start()
        here.ship(BAD)
        here.await_firing()
        assert here.prometheus is not None
        here.prometheus.stop()
        here.notify()
        here.await_run()
        here.start_prometheus()
        here.await_firing()
        here.notify()
        here.stays(lambda: len(here.runs()) == 1, 2)

        (escalation,) = here.incidents()[0]["escalations"]
        here.command("answer", escalation["id"], "--retry", "--as", "ada")

        here.eventually(lambda: [run["result"] for run in here.runs()] == ["missing_data", "restored"], 30)
        assert (here.live(), here.restarts()) == (GOOD, 1)


def test_an_alert_that_a_killed_prometheus_left_behind_is_no_fact(tmp_path: Path) -> None:
    """A Prometheus that was killed shows its last alerts for five minutes; what is too old rolls nothing back."""
    prometheus = {"url": "", "max_age": "3s"}
    with stand(tmp_path) as here:
        prometheus["url"] = f"http://127.0.0.1:{here.ports['prometheus']}"
        here.write_config(prometheus=prometheus)
        here.start()
        here.ship(BAD)
        here.await_firing()
        assert here.prometheus is not None
        here.prometheus.process.signal(signal.SIGKILL)
        here.prometheus.stop()
        here.ship(GOOD)  # mended by hand meanwhile
        time.sleep(3)
        # Without the rule nobody writes that the alert has ended; with it, that is a matter of luck.
        here.start_prometheus({"groups": []})
        here.eventually(lambda: bool(here.prometheus_says("deployment:availability:ratio == 1")))
        assert here.prometheus_says('ALERTS{alertstate="firing"}'), "the old alert is still readable"

        here.notify()

        here.eventually(lambda: "Prometheus shows no firing branch" in (tmp_path / "agent.log").read_text(), 30)
        assert here.runs() == []
        assert here.restarts() == 0


def test_a_branch_that_only_asks_does_not_hide_a_worse_one(tmp_path: Path) -> None:
    """After a branch that only asks a human, a rollback branch in the same incident still acts."""
    tree = copy.deepcopy(FAST_TREE)
    labels = {"branch": "slow_responses", "rank": "13", "action": "ask"}
    slow = {"alert": "SlowResponses", "expr": "deployment:availability:ratio >= 0", "labels": labels}
    tree["groups"][0]["rules"].append(slow)
    with stand(tmp_path, good_after="1ms") as here:
        here.start()
        assert here.prometheus is not None
        here.prometheus.stop()
        here.start_prometheus(tree)
        here.await_firing("slow_responses")
        here.notify(alert(alertname="SlowResponses", deployment="qrl", branch="slow_responses"))
        assert here.await_run()["result"] == "asked"

        here.ship(BAD)
        here.await_firing()
        here.notify()

        here.eventually(lambda: [run["result"] for run in here.runs()] == ["asked", "restored"], 30)
        assert len(here.incidents()) == 1
        assert (here.live(), here.restarts()) == (GOOD, 1)


def test_an_unknown_pattern_goes_to_a_human(tmp_path: Path) -> None:
    """An alert of a deployment that nobody configured, and one without a branch, are told to a human, once each."""
    with stand(tmp_path) as here:
        here.start_prometheus()
        here.start_agent()

        for _ in range(2):
            here.notify(
                alert(alertname="Odd", deployment="qrl"),
                alert(alertname="Stray", branch="service_down", deployment="other"),
            )

        metrics = here.metrics
        here.eventually(lambda: 'rollback_escalations_open{deployment="qrl",reason="unknown_pattern"} 1.0' in metrics())
        here.eventually(
            lambda: 'rollback_escalations_open{deployment="unknown",reason="unknown_pattern"} 1.0' in metrics()
        )
        assert here.runs() == []


def test_what_fired_while_the_agent_was_down_is_found(tmp_path: Path) -> None:
    """A branch that began to fire while the agent was down is seen at its start, without any notification."""
    with stand(tmp_path) as here:
        here.start_prometheus()
        here.start_agent().await_ready(f"{here.url}/-/ready")
        here.await_good()
        assert here.agent is not None
        here.agent.stop()
        here.ship(BAD)
        here.await_firing()

        here.start_agent()
        run = here.await_run()

        assert (run["result"], run["notified_at"], here.live()) == ("restored", None, GOOD)
