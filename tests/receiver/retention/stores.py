"""What one agent keeps, below a test's directory."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from receiver.audit import AGENT, AuditTrail
from receiver.journal.database import Database
from receiver.retention.store import Store
from tests.receiver.surroundings import configuration

DAY = 86400.0


def store_in(root: Path, database: Database, clock: Callable[[], float] = time.time, **settings: Any) -> Store:
    """A store with its directories; `settings` are top-level keys of the configuration."""
    config = configuration(root, **settings)
    for directory in (config.logs, config.commands, config.backups):
        directory.mkdir(parents=True, exist_ok=True)
    return Store(config, database, AuditTrail(config.audit_files, clock), clock, AGENT)
