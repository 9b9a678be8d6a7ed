"""Writes settings into the rule file and their figures into its unit tests, as changes that a person commits."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from configfile import ConfigError
from receiver.backtest.promtool import run_tests
from receiver.backtest.settings import CONFIDENCE, DURATIONS, Setting, changed_rules, place_of, present_value
from receiver.tree.conditions import read_expression

_RULE = re.compile(r"^( *)- (?:alert|record):")
_KEY = re.compile(r"^( *)(?:- )?([a-z_]+):")
_FIGURE = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?=x\d|\b)(?!\.)")
_BESIDE = (Decimal("0.99"), Decimal(1), Decimal("1.01"))
"""Unit tests try a threshold, and what is a hundredth below and above it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A file before and after."""

    path: Path
    before: str
    after: str


def edits(rules: Path, settings: Sequence[Setting]) -> tuple[Edit, ...]:
    """What has to be changed in a rule file and in the unit tests beside it; raises ConfigError.

    Only numbers change: of comments and of texts for people, a person has to say what they should be.
    """
    before = text = _read(rules)
    figures: list[tuple[frozenset[str], Decimal, Decimal]] = []
    for setting in settings:
        figures += _figures(setting, text)
        text = _with_setting(setting, text, rules)
    found = [Edit(rules, before, text)]
    for path in sorted((rules.parent / "tests").glob("*.test.yml")):
        old = new = _read(path)
        for signals, was, becomes in figures:
            new = _with_figures(new, signals, was, becomes)
        found.append(Edit(path, old, new))
    return tuple(one for one in found if one.before != one.after)


def failing_tests(rules: Path, promtool: str) -> str:
    """What promtool says of unit tests that fail; empty where none does, or none is there. Raises BacktestError."""
    tests = sorted((rules.parent / "tests").glob("*.test.yml"))
    if not tests:
        return ""
    with tempfile.TemporaryFile() as output:
        code = run_tests(promtool, tests, output)
        output.seek(0)
        return "" if code == 0 else output.read().decode(errors="replace").strip()


def _with_setting(setting: Setting, text: str, path: Path) -> str:
    """The text of the file with a setting; what it then means is compared with what was meant."""
    rules = _rules(text)
    wanted = [new or old for old, new in zip(rules, changed_rules(setting, rules), strict=True)]
    before = [present_value(setting, rule) for rule in rules if rule.get("labels", {}).get("branch") == setting.branch]
    known = [one for one in before if one is not None]
    if wanted == rules or (known and all(_same(one, setting.value) for one in known)):
        raise ConfigError(f"{setting}: {path} has that value already, or no such place")
    lines = text.splitlines(keepends=True)
    begins = [number for number, line in enumerate(lines) if _RULE.match(line)]
    for place, (old, new) in enumerate(zip(rules, wanted, strict=True)):
        if old != new:
            end = begins[place + 1] if place + 1 < len(begins) else len(lines)
            lines[begins[place] : end] = _changed_lines(setting, lines[begins[place] : end], old)
    changed = "".join(lines)
    if _rules(changed) != wanted:
        raise ConfigError(f"{setting}: {path} is not written as it can be changed; change it by hand")
    return changed


def _same(one: str, other: str) -> bool:
    """Whether both say the same, `0.10` and `0.1` too."""
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return one == other


def _changed_lines(setting: Setting, lines: list[str], rule: Mapping[str, Any]) -> list[str]:
    place = None if setting.name in (*DURATIONS, CONFIDENCE) else place_of(setting, str(rule["expr"]))
    is_new = setting.name in DURATIONS and setting.name not in rule
    key, changed = "", []
    for line in lines:
        if line.lstrip().startswith("#"):
            changed.append(line)
            continue
        if found := _KEY.match(line):
            key = found[2]
        if found and key == "labels" and is_new:
            changed.append(f"{line[: line.index('labels')]}{setting.name}: {setting.value}\n")
        if place is not None and key == "expr":
            changed.append(place.with_value(line, setting.value))
        elif key == setting.name and found:
            quote = '"' if setting.name == CONFIDENCE else ""
            changed.append(f"{line[: line.index(':')]}: {quote}{setting.value}{quote}\n")
        else:
            changed.append(line)
    return changed


def _figures(setting: Setting, text: str) -> Iterator[tuple[frozenset[str], Decimal, Decimal]]:
    """The signals that are compared, with the present and the new number; of a threshold only."""
    if setting.name in (*DURATIONS, CONFIDENCE):
        return
    for rule in _rules(text):
        if rule.get("labels", {}).get("branch") != setting.branch:
            continue
        place, present = place_of(setting, str(rule["expr"])), present_value(setting, rule)
        if place is None or present is None or not place.number:
            continue
        compared = (one.left.name for one in read_expression(str(rule["expr"])).conditions if place.is_of(one))
        signals = frozenset(name for one in compared for name in re.findall(r"[a-z]\w*:\w+:\w+", one))
        yield signals, Decimal(present), Decimal(setting.value)


def _with_figures(text: str, signals: frozenset[str], was: Decimal, becomes: Decimal) -> str:
    """A unit test in which the values of these signals at the threshold, and right beside it, are at the new one."""
    moved = {was * beside: becomes * beside for beside in _BESIDE}

    def replaced(found: re.Match[str]) -> str:
        new = moved.get(Decimal(found[0]))
        return found[0] if new is None else f"{new.normalize():f}"

    lines, is_meant = [], False
    for line in text.splitlines(keepends=True):
        if "series:" in line:
            is_meant = any(f"{one}{{" in line for one in signals)
        head, values, figures = line.partition("values:")
        lines.append(head + values + _FIGURE.sub(replaced, figures) if is_meant and values else line)
    return "".join(lines)


def _rules(text: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
