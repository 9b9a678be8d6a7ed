"""The health command is run with its bounds, and whatever it prints, the checks or a sentence come back."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from demo.processes import wait_until
from receiver.errors import HealthError
from receiver.health import LONGEST_DETAIL, MAX_OUTPUT, check_health
from receiver.model import CheckedHealth

CHECK = {
    "deployment": "qrl", "service": "web", "check": "home", "kind": "availability",
    "success": True, "reason": None, "detail": "", "http_status": 200, "seconds": 0.25,
}  # fmt: skip
FAILED = CHECK | {"check": "api", "success": False, "reason": "status", "detail": "status 503, expected 200"}


def shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


def printing(*checks: object, then: str = "") -> tuple[str, ...]:
    return ("/bin/sh", "-c", f'printf %s "$1"; {then}', "sh", json.dumps({"checks": checks}))


def test_checks_of_the_deployment_come_back() -> None:
    """Good and failed checks of this deployment are told; those of another are not, nor is the exit code minded."""
    argv = printing(CHECK, FAILED, CHECK | {"deployment": "other"}, then="exit 1")

    assert check_health(argv, 10, "qrl") == (
        CheckedHealth("web", "home", "availability", True, "", 0.25),
        CheckedHealth("web", "api", "availability", False, "status: status 503, expected 200", 0.25),
    )


def test_a_long_detail_is_cut() -> None:
    """What a target says fills no report."""
    (check,) = check_health(printing(FAILED | {"detail": "x" * 5000}), 10, "qrl")
    assert len(check.detail) == LONGEST_DETAIL


def test_the_environment_is_empty(tmp_path: Path) -> None:
    """The command gets nothing of the agent's environment and its directory is the root."""
    seen = tmp_path / "seen"
    check_health(printing(CHECK, then=f"/usr/bin/env > {seen}; pwd >> {seen}"), 10, "qrl")
    names = {line.partition("=")[0] for line in seen.read_text().splitlines()}
    assert names <= {"PWD", "OLDPWD", "SHLVL", "_", "/"}


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("/no/such/program",), "/no/such/program cannot be started: No such file or directory"),
        (shell("echo 'exporter.yml:3: unknown key' >&2; exit 2"), "exporter.yml:3: unknown key"),
        (shell("echo fine"), "printed no such JSON as `rollback-agent health --json`"),
        (printing({"check": "home"}), "printed no such JSON as `rollback-agent health --json`"),
        (printing(CHECK | {"deployment": "other"}), "/bin/sh ran no check of qrl"),
        (shell("exec cat /dev/zero"), "/bin/sh did not end within its time"),
        (shell(f"head -c {MAX_OUTPUT + 5} /dev/zero"), f"/bin/sh printed {MAX_OUTPUT} bytes or more"),
        (shell("sleep 60"), "/bin/sh did not end within its time"),
        (shell("exec >&- 2>&-; exit 3"), "printed no such JSON"),
    ],
    ids=["absent", "complains", "no json", "other json", "other deployment", "floods", "too much", "hangs", "silent"],
)
def test_a_command_that_does_not_answer_is_a_sentence(argv: tuple[str, ...], said: str) -> None:
    """Whatever is wrong with the command is an error that says what, in bounded time and space."""
    with pytest.raises(HealthError) as raised:
        check_health(argv, 1, "qrl")
    assert said in str(raised.value)
    assert len(str(raised.value)) < 500


def test_nothing_of_a_command_is_left_behind(tmp_path: Path) -> None:
    """At the time limit its children end too, and none keeps the caller waiting on the pipe."""
    pid = tmp_path / "pid"
    begin = time.monotonic()
    with pytest.raises(HealthError, match="within its time"):
        check_health(shell(f"sleep 61 & echo $! > {pid}; sleep 62"), 0.5, "qrl")
    assert time.monotonic() - begin < 30
    state = Path(f"/proc/{pid.read_text().strip()}/stat")

    def is_gone() -> bool:
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"

    assert wait_until(is_gone, timeout=30)
