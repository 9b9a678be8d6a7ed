"""The report as JSON, for programs: the same facts under the names that the HTTP interface gives them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from receiver.redact import redact
from receiver.report.facts import affected_services, data_loss, next_actions, people
from receiver.report.told import Told


def as_json(told: Told) -> str:
    """The report as one JSON object; times are Unix seconds."""
    document: dict[str, Any] = {
        "written_at": told.at,
        "deployment": told.run.deployment,
        "incident": told.run.incident,
        "result": told.result,
        "reason": told.reason,
        "run": told.view,
        "services_affected": affected_services(told),
        "data_loss": data_loss(told),
        "people": people(told),
        "latched": told.latched,
        "escalations": told.escalations,
        "hotfixes": told.hotfixes,
        "next_actions": next_actions(told),
        "history": [asdict(one) for one in told.history],
        "history_unknown": told.history_unknown,
        "audit_checkpoint": str(told.checkpoint) if told.checkpoint else None,
        "explanation": told.why,
        "alike": told.alike,
        "links": {"page": told.page, "prometheus": told.prometheus},
    }
    return json.dumps(redact(document), indent=2, allow_nan=False, default=str) + "\n"
