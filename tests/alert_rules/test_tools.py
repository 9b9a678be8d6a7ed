"""Prometheus' and Alertmanager's own tools accept the shipped files, and the rules' unit tests hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

RULES = Path(__file__).parents[2] / "alert-rules"
RULE_FILES = sorted(RULES.glob("*.rules.yml"))
UNIT_TESTS = sorted(RULES.glob("tests/*.test.yml"))
Run = Callable[..., CompletedProcess[str]]


@pytest.mark.parametrize("file", RULE_FILES, ids=lambda file: file.name)
def test_rules_are_valid(run: Run, file: Path) -> None:
    """promtool finds nothing to complain about, duplicates included."""
    checked = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", file)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stderr == ""


@pytest.mark.parametrize("file", UNIT_TESTS, ids=lambda file: file.name)
def test_unit_tests_hold(run: Run, file: Path) -> None:
    """The rules do what their unit tests say."""
    tested = run("promtool", "test", "rules", file)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_prometheus_configuration_is_valid(run: Run) -> None:
    """promtool accepts the example, and the example loads every rule file beside it."""
    checked = run("promtool", "check", "config", RULES / "prometheus.yml")
    assert checked.returncode == 0, checked.stderr
    assert f"{len(RULE_FILES)} rule files found" in checked.stdout


def test_alertmanager_configuration_is_valid(run: Run) -> None:
    """amtool, of Alertmanager 0.25 on Debian 12, knows every key of the example."""
    checked = run("amtool", "check-config", RULES / "alertmanager.yml")
    assert checked.returncode == 0, checked.stderr
