"""What the command line prints of texts that it quotes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from receiver.journal import deployments
from tests.receiver.commands.journaled import Journaled

AGENT = Path(sys.executable).parent / "rollback-agent"
HOSTILE = "\x1b]0;title\x07\x9b31m"


@pytest.mark.parametrize("arguments", [("clear", HOSTILE), ("approve", HOSTILE, "--plan", "12345678")])
def test_an_error_that_quotes_moves_no_cursor(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A name that somebody else chose, or an answer from the network, is printed without its escape sequences (T14)."""
    here = Journaled(tmp_path)
    here.database.close()

    done = subprocess.run([AGENT, *arguments, "--config", here.config], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: there is no ")
    assert done.stderr.rstrip("\n").isprintable()


def test_a_reason_that_quotes_moves_no_cursor(tmp_path: Path) -> None:
    """Why a deployment was latched may be what its rollback command printed (T14)."""
    here = Journaled(tmp_path)
    with here.database.write() as tx:
        deployments.latch(tx, "qrl", 0.0, f"the command said {HOSTILE}")

    said = here.says("clear", "qrl")

    assert "was latched because the command said " in said
    assert "".join(said.splitlines()).isprintable()
    here.database.close()


def test_the_help_names_each_command_with_a_whole_sentence(tmp_path: Path) -> None:
    """In a terminal of 80 columns no sentence is cut, neither of the commands nor of those below them."""
    here = Journaled(tmp_path)
    for arguments in ((), ("backup",), ("audit",), ("autonomy",), ("hotfix",), ("release",)):
        said = here.run(*arguments, "--help").output
        assert "..." not in said.partition("Commands:")[2], arguments
        assert max(map(len, said.splitlines())) <= 80, arguments


@pytest.mark.parametrize(
    ("typed", "meant"), [(("stauts",), "status"), (("exporte",), "exporter"), (("backup", "lst"), "list")]
)
def test_a_misspelt_command_is_put_right(typed: tuple[str, ...], meant: str) -> None:
    """Whether it is imported when it is used, comes from the exporters, or stands in a group."""
    done = subprocess.run([AGENT, *typed], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.endswith(f"Error: No such command '{typed[-1]}'. Did you mean '{meant}'?\n")
