"""`explain` on a real agent and a real Prometheus with the shipped tree."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from demo.processes import wait_until
from receiver.config import DecisionBounds
from receiver.explain.changes import nearest
from receiver.rules.files import SHIPPED, TREE
from receiver.tree.branches import State
from receiver.tree.snapshot import Snapshot, TreeReader
from receiver.tree.whatif import deciding, holds, known_from
from tests.acceptance.stand import BAD, GOOD, stand
from tests.receiver.rules.ruled import Ruled, signals, write_rules

WELL = {
    "service:availability:ratio": [("deployment=qrl,service=flask", "1")],
    "deployment:availability:ratio": [("deployment=qrl", "1")],
    "service:http_requests:rate1m": [("deployment=qrl,service=flask", "20")],
    "service:http_requests:rate5m": [("deployment=qrl,service=flask", "20")],
    "deployment:users:count5m": [("deployment=qrl", "500")],
}
ERRORS = "service:http_request_errors:ratio_rate1m"


def without_waits(path: Path) -> Path:
    """The shipped tree, whose branches fire at once."""
    tree = yaml.safe_load((SHIPPED / TREE).read_text())
    for group in tree["groups"]:
        for rule in group["rules"]:
            rule.pop("for", None)
    path.write_text(json.dumps(tree))
    return path


def read(directory: Path, more: Mapping[str, Sequence[tuple[str, str]]], fires: str | None) -> Snapshot:
    """The tree as a real Prometheus has it with these signals, once this branch fires."""
    here = Ruled(directory)
    reader = TreeReader(here.api)
    rules = write_rules(directory / "test.rules.yml", signals({**WELL, **more}))
    with here.start(rules, without_waits(directory / "tree.rules.yml")):

        def is_there() -> bool:
            found = reader.read("qrl").state.firing
            return fires is None or bool(found and found[0].rule.branch == fires)

        assert wait_until(is_there, 60, every=0.2)
        return reader.read("qrl")


def flask(value: str) -> list[tuple[str, str]]:
    """One value of the service flask."""
    return [("deployment=qrl,service=flask", value)]


def whole(value: str) -> list[tuple[str, str]]:
    """One value of the deployment."""
    return [("deployment=qrl", value)]


@pytest.mark.parametrize(
    ("more", "fires", "first"),
    [
        (
            {ERRORS: flask("0.079")},
            "elevated_error_rate",
            f"{ERRORS} of flask was 7.9%: above 10%, high_error_rate (rank 2) would have decided: a fast rollback",
        ),
        (
            {ERRORS: flask("0.16")},
            "high_error_rate",
            f"{ERRORS} of flask was 16%: at 10% or less, elevated_error_rate (rank 10) would have decided: "
            "a fast rollback, put to a person",
        ),
        (
            {"deployment:users_affected:ratio": whole("0.04")},
            "minor_impact",
            "deployment:users_affected:ratio was 4%: at 5% or more, wide_impact (rank 9) would have decided: "
            "a fast rollback",
        ),
        (
            {"deployment:ui:ratio": whole("0")},
            "user_interface_broken",
            "deployment:availability:ratio was 100%: below 50%, service_down (rank 1) would have decided: "
            "a fast rollback",
        ),
        (
            {"deployment:database:ratio": whole("0.2"), "deployment:release_age:seconds": whole("3000")},
            "database_broken",
            "deployment:release_age:seconds was 0:50:00: at 1:00:00 or more, nothing would have fired",
        ),
    ],
)
def test_the_nearest_change_is_named(
    tmp_path: Path, more: dict[str, list[tuple[str, str]]], fires: str, first: str
) -> None:
    """On the shipped tree: the value, the limit that it missed, and what would have been done at it."""
    tree = read(tmp_path, more, fires)

    assert next(one.sentence for one in nearest(tree, fires, DecisionBounds())) == first


@pytest.mark.parametrize(
    ("more", "fires"),
    [
        ({}, None),
        ({ERRORS: flask("0.3"), "deployment:payment:ratio": whole("0")}, "high_error_rate"),
        ({ERRORS: flask("0.07"), "deployment:users_affected:ratio": whole("0.2")}, "wide_impact"),
        ({"deployment:migration_failed:bool": whole("1"), "deployment:ui:ratio": whole("0")}, "migration_failed"),
        ({"service:availability:ratio": flask("0")}, "service_down"),
        (
            {"rollback_hotfix_failed": whole("1"), "deployment:users_affected:ratio": whole("0.02")},
            "hotfix_failed",
        ),
        (
            {
                "service:http_request_duration_seconds:mean5m": flask("0.9"),
                "service:http_request_duration_seconds:mean1d": flask("0.2"),
            },
            "slow_responses",
        ),
        ({"service:http_request_errors:ratio_rate5m": flask("0.3"), ERRORS: flask("0.04")}, None),
    ],
)
def test_what_holds_is_told_as_prometheus_tells_it(
    tmp_path: Path, more: dict[str, list[tuple[str, str]]], fires: str | None
) -> None:
    """Each branch of the shipped tree that is read holds where it fires or is held back, and nowhere else."""
    tree = read(tmp_path, more, fires)
    known = known_from(tree.values)

    for one in tree.state.branches:
        if one.rule.expression.conditions:
            is_there = one.state is State.FIRING or one.held_back_by is not None
            assert holds(one.rule, known) is is_there, one.rule.branch
    decides = deciding(tree.state, known)
    assert (decides and decides.rule.branch) == fires


def test_what_is_kept_of_the_tree_is_little(tmp_path: Path) -> None:
    """What is kept beside a decision's own facts is small."""
    here = Ruled(tmp_path)
    rules = write_rules(tmp_path / "test.rules.yml", signals(WELL))
    with here.start(rules, SHIPPED / TREE):
        tree = TreeReader(here.api).read("qrl")
    assert len(tree.values) > 20
    assert len(repr(tree)) < 100_000


def test_a_rollback_is_explained_at_the_command_line(tmp_path: Path) -> None:
    """After a real rollback: facts with query and time, path, nearest change, guardrails, the same answers again."""
    with stand(tmp_path) as here:
        here.go_wrong()
        run = here.await_run()
        incident = here.incidents()[0]["id"]

        printed = here.command("explain", incident)
        for part in (
            "deployment:availability:ratio",
            "service_down",
            "firing  decides",
            "deployment:availability:ratio was 0%: at 50% or more, nothing would have fired",
            "nobody need be asked",
            "Guardrails, asked in claim",
            "daily_limit",
            'ALERTS{alertstate="firing",branch!="",deployment="qrl"}',
            "the same answers, bit for bit (5 judgements)",
            f"roll back {BAD} to {GOOD}",
        ):
            assert part in printed, printed
        assert here.command("explain", run["id"]) == printed
        [told] = json.loads(here.command("explain", incident, "--json"))["runs"]
        why: dict[str, Any] = told["explanation"]
        sampled = [one["at"] for one in why["facts"]["signals"]]
        assert all(0 <= why["facts"]["read_at"] - at < 10 for at in sampled)
        assert len(why["facts"]["queries"]) == 2
        assert set(why["replayed"].values()) == {True}
        assert "there is no incident and no run nobody" in here.command("explain", "nobody", code=1)

        with sqlite3.connect(here.root / "state.db") as journal:
            journal.execute('update judgement set facts = replace(facts, \'"free_bytes":\', \'"free_bytes":0,"x":\')')
        journal.close()
        assert "this version answers otherwise in: guard, claim, execute" in here.command("explain", incident)
