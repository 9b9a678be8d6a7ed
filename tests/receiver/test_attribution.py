"""How well a release explains a fault is told by four clues, each for it, against it, or not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from receiver.attribution import Around, attribute

NOW = 1_780_000_000.0
PLAIN = Around(
    now=NOW,
    live_since=NOW - 300,
    began_at=NOW - 60,
    was_ill_before=False,
    changed=("flask",),
    affected=("flask",),
    others={},
    ill=(),
)


def clue(name: str, **changes: Any) -> tuple[bool | None, str]:
    """One clue, with these facts changed."""
    found = next(one for one in attribute(replace(PLAIN, **changes)).clues if one.name == name)
    return found.fits, found.sentence


def test_all_can_speak_for_the_release() -> None:
    """A fault that began after it, where it changed something, nowhere else, with healthy surroundings."""
    found = attribute(PLAIN)
    assert [one.name for one in found.clues] == [
        "began_after", "in_changed_services", "not_elsewhere", "surroundings_healthy",
    ]  # fmt: skip
    assert (found.against, found.summary) == ((), "4 for it, 0 against it, 0 not known")


@pytest.mark.parametrize(
    ("changes", "fits", "said"),
    [
        ({}, True, "began 0:04:00 after it went live, and nothing was wrong before"),
        ({"began_at": NOW - 300}, True, "began 0:00:00 after"),
        ({"began_at": NOW - 301}, False, "the fault began before it"),
        ({"was_ill_before": True}, False, "was beyond its threshold within 0:15:00 before"),
        ({"was_ill_before": None}, None, "what was before is not known"),
        ({"was_ill_before": None, "began_at": NOW - 301}, False, "the fault began before it"),
        ({"live_since": None}, None, "not known: since when the release is live"),
        ({"began_at": None}, None, "not known: when the fault began"),
        ({"began_at": None, "unknown": "it is gone"}, None, "not known: it is gone"),
    ],
)
def test_when_it_began(changes: dict[str, Any], fits: bool | None, said: str) -> None:
    """After the release, with nothing wrong before; what nobody measured is not known."""
    found = clue("began_after", **changes)
    assert found[0] is fits
    assert said in found[1]


@pytest.mark.parametrize(
    ("changes", "fits", "said"),
    [
        ({}, True, "flask fails, and the release changes flask"),
        ({"affected": ("flask", "gradio")}, True, "flask, gradio fails"),
        ({"affected": ("gradio",)}, False, "gradio fails, but the release changes flask only"),
        ({"changed": ()}, False, "but the release changes none only"),
        ({"affected": ()}, None, "no single service fails"),
        ({"changed": None}, None, "no pipeline said"),
    ],
)
def test_where_it_is(changes: dict[str, Any], fits: bool | None, said: str) -> None:
    """In a service that the release changes; who does not say what is changed leaves it open."""
    found = clue("in_changed_services", **changes)
    assert found[0] is fits
    assert said in found[1]


@pytest.mark.parametrize(
    ("changes", "fits", "said"),
    [
        ({}, True, "no other deployment fails"),
        ({"others": {"shop": NOW - 3600}}, True, "shop fails too, and was changed as well"),
        ({"others": {"shop": NOW - 3601}}, False, "shop fails too, and was not changed within 1:00:00"),
        ({"others": {"shop": None}}, None, "whether it was changed is not known"),
        ({"others": {"shop": None, "old": NOW - 9000}}, False, "old fails too"),
        ({"unknown": "it is gone"}, None, "not known: it is gone"),
    ],
)
def test_what_fails_elsewhere(changes: dict[str, Any], fits: bool | None, said: str) -> None:
    """A deployment that nobody has changed and that fails as well has another cause."""
    found = clue("not_elsewhere", **changes)
    assert found[0] is fits
    assert said in found[1]


@pytest.mark.parametrize(
    ("changes", "fits", "said"),
    [
        ({}, True, "none of the alerts"),
        ({"ill": ("HostDown", "QueueDown")}, False, "HostDown, QueueDown fires"),
        ({"ill": None}, None, "no alert about upstreams or hosts is named"),
        ({"unknown": "it is gone"}, None, "not known: it is gone"),
    ],
)
def test_what_is_around_it(changes: dict[str, Any], fits: bool | None, said: str) -> None:
    """Alerts about upstreams and hosts, where any are named."""
    found = clue("surroundings_healthy", **changes)
    assert found[0] is fits
    assert said in found[1]
