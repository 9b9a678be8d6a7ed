"""Marks on the time line: what happened to the deployment, from metrics."""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import AnnotationQuery

from grafana.panels import DATA_SOURCE


@dataclass(frozen=True, slots=True)
class Annotation(Builder[AnnotationQuery]):
    """Marks when `expr` is above 0, or with `at_value` the moment (in ms) that is its value."""

    name: str
    expr: str
    title: str
    """Grafana's template of what the mark says."""
    colour: str
    at_value: bool = False

    def build(self) -> AnnotationQuery:
        """Grafana's form of it."""
        return _OfPrometheus(self)


class _OfPrometheus(AnnotationQuery):
    """Adds what Grafana's Prometheus data source reads and the library does not know."""

    def __init__(self, annotation: Annotation) -> None:
        super().__init__(
            name=annotation.name, datasource=DATA_SOURCE, icon_color=annotation.colour, expr=annotation.expr
        )
        self._annotation = annotation

    def to_json(self) -> dict[str, object]:
        """All of it, as Grafana's JSON."""
        return super().to_json() | {
            "target": {"expr": self._annotation.expr, "refId": "Anno"},
            "titleFormat": self._annotation.title,
            "useValueForTime": "on" if self._annotation.at_value else "off",
        }
