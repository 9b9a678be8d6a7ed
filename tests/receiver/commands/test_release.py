"""A pipeline reports the start and the end of a deploy, without a server, and `status` shows it."""

from __future__ import annotations

import json

import click
import pytest

from receiver.journal import releases
from tests.receiver.commands.journaled import Journaled


def shown(here: Journaled) -> tuple[list[str], bool]:
    """What `status --json` says of qrl: the releases being deployed, and whether the live one's migration failed."""
    (qrl, _) = json.loads(here.says("status", "--json"))["deployments"]
    return [deploy["release"] for deploy in qrl["deploys"]], qrl["migration_failed"]


def test_a_deploy_is_shown_while_it_is_under_way(here: Journaled) -> None:
    """From `start` to `finish` `status` shows the deploy; both are audited with who reported them."""
    said = here.says("release", "start", "qrl", "r3", "--commit", "abc1234", "--author", "grace", "--as", "ci")
    assert said == "Noted as ci: the deploy of r3 to qrl has begun.\n"
    assert "The deploy of r3 to qrl has been under way since" in here.says("status")
    assert shown(here) == (["r3"], False)

    here.says("release", "finish", "qrl", "r3", "--migration", "ok", "--as", "ci")

    assert (shown(here), "deploy of" in here.says("status")) == (([], False), False)
    assert [(one["decision"], one["reasoning"], one["actor"]) for one in here.audited()] == [
        ("release:start", "r3", "ci"), ("release:finish", "r3", "ci"),
    ]  # fmt: skip


def test_the_services_that_it_changes_are_kept(here: Journaled) -> None:
    """Each once, in order; a later try that does not say leaves it unknown."""
    here.says("release", "start", "qrl", "r3", "--service", "gradio", "--service", "flask", "--service", "flask")
    with here.database.read() as tx:
        assert releases.changed_services(tx, "qrl", "r3") == ("flask", "gradio")
    assert here.audited()[0]["metrics_used"]["services"] == ["gradio", "flask", "flask"]

    here.says("release", "start", "qrl", "r3")
    with here.database.read() as tx:
        assert releases.changed_services(tx, "qrl", "r3") is None


def test_a_failed_migration_of_the_live_release_is_shown(here: Journaled) -> None:
    """A migration that failed is shown once its release is the live one."""
    here.says("release", "finish", "qrl", "r3", "--migration", "failed")
    assert shown(here) == ([], False)
    here.says("release", "finish", "qrl", "r1", "--migration", "failed")

    assert shown(here) == ([], True)
    assert "The database migration of r1, which is live on qrl, was reported failed." in here.says("status")


def test_a_migration_that_cannot_be_undone_is_told_and_taken_back(here: Journaled) -> None:
    """`--irreversible` and `--reversible` are kept and audited; neither says nothing."""
    for word in (("--irreversible",), (), ("--reversible",)):
        here.says("release", "finish", "qrl", "r3", "--migration", "ok", *word)

    assert [one["metrics_used"]["irreversible"] for one in here.audited()] == [True, None, False]


@pytest.mark.parametrize("release", ["../r3", "r 3", ".r3", "r" * 64, "r3\n"])
@pytest.mark.parametrize("event", ["start", "finish"])
def test_what_is_no_id_is_wrong_usage(here: Journaled, event: str, release: str) -> None:
    """An id with other characters, or too long, is wrong usage with a sentence."""
    error = here.run("release", event, "qrl", release).exception

    assert isinstance(error, click.UsageError)
    assert "is no name; use letters, digits, dot, underscore, hyphen, at most 63" in error.format_message()
    assert here.audited() == []
