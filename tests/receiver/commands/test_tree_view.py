"""The tree as people see it, at the widths of their terminals."""

from __future__ import annotations

import io
import math
import re

import pytest
from rich.console import Console, RenderableType

from receiver.commands.tree_view import details, fitted, overview
from receiver.rules.files import SHIPPED, TREE, read_rule_files
from receiver.tree.branches import DeploymentState, deployments, queries
from tests.receiver.tree.builders import NOW, alert, branch, rules_of, series, tree


def drawn(what: RenderableType, width: int = 120) -> str:
    """What a terminal of this width shows, without its colours."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def line_of(text: str, name: str) -> str:
    """The line that speaks of a branch, with single spaces."""
    (found,) = (line for line in text.splitlines() if re.match(rf" *\d+  {name} ", line))
    return " ".join(found.split())


def shipped() -> tuple[DeploymentState, ...]:
    """The shipped tree on a deployment with a value for everything that it compares."""
    (file,) = (one for one in read_rule_files(SHIPPED) if one.name == TREE)
    rules = [rule for group in file.groups for rule in group.rules]
    read = rules_of(*rules)
    values = {
        query: (series(0.31249, **({"service": "fastapi"} if "service:" in query else {})),) for query in queries(read)
    }
    return deployments(read, values, ("qrl",))


@pytest.mark.parametrize("width", [80, 120])
def test_the_shipped_tree_fits(width: int) -> None:
    """At 80 columns as at 120 every branch of the shipped tree stands on one line, and nothing is cut."""
    text = drawn(overview(shipped(), NOW, width), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert len(text.splitlines()) == 2 + 15


def test_a_long_name_goes_on_in_the_next_line() -> None:
    """Where a service's name leaves no room, only its own cell folds, and all of it can be read."""
    found = tree(branch("minor_impact_worsening", 8, "x > 0"), x=series(1, service="a-very-long-name-of-a-service"))
    first, second = drawn(overview(found, NOW, 80), 80).splitlines()[2:4]
    shown = first.split()
    assert shown[:4] == ["8", "minor_impact_worsening", "fast", "0.95"]
    assert shown[4] + second.split()[0] == "a-very-long-name-of-a-service"
    assert shown[5:] == [">", "0", "inactive"]


@pytest.mark.parametrize(
    ("width", "action", "state"),
    [(80, "fast 0.95", "pending 0:00:05"), (120, "rollback fast 0.95", "pending 0:00:05, fires in 0:00:15")],
)
def test_a_line_tells_value_limit_and_state(width: int, action: str, state: str) -> None:
    """Rank, branch, action, the worst service with its value, the limit, and how long until it fires."""
    rule = branch("high_error_rate", 2, "x:ratio > 0.1", alert("pending", 2, since=NOW - 5), duration=20.0)
    found = tree(rule, **{"x:ratio": (series(0.3125, service="flask"), series(0.01, service="gradio"))})
    text = drawn(overview(found, NOW, width), width)
    assert line_of(text, "high_error_rate") == f"2 high_error_rate {action} flask 31.2% > 10% {state}"
    assert "fires in 0:00:15" in text


def test_the_title_says_what_decides() -> None:
    """The lowest rank that fires is named with what it asks for; without one, nothing fires."""
    calm = branch("calm", 1, "x > 9")
    firing = branch("high", 2, "x > 0", alert("firing", 2, since=NOW - 65))
    watch = branch("minor", 11, "x > 0", alert("firing", 11), action="watch", level="", confidence="")
    assert drawn(overview(tree(calm, firing, watch, x=series(1)), NOW, 120)).startswith(
        "qrl  high decides: rollback fast 0.95\n"
    )
    text = drawn(overview(tree(calm, firing, watch, x=series(1)), NOW, 120))
    assert line_of(text, "high") == "2 high rollback fast 0.95 1 > 0 firing 0:01:05"
    assert line_of(text, "minor") == "11 minor watch 1 > 0 firing 0:00:00"
    assert drawn(overview(tree(calm, x=series(1)), NOW, 120)).startswith("qrl  nothing fires\n")


def test_of_two_rules_of_one_rank_the_more_demanding_decides() -> None:
    """As the receiver decides: who asks a human decides over who only watches; what cannot be read decides nothing."""
    watch = branch("minor", 11, "x > 0", alert("firing", 11), action="watch", level="", confidence="")
    ask = branch("minor", 11, "x > 0", alert("firing", 11), action="ask", level="", confidence="")
    odd = branch("odd", "first", "x > 0", alert("firing", "first"))
    assert drawn(overview(tree(watch, ask, odd, x=series(1)), NOW, 120)).startswith("qrl  minor decides: ask\n")
    text = drawn(overview(tree(odd, x=series(1)), NOW, 120))
    assert text.startswith("qrl  odd fires, and its labels cannot be read\n")


def test_what_is_missing_is_never_shown_as_good() -> None:
    """No series is "no data", NaN "no traffic", and the title counts what is not seen."""
    rules = (branch("gone", 1, "x > 0"), branch("idle", 2, "y > 0"), branch("slow", 3, "y > z"))
    text = drawn(overview(tree(*rules, y=series(math.nan)), NOW, 120))
    assert line_of(text, "gone") == "1 gone rollback fast 0.95 no data > 0 inactive"
    assert line_of(text, "idle") == "2 idle rollback fast 0.95 no traffic > 0 inactive"
    assert line_of(text, "slow") == "3 slow rollback fast 0.95 no traffic > no data inactive"
    assert text.startswith("qrl  nothing fires  1 of 3 without data\n")


def test_a_deployment_that_prometheus_does_not_know_is_one_line() -> None:
    """Fourteen lines of "no data" would say less."""
    ghost, seen = tree(branch("a", 1, "x > 0"), x=series(1, "seen"), configured=("ghost",))
    assert drawn(overview((ghost,), NOW, 120)).strip() == "ghost  no data: Prometheus knows nothing of it"
    assert drawn(overview((seen,), NOW, 120)).startswith("seen  not configured  nothing fires\n")


def test_who_holds_a_branch_back_is_shown() -> None:
    """A value beyond its limit that does not fire has its reason beside it."""
    silent = branch("elevated", 10, 'x > 0.05 unless on (deployment) ALERTS{rank="2"}')
    found = tree(branch("high", 2, "x > 0", alert("firing", 2)), silent, **{"x": series(1), "x > 0.05": series(1)})
    assert line_of(drawn(overview(found, NOW, 120)), "elevated").endswith("1 > 0.05 held back by 2")


def test_a_value_is_told_from_its_limit() -> None:
    """9.996 % is not more than 10 %, and must not be shown as if it were the same."""
    found = tree(branch("a", 1, "x:ratio > 0.1"), **{"x:ratio": series(0.09996)})
    assert " 9.996%  > 10% " in drawn(overview(found, NOW, 120))


def test_a_rule_without_a_comparison_shows_what_it_found() -> None:
    """A rule that looks for what is missing has no value; it shows how many series it gave."""
    found = tree(branch("missing", 14, "absent(x)", alert("firing", 14, signal="a"), alert("firing", 14, signal="b")))
    assert line_of(drawn(overview(found, NOW, 120)), "missing").startswith(
        "14 missing rollback fast 0.95 2 found firing"
    )


def test_details_show_every_condition() -> None:
    """With one deployment named, each condition has its own line, with whether it holds; alternatives are set in."""
    rule = branch("high", 2, "x > 0.1 or (y:ratio > 0.2 unless z < 5)")
    found = tree(rule, **{"x": series(0.05), "y:ratio": series(0.3, service="flask"), "z": series(math.nan)})
    assert drawn(details(found, NOW), 80).splitlines() == [
        "qrl  nothing fires",
        "",
        " 2  high  rollback fast 0.95  inactive",
        "          0.05  > 0.1         x",
        "     flask 30%  > 20%  holds    or y:ratio",
        "    no traffic  < 5               unless z",
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_details_of_the_shipped_tree_fit(width: int) -> None:
    """Long expressions go on in the next line, below themselves."""
    text = drawn(details(shipped(), NOW), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


def test_a_small_screen_says_what_it_leaves_out() -> None:
    """What does not fit is counted in the last line."""
    rules = [branch(f"branch_{rank}", rank, "x > 0") for rank in range(1, 15)]
    console = Console(file=io.StringIO(), width=80, height=10, highlight=False, force_terminal=True, color_system=None)
    text = drawn(fitted(console, overview(tree(*rules, x=series(1)), NOW, 80), "footer"), 80)  # type: ignore[arg-type]
    assert len(text.splitlines()) == 10
    assert text.splitlines()[-1].startswith("8 lines more")


def test_no_escape_sequence_reaches_the_terminal() -> None:
    """Names come from outside; a terminal shows them and does not obey them."""
    text = drawn(
        overview(tree(branch("a\x1b[31mb", 1, "x > 0"), x=series(1, "[red]\x1b]0;x\x07"), configured=()), NOW, 120)
    )
    assert "\x1b" not in text
    assert "[red]" in text
