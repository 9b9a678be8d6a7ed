"""A person announces a hotfix and what became of it, without a server, and sees it in `status`."""

from __future__ import annotations

import json

import click
import pytest

from receiver.errors import AuditError, RollbackAgentError
from receiver.journal import hotfixes, incidents, tables
from tests.receiver.commands.journaled import Journaled

START = ("hotfix", "start", "qrl", "--eta", "10m", "--as", "ada")


def shown(here: Journaled) -> dict[str, object]:
    """What `status --json` says of qrl's hotfix."""
    (qrl, _) = json.loads(here.says("status", "--json"))["deployments"]
    hotfix: dict[str, object] = qrl["hotfix"]
    return hotfix


def test_start_and_done(here: Journaled) -> None:
    """A start says until when, `status` shows it to people and programs, and `done` ends it; both are audited."""
    said = here.says(*START, "--comment", "a missing index")
    hotfix = shown(here)
    assert "a hotfix of qrl is under way until" in said
    assert "rollback-agent hotfix done qrl" in said
    assert "A hotfix of qrl by ada is under way until" in here.says("status")
    assert (hotfix["state"], hotfix["overdue"], hotfix["comment"]) == ("running", False, "a missing index")

    assert here.says("hotfix", "done", "qrl", "--as", "grace") == "Noted as grace: the hotfix of qrl is done.\n"

    assert (shown(here), "hotfix" in here.says("status")) == (None, False)
    assert [(one["decision"], one["actor"], one["reasoning"]) for one in here.audited()] == [
        ("hotfix:start", "ada", "a missing index"), ("hotfix:done", "grace", "it was started by ada"),
    ]  # fmt: skip


def test_failed_is_shown_until_it_is_over(here: Journaled) -> None:
    """A failed hotfix is shown with who said so; another may be started in its place."""
    here.says(*START)
    assert "if users are still affected, a rollback is due" in here.says("hotfix", "failed", "qrl", "--as", "grace")

    assert "The hotfix of qrl was reported failed by grace at" in here.says("status")
    assert shown(here)["state"] == "failed"
    here.says(*START)
    assert shown(here)["state"] == "running"


def test_overdue_is_shown(here: Journaled) -> None:
    """Past its deadline a hotfix of which nobody said anything is shown as overdue."""
    here.says(*START)
    with here.database.write() as tx:
        tx.execute(tables.hotfix.update().values(deadline=1_780_000_000.0))

    assert "The hotfix of qrl by ada is overdue since 2026-05-28 20:26:40Z." in here.says("status")
    assert shown(here)["overdue"]


@pytest.mark.parametrize("eta", ["15m", "20m", "24h", "0s"])
def test_what_takes_too_long_is_no_hotfix(here: Journaled, eta: str) -> None:
    """An ETA of 15 min or more, or of nothing, is refused with a sentence, and nothing is kept."""
    error = here.run("hotfix", "start", "qrl", "--eta", eta).exception

    assert isinstance(error, RollbackAgentError)
    assert "too long for a hotfix" in str(error) or "must be longer than 0s" in str(error)
    assert (shown(here), here.audited()) == (None, [])


@pytest.mark.parametrize("eta", ["soon", "10", "-5m", ""])
def test_an_eta_that_is_no_duration_is_wrong_usage(here: Journaled, eta: str) -> None:
    """What is no duration is wrong usage, with what one looks like."""
    error = here.run("hotfix", "start", "qrl", "--eta", eta).exception

    assert isinstance(error, click.UsageError)
    assert "is not a duration" in error.format_message()


@pytest.mark.parametrize(
    "arguments",
    [
        ("hotfix", "start", "qrx", "--eta", "10m"), ("hotfix", "done", "qrx"), ("hotfix", "failed", "qrx"),
        ("release", "start", "qrx", "r3"), ("release", "finish", "qrx", "r3"),
    ],
)  # fmt: skip
def test_an_unknown_deployment_is_wrong_usage(here: Journaled, arguments: tuple[str, ...]) -> None:
    """A name that the configuration does not have is wrong usage, and the known ones are told."""
    error = here.run(*arguments).exception

    assert isinstance(error, click.UsageError)
    assert error.format_message() == "there is no deployment qrx; the configuration has qrl, shop"


def test_a_second_one_is_refused(here: Journaled) -> None:
    """While a hotfix is under way another is refused, with whose it is; another deployment's is its own."""
    here.says(*START)

    with pytest.raises(RollbackAgentError, match=r"^a hotfix of qrl by ada is under way until .*; say that it is done"):
        here.says("hotfix", "start", "qrl", "--eta", "5m", "--as", "grace")
    here.says("hotfix", "start", "shop", "--eta", "5m", "--as", "grace")

    assert shown(here)["started_by"] == "ada"


@pytest.mark.parametrize("word", ["done", "failed"])
def test_without_one_nothing_can_be_said(here: Journaled, word: str) -> None:
    """`done` and `failed` say that no hotfix is under way."""
    with pytest.raises(RollbackAgentError, match=r"^no hotfix of qrl is under way$"):
        here.says("hotfix", word, "qrl")


def test_an_incident_tells_of_the_hotfix_of_its_time(here: Journaled) -> None:
    """`show` has a line for the hotfix that was under way during an incident."""
    here.says(*START)
    with here.database.write() as tx:
        incidents.wake(tx, "qrl", here.database.now(tx), deciding=None)
        incident = incidents.open_incident(tx, "qrl")
    assert incident is not None

    assert "\nHotfix by ada from 20" in here.says("show", incident)


def test_what_cannot_be_audited_is_not_taken(here: Journaled) -> None:
    """Without a record on disk no hotfix is registered."""
    (here.root / "logs" / "audit-trail.jsonl").mkdir()

    with pytest.raises(AuditError):
        here.says(*START)

    with here.database.read() as tx:
        assert hotfixes.unresolved(tx, "qrl") is None
