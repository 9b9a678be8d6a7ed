"""Metrics of single runs, for reviews: the newest of each deployment, so that their number is bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily, Metric

from receiver.journal import ended
from receiver.journal.ended import SHOWN, EndedRun


class RecentRuns:
    """Remembers what it has told, since a run that has ended does not change."""

    def __init__(self) -> None:
        self._told: Mapping[str, EndedRun] = {}

    def collect(self, tx: sa.Connection, deployments: Iterable[str]) -> Iterator[Metric]:
        """What each of the newest runs was, when it began and ended, and how long its phases took."""
        info = GaugeMetricFamily(
            "rollback_ended_run_info",
            "The newest ended runs of each deployment.",
            labels=(
                "deployment", "incident", "run", "branch", "level", "confidence", "approved_by", "result",
            ),
        )  # fmt: skip
        of_run = ("deployment", "run")
        opened = GaugeMetricFamily(
            "rollback_ended_run_incident_timestamp_seconds", "When the run's incident began.", labels=of_run
        )
        started = GaugeMetricFamily("rollback_ended_run_start_timestamp_seconds", "When the run began.", labels=of_run)
        ends = GaugeMetricFamily("rollback_ended_run_end_timestamp_seconds", "When the run ended.", labels=of_run)
        phases = GaugeMetricFamily(
            "rollback_ended_run_phase_duration_seconds", "How long a phase of the run took.", labels=(*of_run, "phase")
        )
        told: dict[str, EndedRun] = {}
        for deployment in deployments:
            found = ended.newest(tx, deployment, SHOWN, self._told)
            told |= found
            for run in found.values():
                what = (run.branch, run.level, run.confidence, run.approved_by, run.result)
                info.add_metric((deployment, run.incident, run.id, *what), 1)
                opened.add_metric((deployment, run.id), run.opened_at)
                started.add_metric((deployment, run.id), run.started_at)
                ends.add_metric((deployment, run.id), run.ended_at)
                for phase, seconds in run.phases.items():
                    phases.add_metric((deployment, run.id, phase), seconds)
        self._told = told
        yield from (info, opened, started, ends, phases)
