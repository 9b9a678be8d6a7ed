"""A setting changes one number of one branch, exactly where it is meant, or says why it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from configfile import ConfigError
from receiver.backtest.rule_set import read_rule_set
from receiver.backtest.settings import changed_expression, present_value, read_setting
from receiver.rules.files import SHIPPED, TREE
from receiver.tree.conditions import read_expression

RULES = SHIPPED / TREE


def expressions(*settings: str) -> dict[str, list[str]]:
    """The expressions of the shipped tree with these settings, by branch."""
    found: dict[str, list[str]] = {}
    for rule in read_rule_set(RULES, [read_setting(one) for one in settings]).branches:
        found.setdefault(rule.branch, []).append(str(rule.content["expr"]))
    return found


def test_threshold_is_changed_in_every_window_and_nowhere_else() -> None:
    """Both windows of HighErrorRate get the new number; the 5 % at which it ends, and all other branches, stay."""
    before, after = expressions(), expressions("high_error_rate.threshold=0.08")
    (old,), (new,) = before.pop("high_error_rate"), after.pop("high_error_rate")
    assert new == old.replace("> 0.10", "> 0.08")
    assert new.count("> 0.08") == 2
    assert new.count("<= 0.05") == 1
    assert before == after


def test_same_number_with_another_operator_stays() -> None:
    """The end of ElevatedErrorRate is 5 % as well, and is another number."""
    (changed,) = expressions("elevated_error_rate.threshold=0.06")["elevated_error_rate"]
    assert (changed.count("> 0.06"), changed.count("<= 0.05")) == (2, 1)


def test_named_signal_is_another_condition_of_the_branch() -> None:
    """ServiceDown looks at a service and at the deployment; the second is named by its signal."""
    (changed,) = expressions("service_down.deployment:availability:ratio=0.4")["service_down"]
    assert "deployment:availability:ratio < 0.4" in changed
    assert "service:availability:ratio == 0\n" in changed


def test_both_rules_of_a_branch_are_changed() -> None:
    """MinorImpact watches with one rule and asks with another; they share the threshold."""
    watch, ask = expressions("minor_impact.threshold=0.002")["minor_impact"]
    assert (watch.count("> 0.002"), ask.count("> 0.002")) == (1, 3)
    assert "0.001" not in watch + ask


def test_durations_and_confidence_are_changed() -> None:
    """`for`, `keep_firing_for` and the confidence are settings too."""
    settings = ("minor_impact.for=3m", "minor_impact.keep_firing_for=10m", "elevated_error_rate.confidence=0.95")
    rules = read_rule_set(RULES, [read_setting(one) for one in settings]).branches
    (watch, ask) = (one.content for one in rules if one.branch == "minor_impact")
    assert (watch["for"], watch["keep_firing_for"], "for" in ask) == ("3m", "10m", False)
    assert [one.content["labels"]["confidence"] for one in rules if one.branch == "elevated_error_rate"] == ["0.95"]


def test_duration_that_a_branch_has_not_is_put_into_all_of_its_rules() -> None:
    """HighErrorRate does not wait; how it would decide if it did can be tried."""
    rules = read_rule_set(RULES, [read_setting("high_error_rate.for=30s")]).branches
    assert [one.content["for"] for one in rules if one.branch == "high_error_rate"] == ["30s"]
    before = {one.place: one.content for one in read_rule_set(RULES).branches}
    assert [one.branch for one in rules if one.content != before[one.place]] == ["high_error_rate"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("high_error_rate", "is not BRANCH.NAME=VALUE"),
        ("high_error_rate.threshold=", "is not BRANCH.NAME=VALUE"),
        ("high_error_rate.threshold=8%", "'8%' is not a number"),
        ("high_error_rate.threshold=-1", "'-1' is not a number"),
        ("high_error_rate.for=3", "'3' is not a duration"),
        ("nothing.threshold=1", "is no branch; there are service_down"),
        ("slow_responses.threshold=4", "has no threshold that is a number"),
        ("minor_impact.deployment:users_affected:ratio=0.1", "more than one number (< 0.05, > 0.001)"),
    ],
)
def test_what_cannot_be_set_is_told(text: str, why: str) -> None:
    """A setting that means nothing, or more than one thing, is refused with the reason."""
    with pytest.raises(ConfigError) as error:
        read_rule_set(RULES, [read_setting(text)])
    assert why in str(error.value)


def test_number_that_the_text_does_not_show_is_refused() -> None:
    """A number on the left, or in parentheses, is not replaced by guessing."""
    for expression in ("0.1 < some:ratio", "some:ratio > (0.1)"):
        with pytest.raises(ConfigError, match="change it by hand"):
            changed_expression(read_setting("some.threshold=0.2"), expression)


def test_present_values_are_told() -> None:
    """What a setting would change can be read before."""
    rules = read_rule_set(RULES).branches
    found = {rule.branch: rule.content for rule in rules}
    assert present_value(read_setting("high_error_rate.threshold=1"), found["high_error_rate"]) == "0.1"
    assert present_value(read_setting("wide_impact.for=1m"), found["wide_impact"]) == "6m"
    assert present_value(read_setting("service_down.threshold=1"), found["service_down"]) == "0"


def test_changed_rules_can_still_be_read() -> None:
    """Each branch that has a threshold can have another, and its expression is still one with that number."""
    for rule in read_rule_set(RULES).branches:
        if present_value(setting := read_setting(f"{rule.branch}.threshold=0.123"), rule.content) is None:
            continue
        changed = changed_expression(setting, str(rule.content["expr"]))
        assert changed is not None
        assert any(one.right.literal == 0.123 for one in read_expression(changed).conditions)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("groups: [{name: a, rules: [{alert: A, expr: 'hour() > 3', labels: {branch: a}}]}]", "hour()"),
        ("groups: [{name: a, rules: [{alert: A, expr: 'up @ 3 > 3', labels: {branch: a}}]}]", "uses @"),
        ("groups: [{name: a, rules: [{alert: A, expr: 'up > ', labels: {branch: a}}]}]", "cannot be replayed"),
        ("groups: [{name: a, rules: [{record: a, expr: up}]}]", "no rule with a label `branch`"),
        ("nothing", "cannot be replayed"),
    ],
)
def test_rules_that_cannot_be_replayed_are_told(content: str, why: str, tmp_path: Path) -> None:
    """promtool's clock begins at 0: what reads the clock otherwise than by `time()` would be replayed wrongly."""
    path = tmp_path / "some.rules.yml"
    path.write_text(content)
    with pytest.raises(ConfigError) as error:
        read_rule_set(path)
    assert why in str(error.value)
