"""Where a configuration of Alertmanager sends an alert: its route tree, read as Alertmanager reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import re2
import yaml

PATH = "/api/v1/alerts"
"""Of the agent's webhook."""
_MATCHER = re.compile(
    r"""\s*(?:(?P<name>[^\s"'{},=!~]+)|(?P<quoted_name>"(?:[^"\\]|\\.)*"))\s*(?P<operator>=~|!~|!=|=)
        \s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<value>[^",{}]*?))\s*(?:,|$)""",
    re.VERBOSE,
)
_QUIETLY = re2.Options()
_QUIETLY.log_errors = False  # on standard error, past what is printed


class NotUnderstood(Exception):
    """The configuration cannot be read as Alertmanager does; the text says what of it."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where an alert ends: a receiver, whether it tells anybody, and whether the agent may be whom it tells."""

    name: str
    tells_anybody: bool
    may_be_the_agent: bool


def receivers_of(text: str, labels: Mapping[str, str]) -> tuple[Receiver, ...]:
    """Where an alert with these labels goes; raises NotUnderstood."""
    try:
        content = yaml.safe_load(text)
        named = {one["name"]: one for one in content.get("receivers", ())}
        names = dict.fromkeys(_matching(content["route"], labels, content["route"]["receiver"]))
        return tuple(_receiver(named[name]) for name in names)
    except (yaml.YAMLError, RecursionError, ValueError, LookupError, TypeError, AttributeError, re2.error) as error:
        raise NotUnderstood(" ".join(str(error).split()) or type(error).__name__) from error


def _receiver(content: dict[str, Any]) -> Receiver:
    integrations = [key for key, configured in content.items() if key.endswith("_configs") and configured]
    urls = [str(hook.get("url", "")) for hook in content.get("webhook_configs") or ()]
    # From 0.26 on the address is a secret, and told as <secret>.
    may_be = any(not url.startswith("http") or url.rstrip("/").endswith(PATH) for url in urls)
    return Receiver(content["name"], bool(integrations), may_be)


def _matching(route: dict[str, Any], labels: Mapping[str, str], inherited: str) -> Iterator[str]:
    """The receivers of the routes that an alert ends in, of those below `route` or of itself."""
    receiver, is_below = route.get("receiver") or inherited, False
    for child in route.get("routes") or ():
        if all(_holds(*matcher, labels) for matcher in _matchers(child)):
            is_below = True
            yield from _matching(child, labels, receiver)
            if not child.get("continue"):
                break
    if not is_below:
        yield receiver


def _matchers(route: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Each as name, operator and value, in the forms of all versions."""
    yield from ((name, "=", str(value)) for name, value in (route.get("match") or {}).items())
    yield from ((name, "=~", str(value)) for name, value in (route.get("match_re") or {}).items())
    for text in route.get("matchers") or ():
        rest = text.strip().removeprefix("{").removesuffix("}")
        while rest.strip():
            found = _MATCHER.match(rest)
            if found is None:
                raise ValueError(f"the matcher {text!r}")
            name = found["name"] or json.loads(found["quoted_name"])
            yield name, found["operator"], json.loads(found["quoted"]) if found["quoted"] else found["value"]
            rest = rest[found.end() :]


def _holds(name: str, operator: str, value: str, labels: Mapping[str, str]) -> bool:
    has = labels.get(name, "")
    equal = re2.compile(value, _QUIETLY).fullmatch(has) is not None if operator.endswith("~") else has == value
    return equal is not operator.startswith("!")
