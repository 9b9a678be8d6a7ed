"""Secrets are planted wherever one can get in, and looked for wherever the agent tells something."""

from __future__ import annotations

import base64
import json
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any
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
PIPELINE = "a-token-of-a-pipeline-canary"
DATABASE = "canary-of-a-connection-string"
LOGGED = "canary-in-an-access-log"
DETAILED = "canary-in-the-detail-of-a-check"
PLANTED = (TOKEN, OPERATOR, PRINTED, ANNOTATED, COMMENTED, INHERITED, PIPELINE, DATABASE, LOGGED, DETAILED)


@contextmanager
def chatty_postgresql() -> Iterator[int]:
    """Stands where PostgreSQL stands: refuses everybody, and repeats the password in the reason; its port."""

    class Refusal(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            fields = f"SFATAL\0C28P01\0Mno entry for qrl with {DATABASE}\0\0".encode()
            self.request.sendall(b"E" + struct.pack("!i", len(fields) + 4) + fields)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusal) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def deployments(here: Stand, port: int) -> dict[str, Any]:
    """The usual deployment with a diagnosis that quotes secrets, and one whose database repeats its password."""
    log = here.directory / "access.log"
    failed = f'"GET /pay?token={LOGGED}&key={PIPELINE} HTTP/1.1" 500 12'
    log.write_text(f"192.0.2.1 - - [24/Nov/2026:15:00:00 +0000] {failed}\n")
    detail = f"cannot reach postgresql://qrl:{DETAILED}@db/qrl with {PIPELINE}"
    check = {
        "deployment": "qrl", "service": "flask", "check": "home", "kind": "availability",
        "success": False, "reason": "status", "detail": detail, "seconds": 0.25,
    }  # fmt: skip
    health = ["/bin/sh", "-c", 'printf %s "$1"', "sh", json.dumps({"checks": [check]})]
    url = here.write_token("database", f"postgresql://qrl:{DATABASE}@127.0.0.1:{port}/qrl?sslmode=disable")
    usual = yaml.safe_load(here.config.read_text())["deployments"]["qrl"]
    return {
        "qrl": usual | {"diagnosis": {"health": health, "access_logs": [str(log)]}},
        "shop": deepcopy(usual) | {"pending_transactions": {"postgresql": {"url_file": str(url)}}},
    }


def surfaces(here: Stand, run: str, incident: str, other: str) -> Iterator[tuple[str, str]]:
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
    for path in ("/api/v1/incidents", f"/api/v1/incidents/{incident}", f"/api/v1/incidents/{other}"):
        yield path, requests.get(here.url + path, headers=operator, timeout=30).text
    by_pipeline = {"Authorization": f"Bearer {PIPELINE}"}
    gate = requests.get(f"{here.url}/api/v1/deployments/qrl/gate", headers=by_pipeline, timeout=30)
    yield "gate", f"{gate.headers}{gate.text}"
    for path in ("/api/v1/incidents", "/nothing-here", "/api/v1/alerts", "/"):
        for headers in ({}, {"Authorization": f"Bearer {GUESSED}"}):
            answer = requests.get(here.url + path, headers=headers, timeout=30)
            yield f"{path} refused", f"{answer.headers}{answer.text}"
    dry_run = ("rollback", "shop", "--level", "fast", "--dry-run")
    for command in (("incidents",), ("show", incident), ("show", other), ("status",), ("backup", "list"), dry_run):
        yield " ".join(command), here.command(*command)
        yield f"{' '.join(command)} as JSON", here.command(*command, "--json")
    yield "show --follow", here.command("show", incident, "--follow")
    yield "doctor", here.command("doctor", code=1)
    yield from pages(here, incident, other)


def pages(here: Stand, incident: str, other: str) -> Iterator[tuple[str, str]]:
    """Every page, as somebody sees it who has signed in."""
    with chromium() as browser:
        tab = sign_in(browser.new_context(), here.url, "alice")
        incidents = (f"/incidents/{incident}", f"/incidents/{other}")
        for path in ("/", *incidents, "/deployments/qrl", "/deployments/shop", "/nothing-here"):
            tab.goto(here.url + path)
            yield f"page {path}", tab.content()


def made_here(here: Stand) -> tuple[str, ...]:
    """The secrets that the agent has made for itself, and what stands for a password."""
    hash_ = yaml.safe_load((here.directory / "web.yml").read_text())["basic_auth_users"]["alice"]
    key = (here.root / "web.key").read_bytes()
    return (here.root / "audit.key").read_text(), key.hex(), base64.b64encode(key).decode(), hash_


def calls(here: Stand) -> str:
    """What the agent has told Alertmanager: all three of what went wrong, once it has."""
    url = f"http://127.0.0.1:{here.ports['alertmanager']}/api/v2/alerts"
    parameters = {"filter": 'alertname="RollbackNeedsHuman"'}
    here.eventually(lambda: len(requests.get(url, params=parameters, timeout=30).json()) == 3)
    return requests.get(url, params=parameters, timeout=30).text


def test_no_planted_secret_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in which secrets were printed, annotated, commented and inherited fails, and none is found again (T15)."""
    monkeypatch.setenv("QRL_DATABASE_PASSWORD", INHERITED)
    web = web_section(tmp_path, alice="operator")
    with chatty_postgresql() as port, stand(tmp_path, autonomy="L3", web=web) as here:
        pipeline = {"token_file": str(here.write_token("pipeline", PIPELINE))}
        here.write_config(autonomy="L3", web=web, pipeline=pipeline, deployments=deployments(here, port))
        token = base64.b64encode(f"user:{TOKEN}".encode()).decode()
        here.restart.write_text(
            f"#!/bin/sh\n/usr/bin/env > {here.directory}/environment\n"
            f"echo 'connecting to postgresql://qrl:{PRINTED}@db/qrl with {TOKEN}'\n"
            f"echo 'sent {token} and {quote(OPERATOR)}, password={PRINTED}, reported with {PIPELINE}'\nexit 3\n"
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
        here.command("rollback", "shop", "--level", "fast", "--as", "ada")
        here.eventually(lambda: [one["deployment"] for one in here.incidents()] == ["shop", "qrl"], 60)
        here.eventually(lambda: here.runs()[0]["state"] == "finished", 60)
        other = here.incidents()[0]["id"]

        told = dict(surfaces(here, run["id"], incident, other))

        for name in ("report as md", "Alertmanager", f"page /incidents/{incident}"):
            assert "connecting to postgresql" in told[name]  # it was quoted, without what was in it
        for name in ("report as md", f"show {incident}", f"page /incidents/{incident}"):
            assert "cannot reach postgresql" in told[name]
            assert "GET /pay?" in told[name]
        for name in ("report as md", "audit trail", "Alertmanager", f"show {other}", f"page /incidents/{other}"):
            assert "no entry for qrl with" in told[name]
        for name, text in told.items():
            for secret in (*PLANTED, PASSWORD, *made_here(here)):
                assert secret not in text, f"{secret} is in: {name}"
            for secret in (TOKEN, OPERATOR):
                assert base64.b64encode(secret.encode()).decode()[2:-6] not in text, f"{secret} in base64 is in: {name}"
            assert GUESSED not in text, name
