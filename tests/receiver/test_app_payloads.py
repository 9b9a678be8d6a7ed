"""Whatever JSON comes as a notification is answered, and what is accepted is stored as it was sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings

from receiver.journal import tables
from receiver.redact import redact_text
from tests.receiver.payloads import PAYLOADS
from tests.receiver.serving import Receiver, serving

KEPT = ("alertname", "deployment", "branch", "service", "drill")


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One served interface for all payloads."""
    directory: Path = tmp_path_factory.mktemp("payloads")
    with serving(directory) as here:
        yield here


@settings(max_examples=150, deadline=None)
@given(payload=PAYLOADS)
def test_any_json_is_accepted_as_it_is_or_refused(receiver: Receiver, payload: object) -> None:
    """The answer is 202 or 4xx and never 5xx; of what is accepted each good alert is stored, of what is not nothing."""
    before = len(stored(receiver))

    answer = receiver.post(json.dumps(payload).encode())

    now = stored(receiver)
    if answer.status_code == 202:
        assert isinstance(payload, dict)
        good = [as_stored(alert) for alert in payload["alerts"] if is_good(alert)]
        assert now[before:] == [good]
        assert answer.json()["invalid"] == len(payload["alerts"]) - len(good)
    else:
        assert answer.status_code == 400
        assert answer.json()["error"]
        assert len(now) == before


def stored(receiver: Receiver) -> list[list[dict[str, str]]]:
    """The alerts of every stored notification, oldest first."""
    table = tables.notification
    with receiver.database.read() as tx:
        return [json.loads(row.alerts) for row in tx.execute(sa.select(table.c.alerts).order_by(sa.text("rowid")))]


def is_good(alert: Any) -> bool:
    """Whether it has a status and labels that are text."""
    if not isinstance(alert, dict) or not isinstance(alert.get("labels"), dict):
        return False
    return alert.get("status") in ("firing", "resolved") and all(isinstance(v, str) for v in alert["labels"].values())


def as_stored(alert: dict[str, Any]) -> dict[str, str]:
    """The labels that count, without secrets, with `?` for what no database holds, 300 characters of each."""
    labels = {name: text for name, text in alert["labels"].items() if name in KEPT}
    told = {name: redact_text(text)[:300].replace("\0", "?") for name, text in labels.items()}
    return {"status": alert["status"]} | {name: text.encode(errors="replace").decode() for name, text in told.items()}
