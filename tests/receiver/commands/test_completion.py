"""Shells complete what the command line has, as it is, by asking the program itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.receiver.commands.in_process import run_command
from tests.receiver.commands.journaled import Journaled

PROGRAMS = Path(sys.executable).parent
ENVIRONMENT = {"PATH": f"{PROGRAMS}:{os.defpath}", "HOME": "/nonexistent"}
SYNTAX = {"bash": "-n", "zsh": "-n", "fish": "--no-execute"}


def completed(*words: str, **more: str) -> list[str]:
    """What a real bash offers at the end of these words, with the script as it is printed, and `more` variables."""
    script = (
        'source <(rollback-agent completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        '_rollback_agent_completion rollback-agent; printf "%s\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "--norc", "-c", script, "bash", "rollback-agent", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=ENVIRONMENT | more)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("che",), ["check-config"]),
        (("kill-switch", ""), ["on", "off"]),
        (("hotfix", "st"), ["start"]),
        (("rollback", "qrl", "--level", "f"), ["fast", "full"]),
        (("check-config", "--ag"), ["--against-prometheus"]),
        (("expo",), ["exporter"]),
    ],
)
def test_a_real_bash_completes(words: tuple[str, ...], offered: list[str]) -> None:
    """Commands, those below them, options and their values, those of the exporter too."""
    assert completed(*words) == offered


@pytest.mark.parametrize(
    ("command", "words"),
    [(["gate"], ["q"]), (["hotfix", "start"], ["q"]), (["review", "summary"], ["--deployment", "q"])],
)
def test_deployments_are_completed(here: Journaled, command: list[str], words: list[str]) -> None:
    """Those that the configuration has, by whatever way it is named; none where it cannot be read."""
    assert completed(*command, "--config", str(here.config), *words) == ["qrl"]
    assert completed(*command, *words, ROLLBACK_AGENT_CONFIG=str(here.config)) == ["qrl"]
    here.config.write_text("deployments: [")
    assert completed(*command, *words, ROLLBACK_AGENT_CONFIG=str(here.config)) == []


def test_deployments_of_the_exporter_are_completed(tmp_path: Path) -> None:
    """For `health`, from the exporter's own configuration."""
    (tmp_path / "exporter.yml").write_text(
        "deployments: {qrl: {services: {a: {checks: [{name: b, kind: ui, command: {argv: [/bin/true]}}]}}}}"
    )
    assert completed("health", "--config", str(tmp_path / "exporter.yml"), "--deployment", "") == ["qrl"]


@pytest.mark.parametrize("shell", SYNTAX)
def test_the_script_is_one_of_that_shell(shell: str, tmp_path: Path) -> None:
    """It asks the program by the variable that click listens to; where the shell is there, it reads the script."""
    code, script = run_command("completion", shell)
    assert (code, f"_ROLLBACK_AGENT_COMPLETE={shell}_complete" in script) == (0, True)
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        subprocess.run([shell, SYNTAX[shell], tmp_path / "script"], timeout=60, check=True)


def test_another_shell_is_refused() -> None:
    """With those that there are."""
    code, said = run_command("completion", "tcsh")
    assert code == 2
    assert "'bash', 'zsh', 'fish'" in said
