"""The command line, run in this process as the program runs it."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from receiver.cli import main


def run_command(*arguments: str | Path) -> tuple[int, str]:
    """The exit code, and what was printed on both outputs; a traceback is an exception here."""
    printed = io.StringIO()
    code: int | str | None = 0
    with redirect_stdout(printed), redirect_stderr(printed):
        try:
            main([str(one) for one in arguments])
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int | None)
    return code or 0, printed.getvalue()
