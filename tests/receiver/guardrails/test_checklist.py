"""Every guardrail is asked, has one name everywhere, and refuses when it fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from receiver.config.guardrails import Guardrails
from receiver.guardrails.checklist import GUARDRAILS, Guardrail, refusals
from receiver.guardrails.facts import Facts
from receiver.model import Refusal
from tests.receiver.guardrails.builders import facts

REPOSITORY = Path(__file__).parents[3]
NOT_GUARDRAILS = {"__init__", "checklist", "facts"}


def test_each_guardrail_has_one_name_everywhere() -> None:
    """Function, file, configuration key, test and page share the guardrail's name, and none has a part too many."""
    names = [guardrail.__name__ for guardrail in GUARDRAILS]
    files = {path.stem for path in (REPOSITORY / "receiver/guardrails").glob("*.py")} - NOT_GUARDRAILS
    tests = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")} - NOT_GUARDRAILS
    pages = {path.stem for path in (REPOSITORY / "docs/guardrails").glob("*.md")} - {"README"}
    assert len(names) == len(set(names))
    assert set(names) == files == tests == pages == set(Guardrails.model_fields)


@pytest.mark.parametrize("guardrail", GUARDRAILS, ids=lambda guardrail: guardrail.__name__)
def test_function_stands_in_the_file_of_its_name(guardrail: Guardrail) -> None:
    """What is listed is the function of the file with its name, not one imported from elsewhere."""
    assert guardrail.__module__ == f"receiver.guardrails.{guardrail.__name__}"


@pytest.mark.parametrize("guardrail", GUARDRAILS, ids=lambda guardrail: guardrail.__name__)
def test_page_says_what_why_how_and_what_to_do(guardrail: Guardrail) -> None:
    """Each page has the same four parts and names every option of the guardrail, and the index links to it."""
    name = guardrail.__name__
    page = (REPOSITORY / "docs/guardrails" / f"{name}.md").read_text()
    assert re.findall(r"^#+ .*", page, flags=re.MULTILINE) == [
        f"# {name}",
        "## What it checks",
        "## Why",
        "## Configuration",
        "## When it refuses",
    ]
    section = Guardrails.model_fields[name].annotation
    for option in getattr(section, "model_fields", {}):
        assert f"`guardrails.{name}.{option}`" in page
    assert f"]({name}.md)" in (REPOSITORY / "docs/guardrails/README.md").read_text()


def test_all_are_asked_and_every_refusal_is_told_in_their_order() -> None:
    """One refusal does not keep the others from being asked."""
    said_no = refusals(facts(kill_switch=True, live_release="r3", free_bytes=0, firing=frozenset()))
    assert [refusal.guardrail for refusal in said_no] == [
        "kill_switch",
        "alert_still_firing",
        "plan_stale",
        "disk_space",
    ]


def test_guardrail_that_raises_refuses() -> None:
    """A check that fails itself says no under its own name, and the others are asked all the same."""

    def broken(_: Facts) -> Refusal | None:
        raise ZeroDivisionError("division by zero")

    said_no = refusals(facts(kill_switch=True), (broken, *GUARDRAILS))
    assert said_no[0] == Refusal("broken", "the check itself failed: ZeroDivisionError: division by zero")
    assert [refusal.guardrail for refusal in said_no] == ["broken", "kill_switch"]


def test_good_facts_are_allowed() -> None:
    """The facts on which each guardrail's test builds are refused by none."""
    assert refusals(facts()) == ()
