"""Reports of runs: they go, each with its JSON and its chart, once they are old or too large together."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from receiver.audit_chain import Head
from receiver.errors import AuditError
from receiver.retention import files
from receiver.retention.files import Kept
from receiver.retention.store import Store

_REPORT = re.compile(r"(incident-\d{8}-\d{6}(?:-[A-Za-z0-9]+)?)\.(?:md|json|svg)")
_PARTIAL = re.compile(r"\.incident-[A-Za-z0-9.-]+\.partial")


def reports(store: Store, dry_run: bool) -> Iterator[str]:
    """Remove those beyond `retention.reports` whose run nothing needs; the paths of what is gone."""
    going = files.beyond(_all(store), store.config.retention.reports, store.clock())
    for one in files.remove_all(store, going, "report", "reports", dry_run=dry_run):
        yield one.name


def oldest_checkpoint(store: Store) -> int | None:
    """The number of the first audit record that a report here is checked against; None where none names one.

    Raises AuditError where one of them cannot be read, since nobody can tell then.
    """
    found = []
    for file in files.regular_files(store.config.logs):
        if file.suffix == ".json" and _REPORT.fullmatch(file.name):
            try:
                document = json.loads(file.read_bytes())
                head = Head.parse(document.get("audit_checkpoint"))
            except (OSError, ValueError, AttributeError) as error:
                raise AuditError(f"{file}: which audit record it names cannot be read: {error}") from error
            if head is not None:
                found.append(head.records)
    return min(found, default=None)


def _all(store: Store) -> list[Kept]:
    needed = {Path(report).stem for report in store.in_use().reports}
    by_name: dict[str, list[Path]] = defaultdict(list)
    for file in files.regular_files(store.config.logs):
        if found := _REPORT.fullmatch(file.name):
            by_name[found[1]].append(file)
        elif _PARTIAL.fullmatch(file.name):
            by_name[file.name].append(file)  # of a writer that was killed
    # The Markdown last: as long as it is there, the report is there, and the others are found by it.
    found_ = (
        files.measured(name, sorted(paths, key=lambda path: path.suffix == ".md"), name in needed)
        for name, paths in by_name.items()
    )
    return [one for one in found_ if one is not None]
