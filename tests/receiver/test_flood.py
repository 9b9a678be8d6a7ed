"""Ten thousand alerts are one run, one question, and bounded in what they take."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from receiver.inbox import Inbox
from receiver.journal import tables
from receiver.model import Action, Demand
from tests.receiver.serving import Receiver

NOTIFICATIONS, ALERTS = 20, 500


class Firing:
    """Prometheus, which shows one branch."""

    def deciding(self) -> Mapping[str, Demand | None]:
        return {"qrl": Demand("service_down", Action.ROLLBACK)}

    def telemetry(self, deployment: str) -> None:
        """There are signals."""


def flood(number: int) -> dict[str, object]:
    """A notification of many alerts, each with other labels."""
    return {
        "version": "4", "groupKey": f"{number}", "truncatedAlerts": 0, "status": "firing", "receiver": "agent",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am",
        "alerts": [
            {
                "status": "firing", "annotations": {"summary": "x" * 200}, "startsAt": "2026-11-23T15:04:05Z",
                "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": f"{number * ALERTS + one:016x}",
                "labels": {"alertname": "ServiceDown", "deployment": "qrl", "branch": "service_down", "pod": f"{one}"},
            }
            for one in range(ALERTS)
        ],
    }  # fmt: skip


def test_ten_thousand_alerts_are_one_run(receiver: Receiver) -> None:
    """All are taken, of each is kept what finds its deployment, and together they begin one run (T13)."""
    for number in range(NOTIFICATIONS):
        assert receiver.post(flood(number)).status_code == 202
    inbox = Inbox(receiver.database, Firing(), {"qrl": None})
    while inbox.work_once():
        pass
    inbox.work_once()

    with receiver.database.read() as tx:
        runs = tx.execute(sa.select(sa.func.count()).select_from(tables.run)).scalar_one()
        stored = tx.execute(sa.select(sa.func.sum(sa.func.length(tables.notification.c.alerts)))).scalar_one()
    assert runs == 1
    assert stored < 200 * NOTIFICATIONS * ALERTS, "what somebody wrote beside the labels is not kept"
