"""The word of a real command on open transactions."""

from __future__ import annotations

import time

import pytest

from receiver.errors import TransactionsError
from receiver.transactions.command import CommandTransactions


def pending(script: str, timeout: float = 10.0) -> tuple[str, ...]:
    return CommandTransactions(("/bin/sh", "-c", script), timeout).pending()


def test_exit_code_0_says_that_none_is_open() -> None:
    """Whatever it prints, a command that ends well has found none."""
    assert pending("echo none; exit 0") == ()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo one; echo 'two: 3 open'; exit 3", "/bin/sh ended with exit code 3: two: 3 open"),
        ("echo wrong >&2; echo; exit 1", "/bin/sh ended with exit code 1: wrong"),
        ("exit 1", "/bin/sh ended with exit code 1: it printed nothing"),
        (r"printf 'a\377b'; exit 1", r"/bin/sh ended with exit code 1: a\xffb"),
        ("head -c 3000000 /dev/zero | tr '\\0' x; exit 1", "/bin/sh ended with exit code 1: " + "x" * 1000),
    ],
    ids=["last line", "standard error", "nothing", "no UTF-8", "very much"],
)
def test_any_other_exit_code_says_that_one_is(script: str, told: str) -> None:
    """The last line that it printed goes with it."""
    assert pending(script) == (told,)


def test_a_command_that_does_not_end_is_an_error_and_is_ended() -> None:
    """At its time limit it is killed with what it started, and nothing is known."""
    began = time.monotonic()
    with pytest.raises(TransactionsError, match=r"^/bin/sh did not end within 0\.3 s$"):
        pending("trap '' TERM; sleep 60 & wait; sleep 60", 0.3)
    assert time.monotonic() - began < 30


def test_a_process_left_behind_is_not_waited_for() -> None:
    """What keeps the output open does not keep the answer back."""
    began = time.monotonic()
    assert pending("sleep 40 & exit 0") == ()
    assert time.monotonic() - began < 30


def test_a_signal_is_an_error() -> None:
    """A command that was killed has said nothing."""
    with pytest.raises(TransactionsError, match=r"^/bin/sh was ended by signal 9$"):
        pending("kill -9 $$")


def test_a_command_that_is_not_there_is_an_error() -> None:
    """Its path and the reason are told."""
    with pytest.raises(TransactionsError, match=r"^/no/such cannot be started: No such file or directory$"):
        CommandTransactions(("/no/such",), 1.0).pending()


def test_nothing_of_the_agents_environment_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret in the agent's environment is not in the command's."""
    monkeypatch.setenv("PLANTED", "hunter2")
    (told,) = pending('echo "${PLANTED-none} $PWD"; exit 1')
    assert told.endswith(": none /")
