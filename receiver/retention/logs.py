"""Full files of the agent's own log: there are never more than `log.keep`, and they go by age as well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from receiver.retention import files
from receiver.retention.store import Store


def logs(store: Store, dry_run: bool) -> Iterator[str]:
    """Remove those whose last line is older than `retention.logs.age`; their names. Raises OSError and AuditError.

    Never the file that is written. `log.max_bytes` limits each file's size, by which they turn over.
    """
    log = store.config.agent_log
    name = re.compile(re.escape(log.name) + r"\.[0-9]+")
    full = (file for file in files.regular_files(log.parent) if name.fullmatch(file.name))
    found = (files.measured(file.name, (file,), is_needed=False) for file in full)
    before = store.clock() - store.config.retention.logs.age
    going = [one for one in found if one is not None and one.changed_at <= before]
    for one in files.remove_all(store, going, "log", "files", dry_run=dry_run):
        yield one.name
