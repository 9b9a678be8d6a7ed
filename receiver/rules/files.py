"""Reads rule files, and knows which of them come with the agent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from configfile import ConfigError, parse_duration, printable
from receiver.rules.groups import Group, Kind, Rule

SHIPPED = (Path(__file__).parents[1] / "alert-rules").resolve()
"""Beside the code, in a checkout as in an installed package (docs/decisions/0036-rules-come-with-the-package.md)."""
TREE = "decision-tree.rules.yml"
"""The file that holds the branches."""


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file of rules; whoever measures by other means loads the optional ones of `sources/` that fit."""

    name: str
    is_optional: bool
    groups: tuple[Group, ...]


def read_rule_files(directory: Path) -> tuple[RuleFile, ...]:
    """The rule files of a directory laid out like `alert-rules/`; raises ConfigError where it holds none."""
    paths = sorted(directory.glob("*.rules.yml"))
    if not paths:
        raise ConfigError(f"{directory}: holds no *.rules.yml")
    sources = sorted(directory.glob("sources/*.rules.yml"))
    return tuple(
        RuleFile(str(path.relative_to(directory)), path in sources, _read(path)) for path in (*paths, *sources)
    )


def _read(path: Path) -> tuple[Group, ...]:
    try:
        content = yaml.safe_load(path.read_text())
        return tuple(_group(group) for group in content["groups"])
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError, AttributeError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else printable(" ".join(str(error).split()))
        raise ConfigError(f"{path}: is no file of rules: {why}") from error


def _group(content: dict[str, Any]) -> Group:
    interval = content.get("interval")
    return Group(
        name=content["name"],
        rules=tuple(_rule(rule) for rule in content["rules"]),
        interval=None if interval is None else parse_duration(interval),
    )


def _rule(content: dict[str, Any]) -> Rule:
    is_alert = "alert" in content
    return Rule(
        name=content["alert" if is_alert else "record"],
        kind=Kind.ALERTING if is_alert else Kind.RECORDING,
        query=str(content["expr"]),
        labels=_texts(content.get("labels", {})),
        annotations=_texts(content.get("annotations", {})),
        duration=parse_duration(content.get("for", "0s")),
        keep_firing_for=parse_duration(content.get("keep_firing_for", "0s")),
    )


def _texts(content: dict[str, Any]) -> dict[str, str]:
    """Prometheus reads whatever stands there as text, such as a rank without quotes."""
    return {name: str(text) for name, text in content.items()}
