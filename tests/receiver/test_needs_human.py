"""The alert that calls a human says why, what was known, what was done, what to do next, and where to look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from receiver.journal import deployments, escalations, views
from receiver.journal.escalations import Escalation
from receiver.model import EscalationReason, RaisedAlert
from receiver.needs_human import needs_human
from receiver.redact import REDACTED
from receiver.redaction.known import known_secrets
from tests.receiver.agent import Agent
from tests.receiver.surroundings import BAD, GOOD

PAGE, RUNBOOK = "https://rollback.example", "https://wiki.example/RollbackNeedsHuman"


def called(agent: Agent, page: str | None = PAGE, runbook: str | None = RUNBOOK) -> RaisedAlert:
    """The alert of the newest escalation."""
    with agent.database.read() as tx:
        asked = escalations.find(tx)[-1]
        incident = views.incident(tx, asked.incident) if asked.incident else None
        latched = deployments.latch_of(tx, asked.deployment) is not None
    return needs_human(asked, incident, latched, page, runbook)


def test_a_failed_rollback_is_told_in_full(agent: Agent) -> None:
    """Reason, facts, what was done, three steps and the links."""
    agent.target.script = "echo the disk is full; exit 3"
    run = agent.go()

    alert = called(agent)

    (asked,) = asked_of(agent)
    assert alert.labels == {
        "alertname": "RollbackNeedsHuman",
        "deployment": "qrl",
        "reason": "rollback_failed",
        "severity": "critical",
        "escalation": asked.id,
        "incident": str(asked.incident),
    }
    said = alert.annotations
    assert said["summary"] == "qrl needs a human: the rollback failed"
    assert said["description"] == f"the command ended with exit code 3, {BAD} is live: the disk is full"
    assert said["facts"].splitlines() == [
        "ServiceDown fires in Prometheus (rank 1): action rollback, confidence 0.99",
        "deployment:availability:ratio: 0.25",
        "deployment:beyond_threshold:bool: 0",
        'service:availability:ratio{service="flask"}: 1',
    ]
    planned, backed_up, ran, latched = said["done"].splitlines()
    assert planned == f"Planned: fast rollback of {BAD} to {GOOD}"
    assert backed_up == f"Backed up to {run['backup']['directory']}"
    assert ran.endswith("exit code 3")
    assert latched == "qrl is latched: nothing more is done to it until a person clears it."
    look, _, answer = said["next_steps"].splitlines()
    assert look == f"1. See what the command printed, and which release is live: rollback-agent show {asked.incident}"
    assert answer.endswith(f"rollback-agent answer {asked.id} --done")
    assert said["link"] == alert.link == f"{PAGE}/incidents/{asked.incident}"
    assert said["runbook_url"] == RUNBOOK


def test_a_verdict_stands_beside_what_was_decided_on(agent: Agent) -> None:
    """After a rollback that did not help both values of a signal are told, and what verification missed."""
    agent.prometheus.when_asked = lambda _: None
    agent.go()
    agent.wait(601)

    said = called(agent).annotations

    assert "deployment:availability:ratio: 0.25, when verified 0.25" in said["facts"].splitlines()
    assert "Verification: no effect: ServiceDown still fires" in said["done"].splitlines()


def test_a_refusal_says_who_why_and_when(make_agent: Callable[..., Agent]) -> None:
    """Nothing was changed, and the guardrail is named."""
    agent = make_agent()
    agent.config.kill_switch.touch()
    agent.go()

    alert = called(agent)

    assert alert.labels["reason"] == "safety_check_failed"
    refused, planned, nothing = alert.annotations["done"].splitlines()
    assert refused.startswith("Refused by kill_switch: ")
    assert planned.startswith("Planned: ")
    assert nothing == "Nothing was changed."


def test_a_plan_that_waits_gives_the_line_that_confirms_it(make_agent: Callable[..., Agent]) -> None:
    """Whoever is called can decide from the alert alone."""
    agent = make_agent(decision={"execute_above": 0.995})
    run = agent.go()

    alert = called(agent)

    _, approve, deny = alert.annotations["next_steps"].splitlines()
    incident = alert.labels["incident"]
    assert approve == f"2. Go ahead: rollback-agent approve {incident} --plan {run['plan']['hash'][:8]}"
    assert deny == f"3. Or refuse: rollback-agent deny {incident} --comment WHY"


def test_without_a_decision_it_says_so(agent: Agent) -> None:
    """Where Prometheus is down there are no facts, and it is not told that all is well."""
    agent.wake()
    agent.prometheus.firing = ()
    agent.prometheus.unreadable = ("OddOne",)
    agent.work()

    said = called(agent).annotations

    assert said["facts"] == "No branch of the tree decided."
    assert said["done"] == "Nothing was changed."


def test_what_may_have_begun_is_not_called_nothing(agent: Agent) -> None:
    """Where the agent failed while the command may have run, nobody is told that nothing was changed."""

    def fail() -> None:
        if (agent.config.commands / agent.run()["id"] / "started").exists():
            raise RuntimeError("a fault of our own")

    agent.target.when_read = fail
    agent.go()
    assert agent.escalated() == ["agent_failed"]

    assert called(agent).annotations["done"].splitlines()[-2:] == [
        "The rollback may have begun; how far it came is not known.",
        "qrl is latched: nothing more is done to it until a person clears it.",
    ]


def test_outside_of_a_run_it_has_no_incident(agent: Agent) -> None:
    """An alert that the agent cannot read is told with the way to the page's front."""
    with agent.database.write() as tx:
        escalations.open_one(tx, "unknown", EscalationReason.UNKNOWN_PATTERN, "alert DiskFull (odd)", agent.clock())

    alert = called(agent)

    assert "incident" not in alert.labels
    assert alert.annotations["summary"] == "unknown needs a human: an alert came that the agent cannot read"
    assert alert.annotations["description"] == "alert DiskFull (odd)"
    assert alert.link == f"{PAGE}/"
    assert "rollback-agent status" in alert.annotations["next_steps"]


def test_without_addresses_there_are_no_links(agent: Agent) -> None:
    """Where nobody said how people reach the agent or its runbooks, no dead link is sent."""
    agent.target.script = "exit 1"
    agent.go()
    alert = called(agent, page=None, runbook=None)
    assert alert.link is None
    assert not {"link", "runbook_url"} & alert.annotations.keys()


def test_text_from_outside_stays_text_and_holds_no_secret(agent: Agent) -> None:
    """Escapes, bells and overlong output are taken out, lines stay lines, and no secret gets to a pager."""
    known_secrets.remember(b"hunter2-and-more")
    hostile = "\x1b[31mred\x07 \u202e hunter2-and-more\n{{ .Labels }} <script>$(reboot)" + "x" * 5000
    asked = replace(an_escalation(agent), summary=hostile)

    said = needs_human(asked, None, False, PAGE, RUNBOOK).annotations["description"]

    assert "hunter2" not in said
    assert REDACTED in said
    first, second = said.splitlines()
    assert first.isprintable()
    assert second.startswith("{{ .Labels }} <script>$(reboot)xxx")
    assert second.endswith("...")
    assert len(said) < 2100


def test_its_labels_are_those_of_one_alert(agent: Agent) -> None:
    """Whatever happens meanwhile to the incident, Alertmanager sees the same alert."""
    agent.target.script = "exit 1"
    agent.go()
    before = called(agent)
    with agent.database.write() as tx:
        deployments.clear_latch(tx, "qrl")

    after = called(agent)

    assert after.labels == before.labels
    assert after.annotations["done"] != before.annotations["done"]


def asked_of(agent: Agent) -> tuple[Escalation, ...]:
    with agent.database.read() as tx:
        return escalations.find(tx)


def an_escalation(agent: Agent) -> Escalation:
    with agent.database.write() as tx:
        escalations.open_one(tx, "qrl", EscalationReason.UNKNOWN_PATTERN, "odd", agent.clock())
    return asked_of(agent)[-1]
