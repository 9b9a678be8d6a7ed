"""A person is called through a real Alertmanager, whatever is down meanwhile, until an answer is given."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from demo.monitoring import start_prometheus
from tests.acceptance.pager import Pager, pager
from tests.acceptance.stand import BAD, GOOD, REPOSITORY, TOKEN, Stand, alert, stand

PAGE, RUNBOOK = "https://rollback.example", "https://wiki.example/RollbackNeedsHuman"
LAPSES_AFTER = 10.0
"""Seconds after which Alertmanager forgets what it is not told again, at one telling a second."""
CALL = {"alertname": "RollbackNeedsHuman"}


@pytest.fixture
def phone() -> Iterator[Pager]:
    """Where the person is called."""
    with pager() as answering:
        yield answering


def configure(here: Stand, every: str = "1s", **alertmanager: str) -> None:
    """Where people reach the agent of a stand, whose ports are known only now, and how often it tells Alertmanager."""
    address = {"url": f"http://127.0.0.1:{here.ports['alertmanager']}", "resend_every": every, "runbook_url": RUNBOOK}
    here.write_config(web={"external_url": PAGE}, alertmanager=address | alertmanager)


def active(here: Stand) -> list[dict[str, Any]]:
    """The calls that Alertmanager has at this moment."""
    url = f"http://127.0.0.1:{here.ports['alertmanager']}/api/v2/alerts"
    found: list[dict[str, Any]] = requests.get(
        url, params={"filter": 'alertname="RollbackNeedsHuman"'}, timeout=5
    ).json()
    return found


def ask(here: Stand, name: str) -> None:
    """Let the agent meet an alert of the deployment that it cannot read, which is for a person."""
    assert here.notify(alert(alertname=name, deployment="qrl")).status_code == 202


def escalations(here: Stand) -> dict[str, str]:
    """The id of each open escalation by the alert that it names."""
    found = yaml.safe_load(here.command("status", "--json"))["escalations"]
    return {one["summary"].split()[1]: one["id"] for one in found}


def test_a_failed_rollback_calls_a_person_until_it_is_answered(tmp_path: Path, phone: Pager) -> None:
    """The call says all, is kept alive, comes back to an Alertmanager that forgot it, and ends with the answer."""
    with stand(tmp_path) as here:
        configure(here)
        here.start_alertmanager(phone.url)
        here.restart.write_text("#!/bin/sh\necho the disk is full\nexit 3\n")
        here.go_wrong()
        here.await_run()
        here.eventually(lambda: phone.is_firing(**CALL), 10)
        incident = here.incidents()[0]
        (asked,) = incident["escalations"]

        call = phone.newest(**CALL)
        assert call is not None
        assert call["labels"] == CALL | {
            "deployment": "qrl",
            "reason": "rollback_failed",
            "severity": "critical",
            "escalation": asked["id"],
            "incident": incident["id"],
        }
        said = call["annotations"]
        assert said["summary"] == "qrl needs a human: the rollback failed"
        assert said["description"] == asked["summary"]
        assert "the disk is full" in said["description"]
        assert "deployment:availability:ratio: 0" in said["facts"].splitlines()
        assert f"Planned: fast rollback of {BAD} to {GOOD}" in said["done"].splitlines()
        assert f"rollback-agent show {incident['id']}" in said["next_steps"]
        assert [step[:2] for step in said["next_steps"].splitlines()] == ["1.", "2.", "3."]
        assert said["link"] == call["generatorURL"] == f"{PAGE}/incidents/{incident['id']}"
        assert said["runbook_url"] == RUNBOOK

        here.stays(lambda: len(active(here)) == 1, LAPSES_AFTER + 3)
        assert not phone.has_ended(**CALL)
        assert here.alertmanager is not None
        here.alertmanager.stop()
        shutil.rmtree(tmp_path / "alertmanager" / "alertmanager-data")
        phone.told.clear()
        here.start_alertmanager(phone.url)
        here.eventually(lambda: phone.is_firing(escalation=asked["id"]), 30)

        here.command("answer", asked["id"], "--done", "--as", "ada")
        here.eventually(lambda: phone.has_ended(escalation=asked["id"]), 30)
        assert 'rollback_escalations_undelivered{deployment="qrl",reason="rollback_failed"} 0.0' in here.metrics()


def test_what_happens_while_alertmanager_is_down_is_told_when_it_is_back(tmp_path: Path, phone: Pager) -> None:
    """Killed with -9 before it could tell, the agent tells from its journal; killed again, it tells the end."""
    with stand(tmp_path) as here:
        configure(here, every="5s")
        here.start_alertmanager(phone.url)
        here.start_agent()
        assert here.alertmanager is not None
        here.alertmanager.stop()
        ask(here, "Odd")
        line = 'rollback_escalations_undelivered{deployment="qrl",reason="unknown_pattern"} 1.0'
        here.eventually(lambda: line in here.metrics())
        here.eventually(lambda: delivered(here, "failed") > 0)
        kill(here)
        here.start_agent()
        assert phone.told == []

        here.start_alertmanager(phone.url)
        here.eventually(lambda: phone.is_firing(**CALL), 30)
        # Else it may be killed before the journal has that Alertmanager took it: then the alert ends by lapsing.
        here.eventually(lambda: delivered(here, "raised") > 0)

        kill(here)
        here.command("answer", escalations(here)["Odd"], "--done", "--as", "ada")
        here.start_agent()
        here.eventually(lambda: phone.has_ended(**CALL), 60)
        here.eventually(lambda: delivered(here, "ended") == 1)


def test_each_answer_ends_its_call_and_no_other(tmp_path: Path, phone: Pager) -> None:
    """Retry, give up, and done by hand; the one that nobody answered goes on."""
    with stand(tmp_path) as here:
        configure(here, every="5s")
        here.start_alertmanager(phone.url)
        here.start_agent()
        for name in ("Retried", "GivenUp", "Done", "Ignored"):
            ask(here, name)
        here.eventually(lambda: len(active(here)) == 4)
        ids = escalations(here)
        here.eventually(lambda: all(phone.is_firing(escalation=one) for one in ids.values()))

        here.command("answer", ids["Retried"], "--retry", "--as", "ada")
        here.command("answer", ids["GivenUp"], "--give-up", "--as", "ada")
        here.command("answer", ids["Done"], "--done", "--as", "ada")

        answered = [id_ for name, id_ in ids.items() if name != "Ignored"]
        here.eventually(lambda: all(phone.has_ended(escalation=one) for one in answered), 60)
        (left,) = active(here)
        assert left["labels"]["escalation"] == ids["Ignored"]
        assert left["status"]["state"] == "active"


def test_hostile_text_is_told_as_text(tmp_path: Path, phone: Pager) -> None:
    """An alert's name full of tricks calls a person, with its escapes, its template and its secret harmless."""
    hostile = f"\x1b[2J{{{{ .ExternalURL }}}}<script>alert(1)</script>$(reboot)\u202e{TOKEN}\u2713"
    with stand(tmp_path) as here:
        configure(here)
        here.start_alertmanager(phone.url)
        here.start_agent()
        ask(here, hostile)
        here.eventually(lambda: phone.is_firing(**CALL))
        call = phone.newest(**CALL)
        assert call is not None
        said = call["annotations"]["description"]
        assert said.isprintable()
        assert "{{ .ExternalURL }}<script>alert(1)</script>$(reboot)" in said
        assert TOKEN not in str(phone.told)
        assert "\u2713" in said


@pytest.mark.parametrize("reaches_alertmanager", [True, False])
def test_people_are_called_once_whichever_way(tmp_path: Path, phone: Pager, reaches_alertmanager: bool) -> None:
    """Where the agent reaches Alertmanager only its own call arrives, and nothing after the answer; else the rule's."""
    with stand(tmp_path) as here:
        configure(here, every="5s", **({} if reaches_alertmanager else {"url": "http://127.0.0.1:1"}))
        here.start_alertmanager(phone.url)
        here.start_agent()
        watch_the_agent(here)
        ask(here, "Odd")

        if reaches_alertmanager:
            here.eventually(lambda: phone.is_firing(**CALL))
            here.eventually(lambda: bool(here.prometheus_says(OPEN)), 30)
            here.stays(lambda: phone.names() == {"RollbackNeedsHuman"}, 5)
            here.command("answer", escalations(here)["Odd"], "--done", "--as", "ada")
            here.eventually(lambda: phone.has_ended(**CALL), 60)
            here.stays(lambda: phone.names() == {"RollbackNeedsHuman"}, 5)
        else:
            here.eventually(lambda: phone.is_firing(alertname="RollbackEscalationOpen"), 30)
            call = phone.newest(alertname="RollbackEscalationOpen")
            assert call is not None
            assert (call["labels"]["deployment"], call["labels"]["reason"]) == ("qrl", "unknown_pattern")
            here.eventually(lambda: phone.is_firing(alertname="RollbackEscalationUndelivered"), 30)
            here.command("answer", escalations(here)["Odd"], "--done", "--as", "ada")
            here.eventually(lambda: phone.has_ended(alertname="RollbackEscalationOpen"), 30)
            assert "RollbackNeedsHuman" not in phone.names()


def test_a_silence_mutes_a_call_and_answers_nothing(tmp_path: Path, phone: Pager) -> None:
    """A person who wants quiet has it; the question stays open."""
    with stand(tmp_path) as here:
        configure(here)
        here.start_alertmanager(phone.url)
        here.start_agent()
        here.silence("deployment", "qrl")
        ask(here, "Odd")
        here.eventually(lambda: [one["status"]["state"] for one in active(here)] == ["suppressed"])
        here.stays(lambda: phone.told == [], 3)
        assert list(escalations(here)) == ["Odd"]


OPEN = 'ALERTS{alertname="RollbackEscalationOpen", alertstate="firing"}'


def watch_the_agent(here: Stand) -> None:
    """A real Prometheus with the agent's own rules about escalations, which wait for a second only.

    It looks every four seconds: so long it does not know of an answer, and still rings.
    """
    rules = yaml.safe_load((REPOSITORY / "alert-rules" / "agent.rules.yml").read_text())
    (group,) = rules["groups"]
    group["interval"] = "4s"
    group["rules"] = [rule | {"for": "1s"} for rule in group["rules"] if "RollbackEscalation" in rule["alert"]]
    file = here.directory / "agent.rules.yml"
    file.write_text(yaml.safe_dump(rules))
    config = {
        "global": {"scrape_interval": "4s", "scrape_timeout": "1s"},
        "rule_files": [str(file)],
        "scrape_configs": [
            {"job_name": "rollback-agent", "static_configs": [{"targets": [here.url.removeprefix("http://")]}]}
        ],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{here.ports['alertmanager']}"]}]}]},
    }
    here.stack.callback(start_prometheus(here.directory / "prometheus", config, here.ports["prometheus"]).stop)


def delivered(here: Stand, outcome: str) -> float:
    """How often that became of an attempt to tell Alertmanager."""
    found = re.search(
        rf'^rollback_escalation_deliveries_total{{outcome="{outcome}"}} (\S+)$', here.metrics(), re.MULTILINE
    )
    assert found is not None
    return float(found[1])


def kill(here: Stand) -> None:
    """kill -9 the agent."""
    assert here.agent is not None
    here.agent.signal(signal.SIGKILL)
    here.eventually(lambda: here.agent is not None and not here.agent.running)
