"""System calls that fail: strace puts an error in the place of the kernel's answer."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from demo.processes import Process, wait_until


@contextmanager
def failing(process: Process, calls: str, error: str) -> Iterator[None]:
    """These calls of the process fail while the block runs; skips where strace may not watch."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    argv = (strace, "-f", "-p", str(process.pid), "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}")
    with tempfile.TemporaryFile("w+") as said:
        watching = subprocess.Popen(argv, stderr=said, stdin=subprocess.DEVNULL)

        def says() -> str:
            said.seek(0)
            return said.read()

        try:
            assert wait_until(lambda: "attached" in says() or watching.poll() is not None, 60)
            if "attached" not in says():
                pytest.skip(f"strace may not watch processes here: {says()}")
            yield
        finally:
            watching.terminate()
            watching.wait()
