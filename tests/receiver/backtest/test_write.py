"""A setting that is written changes the numbers of the rule and of its unit tests, and nothing else."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

import pytest
import yaml

from configfile import ConfigError
from receiver.backtest.settings import read_setting
from receiver.backtest.write import Edit, edits, failing_tests
from receiver.rules.files import SHIPPED, TREE


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the shipped rules with the unit tests of two branches."""
    tests = tmp_path / "tests"
    tests.mkdir()
    shutil.copy(SHIPPED / TREE, tmp_path / TREE)
    for name in ("high-error-rate", "wide-impact"):
        shutil.copy(SHIPPED / "tests" / f"{name}.test.yml", tests)
    return tmp_path / TREE


def written(rules: Path, *settings: str) -> dict[str, Edit]:
    """The edits by file name, written to their files."""
    found = edits(rules, [read_setting(one) for one in settings])
    for one in found:
        one.path.write_text(one.after)
    return {one.path.name: one for one in found}


def added(edit: Edit) -> list[str]:
    """The lines that are new in a file."""
    lines = difflib.ndiff(edit.before.splitlines(), edit.after.splitlines())
    return [line[2:].strip() for line in lines if line.startswith("+ ")]


def test_threshold_and_the_figures_around_it_are_written(rules: Path) -> None:
    """Both windows of the rule change, and the tests at, below and above the threshold; they pass as before."""
    found = written(rules, "high_error_rate.threshold=0.08")
    assert [one.count("> 0.08") for one in added(found[TREE])] == [1, 1]
    figures = added(found["high-error-rate.test.yml"])
    assert sorted(one.rsplit("values: ")[1] for one in figures) == sorted(2 * ["0.0792x12}", "0.08x12}", "0.0808x12}"])
    assert "wide-impact.test.yml" not in found
    assert failing_tests(rules, "promtool") == ""


def test_comments_and_all_other_rules_stay(rules: Path) -> None:
    """The file is the same but for the lines that hold the number; comments still name where it came from."""
    before = rules.read_text()
    (edit,) = written(rules, "wide_impact.for=4m", "elevated_error_rate.confidence=0.75").values()
    assert added(edit) == ["for: 4m", 'confidence: "0.75"']
    assert len(edit.after.splitlines()) == len(before.splitlines())
    loaded = {rule.get("alert"): rule for group in yaml.safe_load(edit.after)["groups"] for rule in group["rules"]}
    assert loaded["WideImpact"]["for"] == "4m"
    assert loaded["MinorImpactWorsening"]["for"] == "5m"


def test_duration_that_was_not_there_is_written_as_a_line_of_its_own(rules: Path) -> None:
    """Before the labels, as in other rules; a test that it then fails is for a person."""
    before = rules.read_text()
    (edit,) = written(rules, "high_error_rate.for=30s").values()
    assert added(edit) == ["for: 30s"]
    assert len(edit.after.splitlines()) == len(before.splitlines()) + 1
    loaded = {rule.get("alert"): rule for group in yaml.safe_load(edit.after)["groups"] for rule in group["rules"]}
    assert loaded["HighErrorRate"]["for"] == "30s"
    assert "HighErrorRate" in failing_tests(rules, "promtool")


def test_tests_that_then_fail_are_told(rules: Path) -> None:
    """What was elevated is high now, in a test of another branch: that is for a person, and promtool says where."""
    shutil.copy(SHIPPED / "tests" / "elevated-error-rate.test.yml", rules.parent / "tests")
    written(rules, "high_error_rate.threshold=0.08")
    told = failing_tests(rules, "promtool")
    assert "FAILED" in told
    assert "ElevatedErrorRate" in told


def test_nothing_to_write_is_told(rules: Path) -> None:
    """A value that stands there already, and a branch that does not, are errors."""
    for setting in ("high_error_rate.threshold=0.100", "nothing.threshold=0.1"):
        with pytest.raises(ConfigError, match="has that value already"):
            edits(rules, [read_setting(setting)])
