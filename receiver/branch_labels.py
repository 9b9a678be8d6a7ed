"""Reads the labels of firing alerts as branches of the tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from receiver.model import Action, Branch, Level

_NOT_THE_ALERTS = {"__name__", "alertstate"}
"""Labels that Prometheus adds to the series `ALERTS`."""


def read_branches(alerts: Iterable[Mapping[str, str]]) -> tuple[tuple[Branch, ...], tuple[str, ...]]:
    """The alerts as branches, the deciding one first, and the names of those whose labels say too little."""
    branches: list[Branch] = []
    unreadable: list[str] = []
    for labels in alerts:
        try:
            branches.append(read_branch(labels))
        except (KeyError, ValueError):
            unreadable.append(labels.get("alertname", "?"))
    return tuple(sorted(branches, key=lambda branch: branch.precedence)), tuple(sorted(unreadable))


def read_branch(labels: Mapping[str, str]) -> Branch:
    """The labels of one alert as a branch; raises KeyError or ValueError where they say too little."""
    action = Action(labels["action"])
    rolls_back = action is Action.ROLLBACK
    confidence = float(labels["confidence"]) if rolls_back else None
    if confidence is not None and not 0 <= confidence <= 1:
        raise ValueError("confidence is no probability")
    return Branch(
        alert=labels["alertname"],
        branch=labels["branch"],
        rank=int(labels["rank"]),
        action=action,
        level=Level(labels["level"]) if rolls_back else None,
        confidence=confidence,
        service=labels.get("service"),
        labels=tuple(sorted((name, value) for name, value in labels.items() if name not in _NOT_THE_ALERTS)),
    )
