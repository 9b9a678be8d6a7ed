"""Compares the rules of files with those that a running Prometheus has loaded; every difference is a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from receiver.durations import in_words
from receiver.errors import QueryRefused
from receiver.rules.files import RuleFile
from receiver.rules.groups import Group, Rule

LINKS = "_url"
"""Annotations that end so begin with an address of the user's own; only what follows its last slash is compared."""
_AROUND = 2
"""Words shown around the place at which two expressions differ."""


@dataclass(frozen=True, slots=True)
class Running:
    """What a Prometheus has loaded, and when; moments are Unix seconds by its own clock."""

    groups: tuple[Group, ...]
    loaded_at: float
    now: float
    formatted: Callable[[str], str]
    """Writes an expression as Prometheus does; raises QueryRefused where it does not understand it."""


def drift(files: Sequence[RuleFile], running: Running) -> Iterator[str]:
    """Every difference, each as `file: group: rule: what differs`; a group of an optional file may be missing."""
    for file in files:
        for group in file.groups:
            where = f"{file.name}: {group.name}"
            loaded = [one for one in running.groups if one.name == group.name]
            if not loaded and not file.is_optional:
                yield f"{where}: is not loaded, with {len(group.rules)} rules"
            if len(loaded) > 1:
                yield f"{where}: is loaded {len(loaded)} times, so its rules are evaluated as often"
            for one in loaded[:1]:
                yield from (f"{where}: {text}" for text in _group(group, one, running))


def _group(shipped: Group, loaded: Group, running: Running) -> Iterator[str]:
    if shipped.interval is not None and loaded.interval != shipped.interval:
        yield f"interval: loaded {_duration(loaded.interval or 0)}, shipped {_duration(shipped.interval)}"
    if loaded.is_overdue(running.now, running.loaded_at):
        since = in_words(running.now - max(loaded.last_evaluation, running.loaded_at))
        yield f"has not been evaluated for {since}, its interval is {_duration(loaded.interval or 0)}"
    names = Counter(rule.name for rule in shipped.rules)
    for rule, other in _pairs(shipped.rules, loaded.rules):
        known = rule or other
        if known is None:
            continue
        name = known.name
        if names[name] > 1:
            name += f" ({known.labels.get('action', known.kind)})"
        if other is None:
            yield f"{name}: is missing"
        elif rule is None:
            yield f"{name}: is loaded, and not among the shipped rules"
        else:
            yield from (f"{name}: {text}" for text in _rule(rule, other, running.formatted))


def _pairs(shipped: Sequence[Rule], loaded: Sequence[Rule]) -> Iterator[tuple[Rule | None, Rule | None]]:
    """Each shipped rule with the loaded one of its name, of several that with its labels; None where one is alone."""
    left = list(loaded)
    found: dict[int, Rule] = {}
    for with_labels in (True, False):
        for place, rule in enumerate(shipped):
            same = (
                one
                for one in left
                if (one.kind, one.name) == (rule.kind, rule.name) and (one.labels == rule.labels or not with_labels)
            )
            if place not in found and (match := next(same, None)) is not None:
                found[place] = match
                left.remove(match)
    yield from ((rule, found.get(place)) for place, rule in enumerate(shipped))
    yield from ((None, one) for one in left)


def _rule(shipped: Rule, loaded: Rule, formatted: Callable[[str], str]) -> Iterator[str]:
    yield from _expression(shipped.query, loaded.query, formatted)
    for name, wanted, got in (
        ("for", shipped.duration, loaded.duration),
        ("keep_firing_for", shipped.keep_firing_for, loaded.keep_firing_for),
    ):
        if wanted != got:
            yield f"{name}: loaded {_duration(got)}, shipped {_duration(wanted)}"
    yield from _texts("label", shipped.labels, loaded.labels)
    yield from _texts("annotation", shipped.annotations, loaded.annotations)
    if loaded.health == "err":
        yield f"cannot be evaluated: {loaded.last_error}"


def _expression(shipped: str, loaded: str, formatted: Callable[[str], str]) -> Iterator[str]:
    try:
        wanted, got = formatted(shipped).split(), formatted(loaded).split()
    except QueryRefused as error:
        yield f"expr: cannot be compared: {error}"
        return
    if wanted == got:
        return
    ends = min(len(wanted), len(got))
    begin = next((place for place in range(ends) if wanted[place] != got[place]), ends)
    end = next((back for back in range(ends - begin) if wanted[-1 - back] != got[-1 - back]), ends - begin)
    yield f"expr: loaded `{_excerpt(got, begin, end)}`, shipped `{_excerpt(wanted, begin, end)}`"


def _excerpt(words: Sequence[str], begin: int, end: int) -> str:
    """The words between the first `begin` and the last `end`, with a few around them."""
    first, last = max(begin - _AROUND, 0), min(len(words) - end + _AROUND, len(words))
    return " ".join(("...",) * (first > 0) + tuple(words[first:last]) + ("...",) * (last < len(words)))


def _texts(what: str, shipped: dict[str, str], loaded: dict[str, str]) -> Iterator[str]:
    for name in dict.fromkeys((*shipped, *loaded)):
        wanted, got = shipped.get(name), loaded.get(name)
        if wanted is None or got is None:
            yield f"{what} {name}: is missing" if got is None else f"{what} {name}: is loaded, and not shipped"
        elif wanted != got and not (name.endswith(LINKS) and _last_part(wanted) == _last_part(got)):
            yield f'{what} {name}: loaded "{got}", shipped "{wanted}"'


def _last_part(address: str) -> str:
    return address.rsplit("/", 1)[-1]


def _duration(seconds: float) -> str:
    return f"{seconds:g}s"
