"""The exit code answers a pipeline, and a sentence whoever reads its log."""

from __future__ import annotations

import json

import pytest

from receiver.errors import NotFound
from receiver.journal import releases
from tests.receiver.commands.journaled import Journaled


def hold(here: Journaled, release: str, commit: str) -> None:
    with here.database.write() as tx:
        releases.deploy_started(tx, "qrl", release, 1_800_000_000.0, commit=commit, author=None)
        releases.hold(tx, "qrl", release, 1_800_000_000.0, "ada")


def test_a_free_release_ends_with_0(here: Journaled) -> None:
    """And says so."""
    result = here.run("gate", "qrl", "r3")
    assert (result.exit_code, result.output) == (0, "r3 may be deployed to qrl.\n")


@pytest.mark.parametrize("arguments", [("r3",), ("r4", "--commit", "abcdef0")])
def test_a_held_release_ends_with_1(here: Journaled, arguments: tuple[str, ...]) -> None:
    """With who holds it, and also under another name where the commit is told."""
    hold(here, "r3", "abcdef0123")
    result = here.run("gate", "qrl", *arguments)
    assert result.exit_code == 1
    assert result.output.startswith(f"{arguments[0]} may not be deployed: r3")
    assert "has been held since 2027-01-15 08:00:00Z (by ada)" in result.output


def test_a_program_reads_the_reasons(here: Journaled) -> None:
    """As JSON, with the same exit code."""
    hold(here, "r3", "abcdef0123")
    result = here.run("gate", "qrl", "r3", "--json")
    answer = json.loads(result.output)
    assert (result.exit_code, answer["open"], len(answer["reasons"])) == (1, False, 1)
    assert json.loads(here.says("gate", "qrl", "r1", "--json"))["open"] is True


def test_an_unknown_deployment_is_no_yes(here: Journaled) -> None:
    """A name that nobody configured is an error, which a pipeline takes as a no."""
    with pytest.raises(NotFound, match="the configuration has qrl, shop"):
        here.says("gate", "nothing", "r3")
