"""Writes settings into the rule file and their figures into its unit tests, as changes that a person commits."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from configfile import ConfigError
from receiver.backtest.settings import CONFIDENCE, DURATIONS, Place, Setting, changed_rule, place_of, present_value
from receiver.errors import BacktestError
from receiver.tree.conditions import read_expression

_RULE = re.compile(r"^( *)- (?:alert|record):")
_KEY = re.compile(r"^( *)(?:- )?([a-z_]+):")
_FIGURE = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?=x\d|\b)(?!\.)")
_BESIDE = (Decimal("0.99"), Decimal(1), Decimal("1.01"))
"""Unit tests try a threshold, and what is a hundredth below and above it."""
WITHIN = 600.0
"""Seconds that the unit tests may take."""


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
    try:
        done = subprocess.run(
            (promtool, "test", "rules", *tests), capture_output=True, text=True, timeout=WITHIN, check=False
        )
    except OSError as error:
        raise BacktestError(f"{promtool} cannot be started: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise BacktestError(f"{promtool} did not end within {WITHIN:g} s") from error
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip()


def _with_setting(setting: Setting, text: str, path: Path) -> str:
    """The text of the file with a setting; what it then means is compared with what was meant."""
    rules = _rules(text)
    wanted = [_meant(setting, rule) for rule in rules]
    before = [present_value(setting, rule) for rule in rules if rule.get("labels", {}).get("branch") == setting.branch]
    if all(one is None or _same(one, setting.value) for one in before):
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


def _meant(setting: Setting, rule: dict[str, Any]) -> dict[str, Any]:
    is_meant = rule.get("labels", {}).get("branch") == setting.branch
    return (changed_rule(setting, rule) if is_meant else None) or rule


def _changed_lines(setting: Setting, lines: list[str], rule: Mapping[str, Any]) -> list[str]:
    place = None if setting.name in (*DURATIONS, CONFIDENCE) else place_of(setting, str(rule["expr"]))
    key, changed = "", []
    for line in lines:
        if line.lstrip().startswith("#"):
            changed.append(line)
            continue
        if found := _KEY.match(line):
            key = found[2]
        if place is not None and key == "expr":
            changed.append(_with_number(line, place, setting.value))
        elif key == setting.name and found:
            quote = '"' if setting.name == CONFIDENCE else ""
            changed.append(f"{line[: line.index(':')]}: {quote}{setting.value}{quote}\n")
        else:
            changed.append(line)
    return changed


def _with_number(line: str, place: Place, value: str) -> str:
    def replaced(found: re.Match[str]) -> str:
        same = float(found["number"]) == place.number
        return f"{found[0][: found.start('number') - found.start()]}{value}" if same else found[0]

    return place.pattern.sub(replaced, line)


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
