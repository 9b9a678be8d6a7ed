"""A replica is the same one after each start, and another one where the marks of its commands are others."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from receiver.errors import RollbackAgentError
from receiver.replica import identify


def test_the_same_directory_is_the_same_replica(tmp_path: Path) -> None:
    """It names the machine, so that a person knows where to look."""
    first = identify(tmp_path)
    assert first == identify(tmp_path)
    assert first.startswith(f"{socket.gethostname()}/")


def test_a_directory_that_was_lost_is_another_replica(tmp_path: Path) -> None:
    """With it the marks are lost that would say whether a command was started."""
    first = identify(tmp_path)
    (tmp_path / "replica").unlink()
    assert identify(tmp_path) != first


def test_whoever_asks_at_once_is_told_the_same(tmp_path: Path) -> None:
    """One of them makes it."""
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: identify(tmp_path), range(32)))) == 1


def test_without_a_directory_there_is_none(tmp_path: Path) -> None:
    """An agent that cannot keep who it is does not start."""
    with pytest.raises(RollbackAgentError, match="which replica this is cannot be kept"):
        identify(tmp_path / "gone")
