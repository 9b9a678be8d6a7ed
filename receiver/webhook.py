"""Reads Alertmanager's webhook body; a bad alert among good ones loses only itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from receiver.errors import BadNotification
from receiver.redact import redact_text

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
_KEPT_LABELS = ("alertname", "deployment", "branch", "service", "drill")
_MAX_LABEL = 300
_MAX_COUNT = 1_000_000


def parse(body: bytes) -> tuple[list[dict[str, object]], int, int]:
    """The alerts as label sets with their status, how many were unusable, and how many Alertmanager left out.

    Raises BadNotification where nothing of the body can be used.
    """
    payload = _decode(body)
    if not isinstance(payload, dict):
        raise BadNotification(400, "the body is not a JSON object")
    if payload.get("version") != "4":
        raise BadNotification(400, f'version {payload.get("version")!r} is not supported, only Alertmanager\'s "4"')
    alerts = payload.get("alerts")
    if not isinstance(alerts, list):
        raise BadNotification(400, "the body holds no list 'alerts'")
    storable = cache(_storable)  # the alerts of a group have most of their labels in common
    read = [_alert(alert, storable) for alert in alerts]
    good = [alert for alert in read if alert is not None]
    if alerts and not good:
        raise BadNotification(400, f"none of the {len(alerts)} alerts has a status and labels")
    truncated = payload.get("truncatedAlerts", 0)
    return good, len(read) - len(good), min(max(truncated, 0), _MAX_COUNT) if isinstance(truncated, int) else 0


def _decode(body: bytes) -> Any:
    if len(body) > MAX_BYTES:
        raise BadNotification(413, f"the body is larger than {MAX_BYTES} bytes")
    try:
        payload = _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadNotification(400, f"byte {error.start} of the body is not UTF-8") from error
    except RecursionError as error:
        raise BadNotification(400, f"the body is nested deeper than {MAX_DEPTH}") from error
    except ValueError as error:
        raise BadNotification(400, f"the body is not JSON: {error}") from error
    # Who opens no more than so many cannot nest deeper; of nearly all notifications that is quickly said.
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _deeper_than(payload, MAX_DEPTH):
        raise BadNotification(400, f"the body is nested deeper than {MAX_DEPTH}")
    return payload


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
"""Made once, since making one takes longer than reading a usual body."""


def _deeper_than(value: object, depth: int) -> bool:
    layer = [value]
    for _ in range(depth):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not layer:
            return False
    return any(isinstance(value, dict | list) for value in layer)


def _alert(alert: object, storable: Callable[[str], str]) -> dict[str, object] | None:
    """What is kept of an alert, or None where it cannot be used; the rest is asked of Prometheus."""
    if not isinstance(alert, dict) or alert.get("status") not in ("firing", "resolved"):
        return None
    labels = alert.get("labels")
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        return None
    kept = {name: storable(labels[name]) for name in _KEPT_LABELS if name in labels}
    return {"status": alert["status"], **kept}


def _storable(label: str) -> str:
    """The beginning of a label; NUL and halves of surrogate pairs, which JSON can hold and no database, become `?`."""
    return redact_text(label)[:_MAX_LABEL].replace("\0", "?").encode(errors="replace").decode()
