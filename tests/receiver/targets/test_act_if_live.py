"""Commands run one after the other, and only while the expected release is live."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from receiver.errors import TargetError
from receiver.model import Release
from receiver.targets import act_if_live
from receiver.targets.act_if_live import CHANGED, NOT_STARTABLE, UNKNOWN, NoAnswer, ask
from receiver.targets.outside import only_if_live, require_ids


def shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


def act(live: str, question: str, *actions: str) -> subprocess.CompletedProcess[str]:
    """The program as the wrapper runs it."""
    command = only_if_live(live, shell(question), tuple(map(shell, actions)))
    return subprocess.run(command, env={}, capture_output=True, text=True, check=False, timeout=60)


def test_acts_in_order_where_the_release_is_live(tmp_path: Path) -> None:
    """Each command is told before it runs, and the answer may say more than the release."""
    done = act("r2 7", "echo r2; echo '7 and more'", f"echo one >> {tmp_path}/done", f"echo two >> {tmp_path}/done")
    assert (done.returncode, (tmp_path / "done").read_text()) == (0, "one\ntwo\n")
    assert done.stdout.startswith("[1/2] /bin/sh -c echo one")
    assert "[2/2] /bin/sh -c echo two" in done.stdout


@pytest.mark.parametrize(
    ("question", "code", "said"),
    [
        ("echo r3", CHANGED, "the live release is 'r3', not 'r2' as planned; nothing was touched\n"),
        ("echo r22", CHANGED, "the live release is 'r22', not 'r2' as planned; nothing was touched\n"),
        ("true", CHANGED, "the live release is '', not 'r2' as planned; nothing was touched\n"),
        ("echo r2; echo no cluster >&2; exit 3", UNKNOWN, "ended with exit code 3: no cluster; nothing was touched\n"),
        ("printf 'r2 \\377'", UNKNOWN, "printed what is not UTF-8; nothing was touched\n"),
    ],
)
def test_otherwise_touches_nothing(tmp_path: Path, question: str, code: int, said: str) -> None:
    """Another release, a longer name, no answer, an error: no command runs, and it is said why."""
    done = act("r2", question, f"touch {tmp_path}/done")
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.endswith(said)
    assert not (tmp_path / "done").exists()


def test_first_failure_ends_it(tmp_path: Path) -> None:
    """What follows a command that failed is not run, and the exit code is that command's, as a shell has it."""
    done = act("r2", "echo r2", "exit 7", f"touch {tmp_path}/done")
    assert done.returncode == 7
    assert done.stdout.endswith("/bin/sh ended with exit code 7; nothing more is done\n")
    assert not (tmp_path / "done").exists()
    assert act("r2", "echo r2", "kill -9 $$").returncode == 137


def test_command_ends_with_the_program(tmp_path: Path) -> None:
    """Where the program is killed nobody knows of its command any more, so that ends too."""
    action = shell(f"echo $$ > {tmp_path}/pid; exec sleep 60")
    with subprocess.Popen(only_if_live("r2", ("/bin/echo", "r2"), (action,)), stdout=subprocess.DEVNULL) as program:
        deadline = time.monotonic() + 50
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        program.kill()
    stat = Path(f"/proc/{int((tmp_path / 'pid').read_text())}/stat")
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline, "the command goes on unseen"
        time.sleep(0.02)


def test_command_that_cannot_be_started_is_told() -> None:
    """A program that is not there is code 127 with the reason."""
    command = only_if_live("r2", shell("echo r2"), (("/absent/kubectl", "get"),))
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (NOT_STARTABLE, "")
    assert "/absent/kubectl cannot be started: No such file or directory" in done.stdout


def test_separators_are_no_arguments() -> None:
    """A command of the configuration that could be mistaken for two is refused when the plan is made."""
    for argument in ("--ask", "--then"):
        with pytest.raises(TargetError, match="can be an argument of a target's command"):
            only_if_live("r2", ("/bin/echo",), (("/bin/echo", argument, "/bin/rm"),))


def test_program_needs_nothing_but_python() -> None:
    """It runs isolated and without site-packages, by its own path."""
    command = only_if_live("r2", ("/bin/echo", "r2"), (("/bin/true",),))
    assert command[:4] == (sys.executable, "-I", "-S", act_if_live.__file__)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("sleep 60", "did not end within 0.5 s"),
        ("exec sleep 60 & sleep 60", "did not end within 0.5 s"),
        ("yes", "printed more than 8 MiB|did not end within"),
        ("echo 'red \033[31m' >&2; exit 1", r"ended with exit code 1: red \?\[31m$"),
        ("exit 1", "ended with exit code 1: it said nothing"),
    ],
)
def test_question_is_bounded(script: str, why: str) -> None:
    """What hangs, floods or fails gives no answer but a sentence, within its time."""
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=f"^/bin/sh {why}"):
        ask(shell(script), 0.5)
    assert time.monotonic() - began < 300


def test_what_a_question_leaves_running_delays_nothing() -> None:
    """An answer does not wait for a child that holds the output open."""
    began = time.monotonic()
    assert ask(shell("sleep 50 & echo r2"), 40) == "r2\n"
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("name", ["", "..", "-r", "r 1", "r1\n", "$(reboot)", "/etc"])
def test_only_plain_names_become_arguments(name: str) -> None:
    """The id of a release is neither an option nor a path nor more than one word."""
    with pytest.raises(TargetError, match="is no release id"):
        require_ids(Release("r1", None), Release(name, None))
