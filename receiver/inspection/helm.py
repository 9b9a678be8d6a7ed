"""A chart of helm."""

from __future__ import annotations

from receiver.config.targets import ClusterName
from receiver.inspection.cluster import access, program
from receiver.inspection.found import FittingTarget, Place, Setting, below, documents, fits


def helm(place: Place) -> FittingTarget | None:
    """Where `Chart.yaml` lies in the directory; its name is taken for that of helm's release."""
    chart = place.directory / "Chart.yaml"
    if not chart.is_file():
        return None
    named = below(next(iter(documents(chart)), None), "name")
    name = str(named) if fits(named, ClusterName) else "fill-in"
    release = Setting("release", name, to_do="the name of helm's release (`helm list`), if it is not the chart's")
    settings = (*access(place, None), release, program("helm", "/usr/local/bin/helm"))
    return FittingTarget("helm", f"Chart.yaml is there, of the chart {name}", settings, name)
