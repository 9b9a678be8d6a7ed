"""File systems of a test's own: small ones that run full, and read-only ones, seen by one process and its children."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from demo.processes import Process

PRIVATE = ("unshare", "--mount", "sh", "-c")


def mounted(options: str, at: Path) -> tuple[str, ...]:
    """What starts a program that sees a file system with these options `at`; skips where that takes rights we lack."""
    mount = f"mount -t tmpfs -o {options} none {at}"
    try:
        subprocess.run([*PRIVATE, mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system of one's own needs root and unshare(1)")
    return (*PRIVATE, f'{mount} && exec "$0" "$@"')


class Disk:
    """The file system `at`, as a running process sees it."""

    def __init__(self, process: Process, at: Path) -> None:
        self._process, self._at = process, at
        self.root = Path(f"/proc/{process.pid}/root{at}")

    def fill(self) -> None:
        """Leave no room, not for a byte."""
        with suppress(OSError), (self.root / "ballast").open("ab", buffering=0) as ballast:
            while True:
                ballast.write(b"x" * 4096)

    def make_room(self) -> None:
        """Take away what fills it."""
        (self.root / "ballast").unlink()

    def remount(self, options: str) -> None:
        """Mount it anew with other options, such as `ro`."""
        enter = ("nsenter", f"--mount=/proc/{self._process.pid}/ns/mnt")
        subprocess.run([*enter, "mount", "-o", f"remount,{options}", str(self._at)], check=True)
