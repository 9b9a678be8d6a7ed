"""What the tests of the rules share: what the shipped files hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture(scope="session")
def shipped() -> Path:
    """The directory of the rules as they are shipped."""
    return Path(__file__).parents[2] / "alert-rules"


@pytest.fixture(scope="session")
def rules(shipped: Path) -> list[dict[str, Any]]:
    """Every shipped rule, in the order of its file."""
    return [
        rule
        for file in sorted(shipped.glob("*.rules.yml"))
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    ]


@pytest.fixture(scope="session")
def branches(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The alerts that are a branch of the decision tree, in the order of the tree's file."""
    return [rule for rule in rules if "branch" in rule.get("labels", {})]
