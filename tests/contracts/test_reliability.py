"""Each fault that the agent has to survive is shown by tests that exist, or says why it cannot be run."""

from __future__ import annotations

import re

from tests.contracts.named_tests import REPOSITORY, named_in, sentences

TABLE = REPOSITORY / "docs" / "reliability.md"
ROW = re.compile(r"^\| (.+?) \| (.+) \| (.+) \|$", flags=re.MULTILINE)


def test_every_fault_is_shown_by_tests_that_exist() -> None:
    """Beside each fault stands how it is done and its tests, or what is done instead of one."""
    table = TABLE.read_text(encoding="utf-8").partition("| fault |")[2].partition("\n\n")[0]
    _, *rows = ROW.findall(f"| fault |{table}")
    assert len(rows) > 30
    assert not {test for *_, shown in rows for test in named_in(shown)} - sentences().keys()
    assert [fault for fault, _, shown in rows if not named_in(shown) and not shown.startswith("Not run: ")] == []
