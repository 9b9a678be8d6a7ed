"""Full files of the agent's log go by their age; the one that is written stays, and so does any other file."""

from __future__ import annotations

import os
import time
from pathlib import Path

from receiver.retention.logs import logs
from receiver.retention.store import Store
from tests.receiver.retention.stores import DAY


def written(store: Store, name: str, days: float) -> Path:
    """A file whose last line was written so long ago."""
    file = store.config.logs / name
    file.write_text("{}\n")
    os.utime(file, (time.time() - days * DAY,) * 2)
    return file


def test_what_is_old_goes_and_nothing_beside_it(store: Store) -> None:
    """By its last line, with a record; a dry run removes nothing, and a second time there is nothing to remove."""
    old = [written(store, "agent.log.2", 31), written(store, "agent.log.10", 500)]
    young = [written(store, "agent.log.1", 29), written(store, "agent.log", 500)]
    others = [written(store, name, 500) for name in ("agent.log.old", "agent.log.1.gz", "other.log.1", "agent-log.1")]
    link = store.config.logs / "agent.log.3"
    link.symlink_to(others[0])

    told = list(logs(store, True))
    assert all(file.exists() for file in old)
    assert list(logs(store, False)) == told == ["agent.log.10", "agent.log.2"]

    assert not any(file.exists() for file in old)
    assert all(file.exists() for file in (*young, *others, link))
    assert '"log:removed"' in store.audit.files.active.read_text()
    assert list(logs(store, False)) == []
