"""The same report for programs: one JSON object, complete, without secrets, also of a run that stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from receiver.model import Findings, History, Result, Stop
from receiver.redaction.known import known_secrets
from tests.receiver.report.desk import NOW, RATIO, Desk, decided


def written(desk: Desk) -> dict[str, Any]:
    (file,) = desk.config.logs.glob("incident-*.json")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_it_holds_what_the_markdown_tells(desk: Desk) -> None:
    """Result, run, services, people, actions, links, and the signals' past."""
    desk.past = (History(RATIO, None, ((NOW, 0.25), (NOW + 60, 1.0))),)
    desk.step("evaluate", 0, Stop(Result.REFUSED, "no", decided()))
    desk.report(Result.REFUSED, "no")

    found = written(desk)

    assert (found["result"], found["deployment"], found["incident"]) == ("refused", "qrl", desk.run.incident)
    assert found["run"]["decision"]["branch"] == "service_down"
    assert found["run"]["plan"]["hash"] == decided().require_plan().hash
    assert found["services_affected"] == ["fastapi"]
    assert found["history"] == [{"name": RATIO, "service": None, "points": [[NOW, 0.25], [NOW + 60, 1.0]]}]
    assert found["links"]["page"] == f"https://rollback.example/incidents/{desk.run.incident}"
    assert found["next_actions"][-3:] == [
        "Human review of the incident", "Root cause analysis", "Update the deployment checklist",
    ]  # fmt: skip


def test_a_prometheus_that_is_away_is_told(desk: Desk) -> None:
    """Neither chart nor past, and the reason in both forms; the report is written all the same."""
    desk.unknown = "Prometheus at http://127.0.0.1:1 cannot be reached"
    desk.step("evaluate", 0, Stop(Result.MISSING_DATA, "gone", Findings()))
    text = desk.report(Result.MISSING_DATA, "gone")

    assert "No chart: Prometheus at http://127.0.0.1:1 cannot be reached" in text
    assert (written(desk)["history"], written(desk)["history_unknown"]) == ([], desk.unknown)
    assert list(desk.config.logs.glob("*.svg")) == []


def test_no_secret_stands_in_it(desk: Desk) -> None:
    """What is known as a secret is hidden in all three files."""
    secret = "a-secret-value-of-a-test"
    known_secrets.remember(secret.encode())
    desk.past = (History(RATIO, secret, ((NOW, 0.25),)),)
    desk.step("evaluate", 0, Stop(Result.REFUSED, secret, decided(secret)))
    desk.report(Result.REFUSED, secret)
    files = list(desk.config.logs.glob("incident-*"))
    assert len(files) == 3
    assert not any(secret in Path(file).read_text() for file in files)


def test_nothing_is_left_beside_the_three_files(desk: Desk) -> None:
    """Whatever was written on the way is gone."""
    desk.past = (History(RATIO, None, ((NOW, 0.25),)),)
    desk.step("evaluate", 0, Stop(Result.REFUSED, "no", decided()))
    desk.report(Result.REFUSED, "no")
    assert sorted(file.suffix for file in desk.config.logs.iterdir()) == [".json", ".md", ".svg"]
