"""How the page writes moments, spans and words of the code."""

from __future__ import annotations

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def span(seconds: float) -> str:
    """A span as a tired person reads it: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`."""
    whole = max(int(seconds), 0)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return _two(whole, _HOUR, "h", _MINUTE, "min")
    return _two(whole, _DAY, "d", _HOUR, "h")


def ago(at: float, now: float) -> str:
    """How far a moment lies from `now`: `12 min ago`, `in 3 min`, `now`."""
    apart = now - at
    if abs(apart) < 1:
        return "now"
    return f"{span(apart)} ago" if apart > 0 else f"in {span(-apart)}"


def spoken(word: str) -> str:
    """A word of the code as a person writes it: `no_effect` is `no effect`."""
    return word.replace("_", " ")


def _two(whole: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = whole % large // small
    return f"{whole // large} {large_name}" + (f" {rest} {small_name}" if rest else "")
