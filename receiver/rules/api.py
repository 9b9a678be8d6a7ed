"""Asks Prometheus which rules it has loaded, how far their alerts are, and what their operands are worth now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, TypeAdapter

from receiver.errors import QueryRefused
from receiver.prometheus_api import PrometheusApi, Series
from receiver.rules.groups import LOADED_GROUPS, Group, Kind, Moment

TOGETHER = 10
"""Operands in a query. Their number is that of the rules, whatever the number of deployments; an answer has a limit."""
_WHICH = "rollback_agent_operand"
"""The label that tells the operands of a query apart."""


@dataclass(frozen=True, slots=True)
class _Runtime:
    last_config_time: Annotated[Moment, Field(alias="lastConfigTime")]


@dataclass(frozen=True, slots=True)
class _Address:
    url: str


@dataclass(frozen=True, slots=True)
class _Alertmanagers:
    active: Annotated[tuple[_Address, ...], Field(alias="activeAlertmanagers")]


_RUNTIME, _TEXT, _ALERTMANAGERS = TypeAdapter(_Runtime), TypeAdapter(str), TypeAdapter(_Alertmanagers)


class RulesApi:
    """The rules of one Prometheus server, over its HTTP API; each call raises PrometheusError."""

    def __init__(self, api: PrometheusApi) -> None:
        self._api = api

    @property
    def url(self) -> str:
        """Where Prometheus is."""
        return self._api.url

    def groups(self, kind: Kind | None = None) -> tuple[Group, ...]:
        """All groups with their rules, or with those of one kind."""
        parameters = {} if kind is None else {"type": {Kind.ALERTING: "alert", Kind.RECORDING: "record"}[kind]}
        return self._api.read("rules", LOADED_GROUPS, parameters).groups

    def now(self) -> float:
        """The moment by Prometheus' own clock, in Unix seconds."""
        return self._api.scalar("time()")

    def loaded_at(self) -> float:
        """When its configuration was last loaded, in Unix seconds."""
        return self._api.read("status/runtimeinfo", _RUNTIME).last_config_time

    def alertmanagers(self) -> tuple[str, ...]:
        """The addresses to which it sends what fires."""
        return tuple(one.url for one in self._api.read("alertmanagers", _ALERTMANAGERS).active)

    def formatted(self, promql: str) -> str:
        """The query as Prometheus itself writes it, so that two texts of one query are the same."""
        return self._api.read("format_query", _TEXT, {"query": promql})

    def values(self, queries: Sequence[str]) -> dict[str, tuple[Series, ...]]:
        """What each query gives now, for every deployment; nothing for one that cannot be evaluated."""
        found: dict[str, tuple[Series, ...]] = {}
        for start in range(0, len(queries), TOGETHER):
            found |= self._together(queries[start : start + TOGETHER])
        return found

    def _together(self, queries: Sequence[str]) -> dict[str, tuple[Series, ...]]:
        marked = (f'label_replace({query}, "{_WHICH}", "{number}", "", "")' for number, query in enumerate(queries))
        try:
            series = self._api.query(" or ".join(marked))
        except QueryRefused:
            if len(queries) == 1:
                return {queries[0]: ()}
            # One that cannot be evaluated does not hide the others.
            return {query: elements for one in queries for query, elements in self._together([one]).items()}
        found: dict[str, list[Series]] = {query: [] for query in queries}
        for one in series:
            found[queries[int(one.metric[_WHICH])]].append(one)
        return {query: tuple(elements) for query, elements in found.items()}
