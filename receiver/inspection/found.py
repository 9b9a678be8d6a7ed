"""What was found in a directory: the target that fits, why, its settings, and what a person has to fill in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from configfile import MAX_BYTES

UNFINISHED = "/fill/in"
"""Paths that begin so are there for nobody: `doctor` and the guardrails refuse until a person has put in theirs."""

Value = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where is looked: the directory, where systemd keeps its units, and a person their kubeconfig; all absolute."""

    directory: Path
    units: Path
    kubeconfig: Path

    def here(self, path: Path) -> str:
        """`path` as seen from the directory."""
        return str(path.relative_to(self.directory))


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the target with its value; `why` is told before it, and `to_do` what a person has to change."""

    key: str
    value: Value
    why: str = ""
    to_do: str = ""


@dataclass(frozen=True, slots=True)
class FittingTarget:
    """One target that fits; `because` is what was seen, `name` what the deployment is called there."""

    target: str
    because: str
    settings: tuple[Setting, ...]
    name: str | None = None


def fits(value: object, kind: Any) -> bool:
    """Whether the configuration takes `value` where it wants `kind`."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


def documents(file: Path) -> tuple[dict[str, Any], ...]:
    """The mappings of a YAML file, none where it cannot be read as YAML, as a template of helm."""
    try:
        if file.stat().st_size > MAX_BYTES:
            return ()
        found = tuple(yaml.safe_load_all(file.read_text()))
    except (OSError, ValueError, LookupError, AttributeError, yaml.YAMLError, RecursionError):
        return ()
    return tuple(one for one in found if isinstance(one, dict))


def below(content: object, *keys: str) -> Any:
    """What stands below these keys, or None where one is not there."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content


def unfinished(content: object, key: str = "") -> Iterator[str]:
    """The keys below which a configuration still has what `init` left to a person, as `key: /fill/in/what`."""
    if isinstance(content, dict):
        for name, one in content.items():
            yield from unfinished(one, f"{key}.{name}" if key else str(name))
    elif isinstance(content, tuple):
        for one in content:
            yield from unfinished(one, key)
    elif isinstance(content, str | Path) and Path(content).is_relative_to(UNFINISHED):
        yield f"{key}: {content}"
