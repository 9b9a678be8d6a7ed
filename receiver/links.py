"""Links into Prometheus, from the configured address and our own names only."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode


def series(signal: dict[str, Any], deployment: str) -> str:
    """The PromQL that gives a signal of a deployment."""
    labels = {"deployment": deployment} | ({"service": signal["service"]} if signal["service"] else {})
    return f"{signal['name']}{_matchers(labels)}"


def signals(deployment: str) -> str:
    """The PromQL that gives all shares and counts of a deployment that the tree reads."""
    return f'{{__name__=~"(deployment|service):.+:ratio.*",deployment="{_escaped(deployment)}"}}'


def alerts(deployment: str, branch: str) -> str:
    """The PromQL that gives a branch's alerts."""
    return f"ALERTS{_matchers({'deployment': deployment, 'branch': branch})}"


def graph(prometheus: str, query: str, until: float | None = None) -> str:
    """Where Prometheus draws `query`; with `until` (Unix seconds) the hour before that moment."""
    parameters = {"g0.expr": query, "g0.tab": "0", "g0.range_input": "1h"}
    if until is not None:
        parameters["g0.end_input"] = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{prometheus}/graph?{urlencode(parameters)}"


def _matchers(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", value).replace("\n", r"\n")
