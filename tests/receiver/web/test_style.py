"""The page can be read in the dark and in the sun, and by who sees no colours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from receiver.web import blueprint
from receiver.web.badges import Tone

WEB = Path(blueprint.__file__).parent
STYLE = (WEB / "static" / "page.css").read_text()
READABLE = 4.5
"""The contrast that WCAG 2.2 asks for of text, level AA; lines around fields need 3."""
TEXT_ON = [
    *((text, ground) for text in ("text", "quiet", "link") for ground in ("ground", "surface", "sunken")),
    *((tone, f"{tone}-ground") for tone in ("bad", "needed", "good", "working")),
    *((tone, ground) for tone in ("bad", "needed") for ground in ("ground", "surface", "sunken")),
    ("on-button", "button"),
]


def colours(scheme: str) -> dict[str, str]:
    """The tokens of a colour scheme."""
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", light if scheme == "light" else dark))


def luminance(colour: str) -> float:
    """The relative luminance by WCAG."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours by WCAG."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(scheme: str) -> None:
    """Each colour of text on each ground on which it is used is readable, in both schemes."""
    tokens = colours(scheme)
    too_weak = {pair: contrast(tokens[pair[0]], tokens[pair[1]]) for pair in TEXT_ON}
    assert {pair: ratio for pair, ratio in too_weak.items() if ratio < READABLE} == {}
    assert all(contrast(tokens["edge"], tokens[ground]) >= 3 for ground in ("ground", "surface"))


def test_both_schemes_have_the_same_tokens_and_rules_use_nothing_else() -> None:
    """No colour is written down outside of the tokens, so that none is missing at night."""
    assert colours("light").keys() == colours("dark").keys()
    rules = re.sub(r":root \{.*?\}", "", STYLE, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgb|hsl", rules) == []


def test_nothing_is_fetched_from_elsewhere() -> None:
    """Style, script and templates name no other host, no inline style and no inline script."""
    for file in (*WEB.glob("static/*"), *WEB.glob("templates/*.html")):
        text = file.read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert re.findall(r"https?://|//[a-z]+\.|@import|url\(", text) == [], file.name
        assert re.findall(r"\son[a-z]+=|style=|<style|javascript:|\|\s*safe", text) == [], file.name
        assert all("src=" in script for script in re.findall(r"<script[^>]*>", text)), file.name


def test_every_tone_has_its_style() -> None:
    """A tone that the code knows and the style does not would look like nothing special."""
    assert [tone for tone in Tone if tone is not Tone.CALM and f".badge.{tone}" not in STYLE] == []
