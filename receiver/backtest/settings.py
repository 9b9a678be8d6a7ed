"""Changes one number of a branch in the text of its rule: `high_error_rate.threshold=0.08`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from configfile import ConfigError, parse_duration
from receiver.tree.conditions import Condition, read_expression

THRESHOLD = "threshold"
DURATIONS = ("for", "keep_firing_for")
CONFIDENCE = "confidence"


@dataclass(frozen=True, slots=True)
class Setting:
    """One number of one branch; `value` is as it would stand in the rule's file."""

    branch: str
    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.branch}.{self.name}={self.value}"


@dataclass(frozen=True, slots=True)
class Place:
    """Which comparisons of an expression are meant: those with this operator and this number."""

    operator: str
    number: float

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds such a comparison; the number is in the group `number`."""
        return re.compile(rf"(?<![<>=!]){re.escape(self.operator)}\s*(?P<number>\d[\d_.]*(?:[eE][+-]?\d+)?)")

    def with_value(self, text: str, value: str) -> str:
        """The text with another number in each such comparison."""

        def replaced(found: re.Match[str]) -> str:
            if float(found["number"]) != self.number:
                return found[0]
            return f"{found[0][: found.start('number') - found.start()]}{value}"

        return self.pattern.sub(replaced, text)

    def is_of(self, condition: Condition) -> bool:
        """Whether the condition is one of them."""
        return condition.operator == self.operator and condition.right.literal == self.number


def read_setting(text: str) -> Setting:
    """`BRANCH.NAME=VALUE`; raises ConfigError where it is not one."""
    key, equals, value = text.partition("=")
    branch, dot, name = key.partition(".")
    if not (equals and dot and branch and name and value):
        raise ConfigError(f"{text!r} is not BRANCH.NAME=VALUE, such as high_error_rate.threshold=0.08")
    if name in DURATIONS:
        try:
            parse_duration(value)
        except ValueError as error:
            raise ConfigError(f"{text}: {error}") from error
    elif not re.fullmatch(r"\d+(\.\d+)?", value):
        raise ConfigError(f"{text}: {value!r} is not a number such as 0.08")
    return Setting(branch, name, value)


def present_value(setting: Setting, rule: Mapping[str, Any]) -> str | None:
    """What a rule of the branch has in that place now; None where it has no such place."""
    if setting.name in DURATIONS:
        return None if setting.name not in rule else str(rule[setting.name])
    if setting.name == CONFIDENCE:
        labels = rule.get("labels", {})
        return str(labels[CONFIDENCE]) if CONFIDENCE in labels else None
    place = place_of(setting, str(rule["expr"]))
    return None if place is None else f"{place.number:g}"


def place_of(setting: Setting, expression: str) -> Place | None:
    """The comparisons that are meant: those of the first one of the expression, or of the signal that is named.

    Raises ConfigError where a signal is compared with several numbers, which only a person can tell apart.
    """
    conditions = read_expression(expression).conditions
    if setting.name == THRESHOLD:
        conditions = tuple(one for one in conditions if one.opens)[:1]
    else:
        named = re.compile(rf"(?<![\w:]){re.escape(setting.name)}(?![\w:])")
        conditions = tuple(one for one in conditions if named.fullmatch(one.left.name))
    places = {Place(one.operator, one.right.literal) for one in conditions if one.right.literal is not None}
    if len(places) > 1:
        found = ", ".join(sorted(f"{one.operator} {one.number:g}" for one in places))
        raise ConfigError(f"{setting}: {setting.name} is compared with more than one number ({found})")
    return next(iter(places), None)


def changed_expression(setting: Setting, expression: str) -> str | None:
    """The expression with the new number; None where it has no such comparison. Nothing else of its text changes."""
    place = place_of(setting, expression)
    if place is None:
        return None

    changed = place.with_value(expression, setting.value)
    wanted = Place(place.operator, float(setting.value))
    before, after = (read_expression(one).conditions for one in (expression, changed))
    # No comparison more and none less than was meant, whatever the text looks like.
    if [place.is_of(one) or wanted.is_of(one) for one in before] != [wanted.is_of(one) for one in after]:
        raise ConfigError(f"{setting}: the text of the rule does not say its number plainly; change it by hand")
    return changed


def changed_rules(setting: Setting, rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
    """Each rule with the new value, or None where it is of another branch or has no such place.

    A duration that no rule of the branch has is 0 s, and is put into all of them.
    """
    ours = [rule.get("labels", {}).get("branch") == setting.branch for rule in rules]
    has = [is_ours and present_value(setting, rule) is not None for is_ours, rule in zip(ours, rules, strict=True)]
    chosen = ours if setting.name in DURATIONS and not any(has) else has
    return [_changed(setting, rule) if is_chosen else None for is_chosen, rule in zip(chosen, rules, strict=True)]


def _changed(setting: Setting, rule: Mapping[str, Any]) -> dict[str, Any]:
    if setting.name in DURATIONS:
        return {**rule, setting.name: setting.value}
    if setting.name == CONFIDENCE:
        return {**rule, "labels": {**rule["labels"], CONFIDENCE: setting.value}}
    return {**rule, "expr": changed_expression(setting, str(rule["expr"]))}
