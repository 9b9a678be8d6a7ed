"""`audit verify` says whether the trail is whole, where it is not, and what to remember of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from receiver.audit import AuditTrail
from receiver.audit_chain import verify
from receiver.audit_files import TrailFiles
from receiver.cli import cli
from receiver.errors import AuditError


class Place:
    """A configuration and a trail of five records."""

    def __init__(self, directory: Path) -> None:
        self.files = TrailFiles(directory / "logs" / "audit-trail.jsonl", directory / "audit.key")
        self.path = self.files.active
        self.path.parent.mkdir()
        trail = AuditTrail(self.files, lambda: 0.0)
        for number in range(5):
            trail.record(f"d{number}", "r")
        self.config = directory / "agent.yml"
        target = {"releases": {"path": str(directory), "restart": ["/bin/true"]}}
        content = {
            "root": str(directory),
            "webhook": {"token_file": "token"},
            "prometheus": {"url": "http://127.0.0.1:1"},
            "alertmanager": {"url": "http://127.0.0.1:1"},
            "deployments": {"qrl": {"target": target}},
        }
        self.config.write_text(yaml.safe_dump(content))

    def verify(self, *options: str) -> Result:
        """What `audit verify` does."""
        return self.run("verify", *options)

    def run(self, *arguments: str) -> Result:
        """What the command does."""
        return CliRunner().invoke(cli, ["audit", *arguments, "--config", str(self.config)])

    def cut(self) -> None:
        """Take the last two records away."""
        self.path.write_bytes(b"".join(self.path.read_bytes().splitlines(keepends=True)[:3]))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_whole_trail_is_told_with_its_checkpoint(place: Place) -> None:
    """The count and the checkpoint are printed; given back, the checkpoint holds, also once the trail has grown."""
    done = place.verify()
    checkpoint = str(verify(place.files)[0])
    assert (done.exit_code, "holds up to record 5" in done.output, checkpoint in done.output) == (0, True, True)
    AuditTrail(place.files, lambda: 0.0).record("more", "r")
    assert place.verify("--checkpoint", checkpoint).exit_code == 0
    told = json.loads(place.verify("--json").output)
    assert (told["intact"], told["records"], told["fault"]) == (True, 6, None)
    assert told["checkpoint"].startswith("6:")


def test_changed_record_is_named_by_file_and_line(place: Place) -> None:
    """An edited trail is an error that says where and why; the JSON says the same."""
    place.path.write_bytes(place.path.read_bytes().replace(b'"d2"', b'"dx"'))
    failed = place.verify("--json")
    assert isinstance(failed.exception, AuditError)
    assert str(failed.exception).startswith(f"{place.path}:3: it is not signed with the trail's key")
    told = json.loads(failed.output)
    assert (told["intact"], told["fault"]["file"], told["fault"]["line"]) == (False, str(place.path), 3)


def test_cut_trail_is_found_by_the_checkpoint_alone(place: Place) -> None:
    """Without its last records the chain holds in itself; who kept the checkpoint sees that they are missing."""
    checkpoint = str(verify(place.files)[0])
    place.cut()
    assert place.verify().exit_code == 0
    failed = place.verify("--checkpoint", checkpoint)
    assert str(failed.exception) == (
        f"{place.path}:3: it ends with record 3, and the checkpoint is record 5: it was cut"
    )


def test_trail_written_anew_is_found_by_the_checkpoint(place: Place) -> None:
    """Another record of the same number is not the one that was remembered."""
    checkpoint = str(verify(place.files)[0])
    place.cut()
    for _ in range(3):
        AuditTrail(place.files, lambda: 0.0).record("forged", "r")
    failed = place.verify("--checkpoint", checkpoint)
    assert str(failed.exception) == f"{place.path}:5: record 5 is not the one of the checkpoint"


def test_prune_removes_what_is_old_and_records_who_did(place: Place) -> None:
    """Full segments are removed and named; what is left verifies, with the person and the word on the trail."""
    place.config.write_text(place.config.read_text() + "audit: {segment_bytes: 10000}\n")
    trail = AuditTrail(replace(place.files, segment_bytes=10_000), lambda: 0.0)
    while not place.files.closed():
        trail.record("d", "r" * 500)
    [old] = place.files.closed()

    told = place.run("prune", "--older-than", "400d", "--as", "ada", "--comment", "as agreed")

    assert (told.exit_code, told.output) == (0, f"{old}: removed\n")
    assert place.verify().exit_code == 0
    last = json.loads(place.path.read_text().splitlines()[-1])
    assert (last["decision"], last["actor"], last["reasoning"]) == ("audit:pruned", "ada", "as agreed")
    again = place.run("prune", "--older-than", "400d")
    assert "no full segment is older than 400d; nothing was removed" in again.output


def test_prune_needs_a_duration(place: Place) -> None:
    """Anything else is wrong usage, and removes nothing."""
    assert place.run("prune").exit_code == 2
    failed = place.run("prune", "--older-than", "400")
    assert (failed.exit_code, "400d" in failed.output or "is not a duration" in failed.output) == (2, True)


@pytest.mark.parametrize("checkpoint", ["", "5", "5:abc", "0:" + "0" * 64, "5:" + "G" * 64])
def test_what_is_no_checkpoint_is_wrong_usage(place: Place, checkpoint: str) -> None:
    """Anything but a number and a digest is refused before the trail is read."""
    failed = place.verify("--checkpoint", checkpoint)
    assert failed.exit_code == 2
    assert "SEQ:HASH" in failed.output


def test_trail_that_cannot_be_read_is_no_whole_one(place: Place) -> None:
    """A trail that is gone is an error with its reason."""
    place.path.unlink()
    assert "the audit trail cannot be read: there is none" in str(place.verify().exception)
