"""A configuration with a journal, as a receiver leaves them, and the commands run in its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from receiver.cli import cli
from receiver.journal.database import Database, open_database
from tests.receiver import migrated


class Journaled:
    """What stands in `directory`: a configuration of `qrl` and `shop`, a journal, and nothing that serves."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "rollback"
        (self.root / "logs").mkdir(parents=True)
        (directory / "webhook.token").write_text("a-token-that-only-tests-use")
        (directory / "webhook.token").chmod(0o600)
        self.config = directory / "agent.json"
        self.content: dict[str, Any] = {
            "root": str(self.root),
            "webhook": {"token_file": str(directory / "webhook.token")},
            "prometheus": {"url": "http://127.0.0.1:1"},
            "alertmanager": {"url": "http://127.0.0.1:1"},
            "deployments": {name: self._deployment(directory / name) for name in ("qrl", "shop")},
        }
        self.write()
        self.database: Database = open_database(self.root)
        migrated.make(self.database)

    @staticmethod
    def _deployment(path: Path) -> dict[str, Any]:
        release = path / "releases" / "r1"
        release.mkdir(parents=True)
        (release / "REVISION").write_text("c" * 40)
        (path / "current").symlink_to("releases/r1")
        return {"target": {"releases": {"path": str(path), "restart": ["/bin/true"]}}}

    def write(self) -> None:
        """Write `content` to the file."""
        self.config.write_text(json.dumps(self.content))

    def run(self, *arguments: str) -> Result:
        """What the command line does with these arguments; expected errors are `result.exception`."""
        return CliRunner().invoke(
            cli, arguments, env={"ROLLBACK_AGENT_CONFIG": str(self.config)}, standalone_mode=False
        )

    def says(self, *arguments: str) -> str:
        """What a command prints that does as it is told."""
        result = self.run(*arguments)
        if result.exception is not None:
            raise result.exception
        return result.output

    def audited(self) -> list[dict[str, Any]]:
        """Every record of the audit trail."""
        file = self.root / "logs" / "audit-trail.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []
