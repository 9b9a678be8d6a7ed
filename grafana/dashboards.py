"""Writes the dashboards as JSON: `python -m grafana.dashboards DIRECTORY`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.agent_health import agent_health
from grafana.deployment import deployment
from grafana.rollback_review import rollback_review

DIRECTORY = Path(__file__).parent / "json"
DASHBOARDS = (deployment, rollback_review, agent_health)


def texts() -> dict[str, str]:
    """Each dashboard's JSON by the name of its file."""
    built = [make() for make in DASHBOARDS]
    return {f"{one.uid}.json": json.dumps(one, cls=JSONEncoder, indent=2, sort_keys=True) + "\n" for one in built}


def write_all(directory: Path) -> None:
    """Write each dashboard into its file."""
    for name, text in texts().items():
        (directory / name).write_text(text)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]) if sys.argv[1:] else DIRECTORY)
