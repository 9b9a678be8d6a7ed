"""Runs promtool, which evaluates rules as Prometheus does."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from receiver.errors import BacktestError
from receiver.program import ENVIRONMENT

FAILED = 1
"""The exit code where a test failed."""
LONGEST = 600.0
"""Seconds after which promtool is ended."""


def run_tests(
    promtool: str, tests: Sequence[Path], output: IO[bytes], environment: Mapping[str, str] = ENVIRONMENT
) -> int:
    """Run unit tests of rules; all that is said goes to `output`. Its exit code; raises BacktestError."""
    try:
        return subprocess.run(
            (promtool, "test", "rules", *map(str, tests)),
            stdout=output,
            stderr=output,  # what failed goes there
            env=environment,
            timeout=LONGEST,
            check=False,
        ).returncode
    except OSError as error:
        raise BacktestError(f"{promtool} cannot be started: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise BacktestError(f"{promtool} did not end within {LONGEST:g} s") from error
