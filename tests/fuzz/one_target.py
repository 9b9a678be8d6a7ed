"""Fuzzes one target in this process: `python -m tests.fuzz.one_target TARGET LIBFUZZER-OPTION...`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import atheris

from tests.fuzz.targets import checked_by

INSTRUMENTED = ["configfile", "receiver", "exporters"]
IN_MEMORY = Path("/dev/shm")
"""Most inputs are written to a file, and those of the trail also synced."""


def main(target: str, options: list[str]) -> None:
    """Run until libFuzzer ends the process."""
    with atheris.instrument_imports(include=INSTRUMENTED):
        check = checked_by(target)
    directory = IN_MEMORY / f"fuzz-{target}"  # the same each time: what is read of a path is a part of the coverage
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    atheris.Setup([sys.argv[0], *options], lambda data: check(data, directory))
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
