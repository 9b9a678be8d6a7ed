"""Asks the receiver what it does, and types its commands as a person or a pipeline would."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import requests
from prometheus_client.parser import text_string_to_metric_families

PERSON = "demo"
"""The name under which the demonstration types what a person would."""


class CommandError(Exception):
    """A `rollback-agent` command did not end well; the message is what it said."""


class Agent:
    """A running receiver; where it does not answer, nothing is known."""

    def __init__(self, url: str, token: str, command: Path, config: Path) -> None:
        self.url = url
        self.config = config
        self._command = command
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def knows_good(self, release: str) -> bool:
        """Whether it has taken the release for good."""
        try:
            text = self._session.get(f"{self.url}/metrics", timeout=2).text
        except requests.RequestException:
            return False
        return any(
            sample.labels.get("release") == release and sample.value == 1
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "rollback_release_good_info"
        )

    def newest_incident(self) -> dict[str, Any] | None:
        """The newest incident with its runs."""
        listed = self._get("/api/v1/incidents").get("incidents", [])
        return self._get(f"/api/v1/incidents/{listed[0]['id']}") or None if listed else None

    def type(self, *words: str, person: str = PERSON) -> None:
        """Type a command; raises CommandError where it does not end well."""
        done = subprocess.run(
            [str(self._command), *words, "--as", person, "--config", str(self.config)],
            check=False,
            capture_output=True,
            text=True,
            timeout=30,
        )
        if done.returncode != 0:
            raise CommandError(f"rollback-agent {' '.join(words)} ended with {done.returncode}: {done.stderr.strip()}")

    def approve(self, incident: str, plan_hash: str) -> None:
        """Confirm the plan, as a person would."""
        self.type("approve", incident, "--plan", plan_hash[:8])

    def _get(self, path: str) -> dict[str, Any]:
        try:
            answer = self._session.get(f"{self.url}{path}", timeout=2)
            answer.raise_for_status()
        except requests.RequestException:
            return {}
        found = answer.json()
        return found if isinstance(found, dict) else {}
