"""How loaded rules differ from shipped ones, on a real Prometheus that has loaded a changed copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.rules.drift import Running, drift
from receiver.rules.files import SHIPPED, RuleFile, read_rule_files
from receiver.rules.groups import Group, Kind, Rule
from tests.receiver.rules.ruled import Ruled

TREE_GROUP = "decision-tree.rules.yml: rollback-decision-tree"


def copy_of_shipped(directory: Path, *changes: tuple[str, str, str]) -> Path:
    """The shipped rules in a directory of their own; each change is of a file, a text there, and what replaces it."""
    copy = directory / "alert-rules"
    shutil.copytree(SHIPPED, copy)
    for file, old, new in changes:
        text = (copy / file).read_text()
        assert old in text, old
        (copy / file).write_text(text.replace(old, new, 1))
    return copy


def check(here: Ruled, *more: str, code: int) -> list[str]:
    """What `check-config --against-prometheus` says after the configuration's own lines."""
    return here.run("check-config", "--against-prometheus", *more, code=code).splitlines()[2:]


def test_the_shipped_rules_do_not_differ_from_themselves(tmp_path: Path) -> None:
    """Nothing differs where they are loaded as they are; links of one's own, other rules and sources are no matter."""
    here = Ruled(tmp_path)
    copy = copy_of_shipped(tmp_path, *(
        ("decision-tree.rules.yml", f"https://rollback-agent.example/{path}/", "https://wiki.example/of/ours/")
        for path in ("runbooks", "d")
    ))  # fmt: skip
    (tmp_path / "own.rules.yml").write_text("groups: [{name: own, rules: [{record: mine, expr: vector(1)}]}]")
    with here.start(copy / "*.rules.yml", copy / "sources" / "up.rules.yml", tmp_path / "own.rules.yml"):
        (said,) = check(here, code=0)
    shipped = [file for file in read_rule_files(SHIPPED) if not file.is_optional or file.name == "sources/up.rules.yml"]
    rules = sum(len(group.rules) for file in shipped for group in file.groups)
    groups = sum(len(file.groups) for file in shipped)
    assert said == f"{here.url}: has the {rules} rules of {groups} groups as they are in {SHIPPED}"


def test_every_difference_is_a_line(tmp_path: Path) -> None:
    """A changed threshold, `for`, label, annotation or interval, a missing and a further rule are each told."""
    here = Ruled(tmp_path)
    tree, signals = "decision-tree.rules.yml", "signals.rules.yml"
    copy = copy_of_shipped(
        tmp_path,
        (tree, "deployment:availability:ratio < 0.5", "deployment:availability:ratio < 0.25"),
        (tree, "for: 20s", "for: 1m"),
        (tree, "keep_firing_for: 5m", "keep_firing_for: 10m"),
        (tree, 'confidence: "0.95"', 'confidence: "0.89"'),
        (tree, "runbooks/PaymentBroken", "runbooks/Payments"),
        (tree, 'summary: "Nobody can pay on', 'summary: "No money from'),
        (signals, "interval: 2m", "interval: 4m"),
        (signals, "record: deployment:payment:ratio", "record: deployment:money:ratio"),
        (signals, 'avg by (deployment) (healthcheck_success{kind="ui"})', "vector(1)"),
        ("sources/up.rules.yml", "avg by", "min by"),
    )
    (copy / "agent.rules.yml").unlink()
    with here.start(copy / "*.rules.yml", copy / "sources" / "*.rules.yml"):
        *lines, last = check(here, code=1)

    assert [line for line in lines if "up.rules" in line] == [
        line for line in lines if line.startswith("sources/up.rules.yml: rollback-source-up: ") and "min by" in line
    ]
    lines = [line for line in lines if "up.rules" not in line]
    agent = len(next(file for file in read_rule_files(SHIPPED) if file.name == "agent.rules.yml").groups[0].rules)
    assert sorted(lines) == sorted([
        f"agent.rules.yml: rollback-agent: is not loaded, with {agent} rules",
        f"{TREE_GROUP}: ServiceDown: expr: loaded `... deployment:availability:ratio < 0.25`,"
        " shipped `... deployment:availability:ratio < 0.5`",
        f"{TREE_GROUP}: ServiceDown: for: loaded 60s, shipped 20s",
        f"{TREE_GROUP}: MinorImpact (watch): keep_firing_for: loaded 600s, shipped 300s",
        f'{TREE_GROUP}: HighErrorRate: label confidence: loaded "0.89", shipped "0.95"',
        f'{TREE_GROUP}: PaymentBroken: annotation runbook_url: loaded "https://rollback-agent.example/runbooks/Payments",'
        ' shipped "https://rollback-agent.example/runbooks/PaymentBroken"',
        f'{TREE_GROUP}: PaymentBroken: annotation summary: loaded "No money from {{{{ $labels.deployment }}}}",'
        ' shipped "Nobody can pay on {{ $labels.deployment }}"',
        "signals.rules.yml: rollback-signals-daily: interval: loaded 240s, shipped 120s",
        "signals.rules.yml: rollback-signals: deployment:payment:ratio: is missing",
        "signals.rules.yml: rollback-signals: deployment:money:ratio: is loaded, and not among the shipped rules",
        "signals.rules.yml: rollback-signals: deployment:ui:ratio: expr: loaded `vector(1)`,"
        ' shipped `avg by (deployment) (healthcheck_success{kind="ui"})`',
    ])  # fmt: skip
    assert last.startswith("Error: ")
    assert last.endswith(f"between the rules of {SHIPPED} and those that {here.url} has loaded")


def test_another_directory_can_be_compared(tmp_path: Path) -> None:
    """Whoever keeps rules of their own compares with those; what holds none is wrong usage, as is --rules alone."""
    here = Ruled(tmp_path)
    copy = copy_of_shipped(tmp_path, ("decision-tree.rules.yml", "ratio < 0.5", "ratio < 0.25"))
    with here.start(copy / "*.rules.yml"):
        assert len(check(here, "--rules", str(copy), code=0)) == 1
        assert len(check(here, code=1)) == 2
    (tmp_path / "empty").mkdir()
    assert "holds no *.rules.yml" in check(here, "--rules", str(tmp_path / "empty"), code=2)[-1]
    assert "--against-prometheus" in here.run("check-config", "--rules", str(copy), code=2)
    (copy / "agent.rules.yml").write_text("groups: 3")
    assert "agent.rules.yml: is no file of rules" in check(here, "--rules", str(copy), code=2)[-1]


def test_a_prometheus_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    """The configuration is checked all the same, and the comparison ends with 1."""
    here = Ruled(tmp_path)
    (said,) = check(here, code=1)
    assert said.startswith(f"Error: Prometheus at {here.url} cannot be asked: ")


NOW = 1_000_000.0


def running(*groups: Group, loaded_at: float = 0.0, formatted: Callable[[str], str] = str) -> Running:
    """What a Prometheus has loaded."""
    return Running(groups, loaded_at, NOW, formatted)


def rule(name: str = "a", query: str = "x > 1", **more: str) -> Rule:
    """An alert rule with these labels."""
    return Rule(name, Kind.ALERTING, query, more, health="ok")


def group(*rules: Rule, evaluated: float = NOW) -> Group:
    """A group evaluated every 10 s."""
    return Group("g", rules, 10.0, evaluated)


def found(shipped: Group, *loaded: Group, **more: float) -> list[str]:
    """The differences, without the file's name."""
    files = [RuleFile("f", False, (shipped,))]
    return [line.removeprefix("f: g: ") for line in drift(files, running(*loaded, **more))]  # type: ignore[arg-type]


def test_a_group_that_is_not_evaluated_is_told() -> None:
    """After three intervals without an evaluation, counted from when it was loaded, its rules do nothing."""
    late = group(rule(), evaluated=NOW - 31)
    assert found(group(rule()), late) == ["has not been evaluated for 0:00:31, its interval is 10s"]
    assert found(group(rule()), group(rule(), evaluated=NOW - 29)) == []
    assert found(group(rule()), replace(late, last_evaluation=-6e10), loaded_at=NOW - 5) == []


def test_a_failing_rule_is_told_with_its_reason() -> None:
    """A rule that is loaded and cannot be evaluated differs from one that can."""
    failing = replace(rule(), health="err", last_error="found duplicate series")
    assert found(group(rule()), group(failing)) == ["a: cannot be evaluated: found duplicate series"]


def test_a_group_loaded_twice_is_told() -> None:
    """The same file under two names evaluates every rule twice."""
    assert found(group(rule()), group(rule()), group(rule())) == [
        "is loaded 2 times, so its rules are evaluated as often"
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_rules_of_one_name_are_paired_by_their_labels(order: int) -> None:
    """Two rules of one name are not taken for each other, in whatever order they are loaded."""
    watch, ask = rule(query="x > 1", action="watch"), rule(query="x > 2", action="ask")
    changed = [watch, replace(ask, query="x > 3")][::order]
    assert found(group(watch, ask), group(*changed)) == ["a (ask): expr: loaded `x > 3`, shipped `x > 2`"]
    assert found(group(watch, ask), group(ask)) == ["a (watch): is missing"]


@pytest.mark.parametrize(
    ("loaded", "excerpts"),
    [
        ("a and b and c and D and e", "loaded `... c and D and e`, shipped `... c and d and e`"),
        ("a and b and c and d and e or f", "loaded `... and e or f`, shipped `... and e`"),
        ("b and c and d and e", "loaded `b and ...`, shipped `a and b and ...`"),
    ],
)
def test_only_what_differs_is_shown(loaded: str, excerpts: str) -> None:
    """Of a long expression the place of the difference is shown, with two words around it."""
    assert found(group(rule(query="a and b and c and d and e")), group(rule(query=loaded))) == [f"a: expr: {excerpts}"]
