"""A deployment whose backup a person has put back."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from receiver.journal import deployments
from tests.receiver.commands.journaled import Journaled

KEPT, CHANGED = ("A=1\n", [1, 2]), ("A=2\n", [7])
"""What is in the directory's file and in the database: when it was backed up, and now."""


class Shop:
    """What qrl keeps, here: a directory and a SQLite file, of which there is a backup, and which were changed since."""

    def __init__(self, here: Journaled) -> None:
        self.here = here
        place = here.root.parent / "qrl"
        self.shared, self.database = place / "shared", place / "qrl.db"
        self.shared.mkdir()
        (self.shared / "settings.env").write_text("A=1\n")
        with closing(sqlite3.connect(self.database)) as database:
            database.executescript("pragma journal_mode=wal; create table node (n); insert into node values (1), (2)")
        self.configure(paths=[str(self.shared)], sqlite=[str(self.database)])
        self.backup = Path(here.says("backup", "make", "qrl").partition(":")[0]).name
        (self.shared / "settings.env").write_text("A=2\n")
        with closing(sqlite3.connect(self.database)) as database:
            database.executescript("delete from node; insert into node values (7)")

    def configure(self, **backup: object) -> None:
        self.here.content["deployments"]["qrl"]["backup"] = backup
        self.here.content["guardrails"] = {"disk_space": {"minimum_bytes": 0}}
        self.here.config.write_text(json.dumps(self.here.content))

    def restore(self, *options: str) -> str:
        """What the command says that needs no question."""
        return self.here.says("restore", self.backup, "--confirm", self.backup, "--as", "ada", *options)

    @property
    def state(self) -> tuple[str, list[int]]:
        """What is in the directory's file, and in the database."""
        with closing(sqlite3.connect(self.database)) as database:
            rows = [n for (n,) in database.execute("select n from node order by n")]
        return (self.shared / "settings.env").read_text(), rows

    @property
    def latch(self) -> str | None:
        with self.here.database.read() as tx:
            found = deployments.latch_of(tx, "qrl")
        return found.reason if found else None

    @property
    def audited(self) -> list[tuple[str, str]]:
        return [(one["decision"], one["actor"]) for one in self.here.audited()[1:]]
