"""The readers that are fuzzed, each with what has to hold for any input."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

TARGETS = {"notification": 4096, "redaction": 256, "access_log": 1024, "trail": 4096, "configuration": 256}
"""Each target, and the longest input in bytes: what takes long to read is kept short, so that much of it is read."""
CORPUS = Path(__file__).with_name("corpus")


def checked_by(target: str) -> Callable[[bytes, Path], None]:
    """The check of a target: it takes an input and a directory, and raises where something does not hold."""
    check: Callable[[bytes, Path], None] = import_module(f"tests.fuzz.{target}").check
    return check


def inputs(target: str) -> list[Path]:
    """The seeds of a target, and what once broke it."""
    return sorted((CORPUS / target).iterdir())
