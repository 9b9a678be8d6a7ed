"""The signals on which a run decided, beside what they were when it was verified, as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import promql_parser as promql

from receiver.tree.units import Unit, in_unit, unit_of

View = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """One signal with its values, unit included.

    `verified` is None where nothing was verified; `worst` is empty where it is not known.
    """

    signal: View
    decided: str
    worst: str
    verified: str | None


def facts(run: View) -> list[Fact]:
    """What a run's decision was made on."""
    decision, verification = run["decision"], run["verification"]
    after = _values((verification or {}).get("signals", ()))
    worst = _values((verification or {}).get("worst", ()))
    return [
        Fact(
            signal=one,
            decided=value(one["name"], one["value"]),
            worst=value(one["name"], worst[key]) if (key := (one["name"], one["service"])) in worst else "",
            verified=value(one["name"], after.get((one["name"], one["service"]))) if verification else None,
        )
        for one in (decision or {}).get("signals", ())
    ]


def _values(signals: Iterable[View]) -> dict[tuple[str, str | None], float | None]:
    return {(one["name"], one["service"]): one["value"] for one in signals}


def value(name: str, number: float | None) -> str:
    """A signal's value with its unit: `25%`, `0.31 s`, `14.2/s`, `yes`; `no data` for None."""
    if number is None:
        return "no data"
    kind = name.rpartition(":")[2]
    if kind == "bool":
        return "yes" if number else "no"
    try:
        unit = unit_of(promql.parse(name))
    except ValueError:
        unit = Unit.NUMBER
    return in_unit(number, unit) + ("/s" if kind.startswith("rate") else "")
