"""Each threat that concerns what the agent does is answered by tests that name it."""

from __future__ import annotations

import re
from collections import defaultdict

from tests.contracts.named_tests import REPOSITORY, named_in, sentences

TABLE = REPOSITORY / "docs" / "threats.md"
ROW = re.compile(r"^\| (T\d+) \| .+ \| (.+) \|$", flags=re.MULTILINE)


def named() -> dict[str, set[str]]:
    """The tests that name each threat in their sentence."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for test, sentence in sentences().items():
        for numbers in re.findall(r"\((T\d+(?:, T\d+)*)\)", sentence):
            for number in numbers.split(", "):
                found[number].add(test)
    return dict(found)


def test_every_threat_is_answered_by_the_tests_that_name_it() -> None:
    """The table holds all 22, and beside each the tests that name it, or why there is none."""
    rows = dict(ROW.findall(TABLE.read_text(encoding="utf-8")))
    assert list(rows) == [f"T{number}" for number in range(1, 23)]
    told = {threat: named_in(shows) for threat, shows in rows.items()}
    assert {threat: tests for threat, tests in told.items() if tests} == named()
    assert all(shows.startswith("No test: ") for threat, shows in rows.items() if not told[threat])
