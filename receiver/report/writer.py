"""Writes a run's report: Markdown for people, the same as JSON for programs, and a chart beside them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from receiver.audit_chain import Head
from receiver.config import Config
from receiver.errors import AuditError, PrometheusError
from receiver.explain.document import explanation
from receiver.journal import deployments, judgements, views
from receiver.journal.database import Database
from receiver.journal.views import View
from receiver.markdown import code
from receiver.model import History, Result, Run
from receiver.redact import redact_text
from receiver.report.chart import Moment, chart
from receiver.report.document import as_json
from receiver.report.sections import as_markdown
from receiver.report.told import Told
from receiver.reviewing import lookalikes

BEFORE = 600.0
"""Seconds before a run's beginning from which on its signals are drawn: as long as nothing was wrong, to compare."""

Past = Callable[[str, float, float], tuple[History, ...]]


class AuditHead(Protocol):
    """The audit trail, of which a report remembers how far it had come."""

    def head(self) -> Head:
        """The last record; raises AuditError."""
        ...


class ReportWriter:
    """Writes `incident-<time>.md` files, each with a .json and an .svg, where the configuration in force says.

    `past` gives the signals of a deployment between two moments, or raises PrometheusError.
    """

    def __init__(
        self,
        config: Callable[[], Config],
        database: Database,
        audit: AuditHead,
        clock: Callable[[], float],
        past: Past,
    ) -> None:
        self._config = config
        self._database = database
        self._audit = audit
        self._clock = clock
        self._past = past

    def write(self, run: Run, result: Result, reason: str) -> str:
        """Write the run's report and return the path of its Markdown; raises OSError."""
        told = self._told(run, result, reason)
        # When the report was begun, so that a run whose report is written again after a kill still has one.
        began = next((step["started_at"] for step in told.view.get("steps", ()) if step["name"] == "report"), told.at)
        path = _place(self._config().logs, datetime.fromtimestamp(began, UTC).strftime("%Y%m%d-%H%M%S"), run)
        drawing = chart(told.history, _moments(told))
        if drawing is not None:
            _write(path.with_suffix(".svg"), drawing)
        _write(path.with_suffix(".json"), as_json(told))
        text = "\n".join(as_markdown(told, path.with_suffix(".svg").name if drawing else None)) + "\n"
        _write(path, redact_text(text))  # last: who finds it finds the others
        return str(path)

    def _told(self, run: Run, result: Result, reason: str) -> Told:
        config, now = self._config(), self._clock()
        with self._database.read() as tx:
            incident = views.incident(tx, run.incident) or {}
            latch = deployments.latch_of(tx, run.deployment)
            alike = lookalikes(tx, incident) if incident else ()
            why = explanation(judgements.of_run(tx, run.id))
        view: View = next((one for one in incident.get("runs", ()) if one["id"] == run.id), {})
        past, unknown = self._history(run, now)
        checkpoint, checkpoint_unknown = self._checkpoint()
        return Told(
            run=run,
            result=result,
            reason=reason,
            at=now,
            view=view,
            latched=latch is not None,
            escalations=tuple(one for one in incident.get("escalations", ()) if one["run"] == run.id),
            hotfixes=tuple(incident.get("hotfixes", ())),
            history=past,
            history_unknown=unknown,
            checkpoint=checkpoint,
            checkpoint_unknown=checkpoint_unknown,
            page=config.web.external_url and f"{config.web.external_url}/incidents/{run.incident}",
            prometheus=config.prometheus.external_url or config.prometheus.url,
            why=why,
            alike=tuple({**asdict(one.review), "likeness": one.likeness} for one in alike),
        )

    def _checkpoint(self) -> tuple[Head | None, str | None]:
        try:
            return self._audit.head(), None
        except AuditError as error:
            return None, str(error)

    def _history(self, run: Run, now: float) -> tuple[tuple[History, ...], str | None]:
        try:
            return self._past(run.deployment, run.created_at - BEFORE, now), None
        except PrometheusError as error:
            return (), str(error)


def _moments(told: Told) -> list[Moment]:
    execution, verification = told.run.findings.execution, told.run.findings.verification
    found = [Moment("decided", told.run.created_at)]
    if execution:
        found.append(Moment("rolled back", execution.finished_at))
    if verification:
        found.append(Moment(verification.verdict.replace("_", " "), verification.at))
    return found


def _place(directory: Path, stamp: str, run: Run) -> Path:
    """Where this run's report goes: never over another run's of the same second."""
    path = directory / f"incident-{stamp}.md"
    sign = f"run {code(run.id)}"
    mine = directory / f".incident-{run.id}.partial"
    mine.write_text(f"The report of {sign} is being written.\n", encoding="utf-8")
    try:
        os.link(mine, path)  # of two runs in one second one gets the name, and its sign is there with it
    except FileExistsError:
        if sign not in path.read_text(encoding="utf-8"):
            return directory / f"incident-{stamp}-{run.id}.md"
    finally:
        mine.unlink()
    return path


def _write(path: Path, text: str) -> None:
    """The whole file or the one before, whatever happens."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
