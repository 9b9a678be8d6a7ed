"""The tests of this repository by the names that documents give them, with the sentence that each states."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_TEST = re.compile(r'^ *def (test_\w+)\([^"]*?"""(.*?)"""', flags=re.MULTILINE | re.DOTALL)
_MACHINE = re.compile(r"^(Test\w+) = \w+\.TestCase$", flags=re.MULTILINE)


@cache
def sentences() -> dict[str, str]:
    """Each test as `tests/file.py::name`; a state machine of hypothesis has no sentence of its own."""
    found: dict[str, str] = {}
    for file in (REPOSITORY / "tests").rglob("test_*.py"):
        text, path = file.read_text(encoding="utf-8"), file.relative_to(REPOSITORY)
        found |= {f"{path}::{name}": " ".join(sentence.split()) for name, sentence in _TEST.findall(text)}
        found |= {f"{path}::{name}": "" for name in _MACHINE.findall(text)}
    return found


def named_in(text: str) -> set[str]:
    """The tests that a cell of a table names."""
    return set(re.findall(r"`(tests/[^`]+)`", text))
