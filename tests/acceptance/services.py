"""What stands where the exporter, the tree and Alertmanager stand: health of three services, a branch, an alert."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from demo.exposition import serve_metrics

GOOD, BAD = "20261101-1200-good", "20261102-1200-bad"
SERVICES = ("fastapi", "flask", "gradio")

FAST_TREE: dict[str, Any] = {
    "groups": [
        {
            "name": "test-tree",
            "interval": "500ms",
            "rules": [
                {
                    "alert": "ServiceDown",
                    "expr": "deployment:availability:ratio < 0.5",
                    "labels": {
                        "branch": "service_down",
                        "rank": "1",
                        "action": "rollback",
                        "level": "fast",
                        "confidence": "0.99",
                    },
                }
            ],
        }
    ]
}
"""ServiceDown without its wait, so that a test need not sit through three failed checks."""


class Services:
    """Stands where the exporter stands: serves the health of a deployment whose bad releases are down."""

    def __init__(self, current: Path) -> None:
        self.current = current
        self.bad = {BAD}
        self.broken = False
        self.server = serve_metrics(self.exposition)
        self.port = self.server.server_address[1]

    def exposition(self) -> str:
        """The exporter's contract, by the release that is live at this moment."""
        up = 0 if self.broken or self.current.readlink().name in self.bad else 1
        lines = ["# TYPE healthcheck_success gauge"]
        for service in SERVICES:
            labels = f'deployment="qrl",service="{service}",check="home",kind="availability"'
            lines.append(f"healthcheck_success{{{labels}}} {up}")
        return "\n".join(lines) + "\n"

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


def alert(status: str = "firing", **labels: str) -> dict[str, Any]:
    """One alert of a notification."""
    return {
        "status": status,
        "labels": labels,
        "annotations": {"summary": "a test"},
        "startsAt": "2026-11-23T15:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.invalid/graph",
        "fingerprint": "0123456789abcdef",
    }
