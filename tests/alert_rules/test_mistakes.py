"""A mistake in the rules makes their unit tests fail, so that they are no decoration."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.alert_rules.mistake import Mistake
from tests.alert_rules.mistakes_beside_tree import BESIDE_TREE
from tests.alert_rules.mistakes_in_tree import IN_TREE
from tests.prometheus_versions import SYSTEM


@pytest.mark.parametrize("mistake", IN_TREE + BESIDE_TREE, ids=lambda mistake: mistake.what)
def test_mistake_is_noticed(shipped: Path, tmp_path: Path, mistake: Mistake) -> None:
    """The unit tests, which hold otherwise, find a difference on a copy of the rules that has the mistake."""
    copy = shutil.copytree(shipped, tmp_path / "alert-rules")
    unit_tests = copy / "tests" / f"{mistake.noticed_by}.test.yml"
    rules = (copy / mistake.file).read_text()
    wrong = made(rules, mistake)
    assert wrong != rules, "the mistake can no longer be made"
    (copy / mistake.file).write_text(wrong)
    checked = SYSTEM.run("promtool", "check", "rules", copy / mistake.file)
    assert checked.returncode == 0, "invalid, so no silent mistake"

    tested = SYSTEM.run("promtool", "test", "rules", unit_tests)
    assert tested.returncode != 0
    assert "got:" in tested.stderr


def made(rules: str, mistake: Mistake) -> str:
    """The rules with the mistake in them."""
    parts = re.split(r"(?=^      - alert: )", rules, flags=re.MULTILINE)
    where = f"      - alert: {mistake.alert}\n" if mistake.alert else ""
    return "".join(part.replace(mistake.text, mistake.becomes) if part.startswith(where) else part for part in parts)
