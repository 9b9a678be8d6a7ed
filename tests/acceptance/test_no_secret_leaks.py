"""Secrets are planted wherever one can get in, and looked for wherever the agent tells something."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
import yaml

from tests.acceptance.people import PASSWORD, sign_in, web_section
from tests.acceptance.stand import BAD, OPERATOR, TOKEN, Stand, alert, stand
from tests.chromium import chromium

PRINTED = "canary-that-the-command-prints"
ANNOTATED = "canary-in-an-annotation"
COMMENTED = "canary-in-a-comment"
INHERITED = "canary-in-the-environment"
GUESSED = "canary-that-a-client-sends"
PLANTED = (TOKEN, OPERATOR, PRINTED, ANNOTATED, COMMENTED, INHERITED)


def surfaces(here: Stand, run: str, incident: str) -> Iterator[tuple[str, str]]:
    """Everything that the agent tells, each under a name: a new way of telling is one more line here."""
    logs = here.root / "logs"
    operator = {"Authorization": f"Bearer {OPERATOR}"}
    yield "log", (logs / "agent.log").read_text()
    yield "console", (here.directory / "agent.log").read_text()
    yield "audit trail", (logs / "audit-trail.jsonl").read_text()
    for suffix in ("md", "json", "svg"):
        yield f"report as {suffix}", "".join(file.read_text() for file in logs.glob(f"incident-*.{suffix}"))
    yield "environment of the command", (here.directory / "environment").read_text()
    yield "plan as the command got it", (here.root / "runs" / run / "plan.json").read_text()
    yield "metrics", here.metrics()
    yield "Alertmanager", calls(here)
    for path in ("/api/v1/incidents", f"/api/v1/incidents/{incident}"):
        yield path, requests.get(here.url + path, headers=operator, timeout=30).text
    for path in ("/api/v1/incidents", "/nothing-here", "/api/v1/alerts", "/"):
        for headers in ({}, {"Authorization": f"Bearer {GUESSED}"}):
            answer = requests.get(here.url + path, headers=headers, timeout=30)
            yield f"{path} refused", f"{answer.headers}{answer.text}"
    for command in (("incidents",), ("show", incident), ("status",), ("backup", "list")):
        yield " ".join(command), here.command(*command)
        yield f"{' '.join(command)} as JSON", here.command(*command, "--json")
    yield "show --follow", here.command("show", incident, "--follow")
    yield "doctor", here.command("doctor", code=1)
    yield from pages(here, incident)


def pages(here: Stand, incident: str) -> Iterator[tuple[str, str]]:
    """Every page, as somebody sees it who has signed in."""
    with chromium() as browser:
        tab = sign_in(browser.new_context(), here.url, "alice")
        for path in ("/", f"/incidents/{incident}", "/deployments/qrl", "/nothing-here"):
            tab.goto(here.url + path)
            yield f"page {path}", tab.content()


def made_here(here: Stand) -> tuple[str, ...]:
    """The secrets that the agent has made for itself, and what stands for a password."""
    hash_ = yaml.safe_load((here.directory / "web.yml").read_text())["basic_auth_users"]["alice"]
    key = (here.root / "web.key").read_bytes()
    return (here.root / "audit.key").read_text(), key.hex(), base64.b64encode(key).decode(), hash_


def calls(here: Stand) -> str:
    """What the agent has told Alertmanager: both of what went wrong, once it has."""
    url = f"http://127.0.0.1:{here.ports['alertmanager']}/api/v2/alerts"
    parameters = {"filter": 'alertname="RollbackNeedsHuman"'}
    here.eventually(lambda: len(requests.get(url, params=parameters, timeout=30).json()) == 2)
    return requests.get(url, params=parameters, timeout=30).text


def test_no_planted_secret_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in which secrets were printed, annotated, commented and inherited fails, and none is found again (T15)."""
    monkeypatch.setenv("QRL_DATABASE_PASSWORD", INHERITED)
    with stand(tmp_path, autonomy="L3", web=web_section(tmp_path, alice="operator")) as here:
        token = base64.b64encode(f"user:{TOKEN}".encode()).decode()
        here.restart.write_text(
            f"#!/bin/sh\n/usr/bin/env > {here.directory}/environment\n"
            f"echo 'connecting to postgresql://qrl:{PRINTED}@db/qrl with {TOKEN}'\n"
            f"echo 'sent {token} and {quote(OPERATOR)}, password={PRINTED}'\nexit 3\n"
        )
        here.start()
        comment = f"the password: {COMMENTED}, the token {TOKEN}"
        here.command("kill-switch", "on", "--as", "ada", "--comment", comment)
        here.command("kill-switch", "off", "--as", "ada", "--comment", comment)
        here.ship(BAD)
        here.await_firing()
        labels = {"alertname": "ServiceDown", "branch": "service_down", "deployment": "qrl"}
        here.notify({**alert(**labels), "annotations": {"summary": f"password={ANNOTATED}"}})
        here.notify(alert(alertname=f"Odd token={ANNOTATED} {TOKEN}", deployment="elsewhere"))
        asked = here.await_run(state="waiting")
        incident = here.incidents()[0]["id"]
        here.command("approve", incident, "--plan", asked["plan"]["hash"][:8], "--as", "ada", "--comment", comment)
        run = here.await_run()
        assert run["result"] == "failed"

        told = dict(surfaces(here, run["id"], incident))

        for name in ("report as md", "Alertmanager", f"page /incidents/{incident}"):
            assert "connecting to postgresql" in told[name]  # it was quoted, without what was in it
        for name, text in told.items():
            for secret in (*PLANTED, PASSWORD, *made_here(here)):
                assert secret not in text, f"{secret} is in: {name}"
            for secret in (TOKEN, OPERATOR):
                assert base64.b64encode(secret.encode()).decode()[2:-6] not in text, f"{secret} in base64 is in: {name}"
            assert GUESSED not in text, name
