"""One thing that is looked at: what it is, what is wrong with it, and what to do then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from receiver.errors import RollbackAgentError


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: `wrong` and `to_do` are None where all is well; then a `note` may say what is not there yet."""

    subject: str
    wrong: str | None
    to_do: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class NotYet:
    """Nothing is wrong, but what is looked at is not there yet; the note says what and what makes it."""

    note: str


@dataclass(frozen=True, slots=True)
class Check:
    """What is to be looked at; `look` says what is wrong, or NotYet or None, and may raise why it cannot be told.

    Where one of those subjects is wrong that it `needs`, nothing is looked at.
    """

    subject: str
    look: Callable[[], str | NotYet | None]
    to_do: str
    needs: tuple[str, ...] = ()


def made(checks: Iterable[Check]) -> Iterator[Checked]:
    """Look at one after the other."""
    wrong: set[str] = set()
    for check in checks:
        found = _found(check, next((need for need in check.needs if need in wrong), None))
        if found.wrong:
            wrong.add(check.subject)
        yield found


def _found(check: Check, missing: str | None) -> Checked:
    if missing is not None:
        return Checked(check.subject, f"not known, since {missing} is wrong", "mend that first, and run this again")
    try:
        wrong = check.look()
    except (RollbackAgentError, OSError) as error:
        wrong = str(error)
    if isinstance(wrong, NotYet):
        return Checked(check.subject, None, note=wrong.note)
    return Checked(check.subject, wrong, check.to_do) if wrong else Checked(check.subject, None)
