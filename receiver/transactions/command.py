"""Whether a transaction is open, by the word of a configured command."""

from __future__ import annotations

from receiver.errors import ProgramError, TransactionsError
from receiver.program import run_program


class CommandTransactions:
    """A command whose exit code 0 says that none is open; it may take `timeout` seconds."""

    def __init__(self, argv: tuple[str, ...], timeout: float) -> None:
        self._argv = argv
        self._timeout = timeout

    def pending(self) -> tuple[str, ...]:
        """The last line that the command printed, where it says that there is one; raises TransactionsError."""
        try:
            ended = run_program(self._argv, self._timeout)
        except ProgramError as error:
            raise TransactionsError(str(error)) from error
        said = ended.said.rpartition("\n")[2].strip() or "it printed nothing"
        return (f"{self._argv[0]} ended with exit code {ended.exit_code}: {said}",) if ended.exit_code else ()
