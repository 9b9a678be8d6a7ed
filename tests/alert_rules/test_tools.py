"""The tools of each version accept the shipped files, and the unit tests of the rules hold on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prometheus_versions import Version

RULES = Path(__file__).parents[2] / "alert-rules"
RULE_FILES = sorted(RULES.glob("*.rules.yml"))
SOURCES = sorted(RULES.glob("sources/*.rules.yml"))
UNIT_TESTS = sorted(RULES.glob("tests/*.test.yml"))


@pytest.mark.parametrize("file", [*RULE_FILES, *SOURCES], ids=lambda file: file.name)
def test_rules_are_valid(version: Version, file: Path) -> None:
    """promtool finds nothing to complain about, duplicates included."""
    checked = version.run("promtool", "check", "rules", "--lint=all", "--lint-fatal", file)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stderr == ""


@pytest.mark.parametrize("file", UNIT_TESTS, ids=lambda file: file.name)
def test_unit_tests_hold(version: Version, file: Path) -> None:
    """The rules do what their unit tests say."""
    tested = version.run("promtool", "test", "rules", file)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_prometheus_configuration_is_valid(version: Version) -> None:
    """promtool accepts the example, and the example loads every rule file beside it."""
    checked = version.run("promtool", "check", "config", RULES / "prometheus.yml")
    assert checked.returncode == 0, checked.stderr
    assert f"{len(RULE_FILES)} rule files found" in checked.stdout


def test_alertmanager_configuration_is_valid(version: Version) -> None:
    """amtool, from that of Debian 12 on, knows every key of the example and warns of none."""
    checked = version.run("amtool", "check-config", RULES / "alertmanager.yml")
    assert checked.returncode == 0, checked.stderr
    assert checked.stderr == ""
