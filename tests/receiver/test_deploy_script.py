"""The deploy script of the documents, against a real agent."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from receiver.journal import releases
from tests.receiver.serving import PIPELINE_TOKEN, Receiver

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
COMMIT = "a" * 40


class Pipeline:
    """A pipeline that deploys with the script; its deploy command leaves a line."""

    def __init__(self, directory: Path, receiver: Receiver) -> None:
        self._receiver = receiver
        self._deployed = directory / "deployed"
        self._command = directory / "deploy-it"
        self._command.write_text(f'#!/bin/sh\necho "$1" >> {self._deployed}\n')
        self._command.chmod(0o755)
        self._token = directory / "token"
        self._token.write_text(PIPELINE_TOKEN)

    def ship(self, release: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        environment = {
            "PATH": "/usr/bin:/bin",
            "ROLLBACK_AGENT": self._receiver.url,
            "TOKEN_FILE": str(self._token),
            "DEPLOY": "/bin/false" if fails else str(self._command),
        }
        arguments = [str(EXAMPLES / "deploy.sh"), "qrl", release, COMMIT]
        return subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def deployed(self) -> list[str]:
        """What was deployed."""
        return self._deployed.read_text().split() if self._deployed.exists() else []


@pytest.fixture
def pipeline(tmp_path: Path, receiver: Receiver) -> Pipeline:
    return Pipeline(tmp_path, receiver)


def test_it_deploys_and_tells_of_it(pipeline: Pipeline, receiver: Receiver) -> None:
    """The agent knows the start, the commit and the end."""
    done = pipeline.ship("r3")
    assert (done.returncode, pipeline.deployed()) == (0, ["r3"]), done.stderr
    told = [(one["decision"], one["actor"]) for one in receiver.audited()]
    assert told == [("release:start", "pipeline"), ("release:finish", "pipeline")]


def test_a_deploy_that_fails_is_told_as_ended(pipeline: Pipeline, receiver: Receiver) -> None:
    """The script's exit code is the command's, and no deploy stays under way."""
    assert pipeline.ship("r3", fails=True).returncode == 1
    with receiver.database.read() as tx:
        assert releases.deploys_under_way(tx, "qrl", 2_000_000_000.0) == ()
        assert releases.has_failed_migration(tx, "qrl", "r3")


def test_a_held_release_is_not_deployed(pipeline: Pipeline, receiver: Receiver) -> None:
    """Under its own name and under another: nothing is deployed, and the log of the pipeline says why."""
    pipeline.ship("r3")
    with receiver.database.write() as tx:
        releases.hold(tx, "qrl", "r3", 1_800_000_000.0, "ada")
    for release in ("r3", "r4"):
        refused = pipeline.ship(release)
        assert refused.returncode == 22
        assert "has been held since 2027-01-15 08:00:00Z (by ada)" in refused.stdout
    assert pipeline.deployed() == ["r3"]


def test_the_examples_call_the_script() -> None:
    """Both files are YAML, and call the script with a deployment, a release and a commit."""
    for name in ("github-actions.yml", "gitlab-ci.yml"):
        text = (EXAMPLES / name).read_text()
        assert yaml.safe_load(text)
        assert "./deploy.sh qrl " in text
