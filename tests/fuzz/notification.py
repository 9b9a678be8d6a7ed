"""The body of a notification: it is refused with a reason, or what is kept of it can be stored."""

from __future__ import annotations

import json
from pathlib import Path

from receiver.errors import BadNotification
from receiver.webhook import parse
from tests.fuzz.structure import Source

WORDS = (
    "status", "labels", "firing", "resolved", "alertname", "deployment", "branch", "service", "rank", "4", "version",
    "alerts", "truncatedAlerts", "qrl", "ServiceDown", "annotations", "password=hunter2", "\0", "\ud800",
)  # fmt: skip


def check(data: bytes, _: Path) -> None:
    """The first byte says whether the rest is the body, or what a body is made of."""
    source = Source(data, WORDS)
    body = source.rest() if source.byte() % 2 else json.dumps(_payload(source)).encode()
    try:
        good, bad, truncated = parse(body)
    except BadNotification:
        return
    assert len(good) + bad == len(json.loads(body)["alerts"])
    assert 0 <= truncated <= 1_000_000
    for alert in good:
        assert alert["status"] in ("firing", "resolved")
        for text in alert.values():
            assert isinstance(text, str)
            assert len(text.encode()) <= 4 * 300
            assert "\0" not in text


def _payload(source: Source) -> object:
    alerts = [_alert(source) for _ in range(source.byte() % 8)]
    more = source.value()
    return {"version": "4", "alerts": alerts, "truncatedAlerts": source.value()} | (
        more if isinstance(more, dict) else {"more": more}
    )


def _alert(source: Source) -> object:
    match source.byte() % 4:
        case 0:
            return source.value()
        case 1:
            return {"status": source.word(), "labels": source.value()}
        case _:
            labels = {source.word(): source.word() for _ in range(source.byte() % 8)}
            return {"status": "firing", "labels": labels, "annotations": source.value()}
