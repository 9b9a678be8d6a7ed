"""Three real replicas on one PostgreSQL behind a plain TCP balancer, and two real Alertmanagers that both send."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml

from demo.processes import Process, answers, free_port
from receiver.journal import tables
from receiver.journal.database import Database
from tests.acceptance.stand import AGENT, BAD, Stand
from tests.faults.life import at_work
from tests.wire import Address, wire

ALERTMANAGERS = ("alertmanager", "alertmanager-2")


@dataclass
class Replica:
    """One `serve` with a root directory of its own."""

    name: str
    root: Path
    config: Path
    url: str
    process: Process | None = None
    program: tuple[str | Path, ...] = (AGENT,)
    """What stands before the arguments; another version of the agent, where a test has one."""

    def start(self) -> Process:
        """Start it; it is not ready yet."""
        self.process = Process((*self.program, "serve", "--config", self.config), self.root.with_suffix(".log"))
        return self.process

    def send(self, number: signal.Signals) -> None:
        """Send a signal to its process alone."""
        assert self.process is not None
        self.process.signal(number)

    def lose(self) -> None:
        """Its machine is gone for good: the agent, the wrapper, and the command."""
        for one in at_work(self.root):
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self.send(signal.SIGKILL)

    def said(self) -> str:
        """What it has logged so far."""
        return self.root.with_suffix(".log").read_text()


@dataclass
class Replicas:
    """The stand that all share; `hold` is the file for which each backup waits, `stand.url` leads to the balancer."""

    stand: Stand
    database: Database
    members: list[Replica] = field(default_factory=list)

    @property
    def hold(self) -> Path:
        return self.stand.directory / "hold"

    def ready(self) -> Iterator[Replica]:
        """Those that answer."""
        return (one for one in self.members if answers(f"{one.url}/-/ready"))

    def run(self) -> dict[str, Any]:
        """The only run that there is, as it stands in the journal, or nothing."""
        with self.database.read() as tx:
            rows = [dict(row._mapping) for row in tx.execute(sa.select(tables.run))]
        assert len(rows) <= 1, "two Alertmanagers are one incident"
        return rows[0] if rows else {}

    def reaches(self, phase: str) -> Callable[[], bool]:
        """Whether the run is in a phase."""
        return lambda: self.run().get("phase") == phase

    def holder(self) -> Replica:
        """The replica that works on the run."""
        owner = self.run()["owner"]
        names = {one.name: (one.root / "runs" / "replica").read_text().strip() for one in self.members}
        return next(one for one in self.members if owner.endswith(f"/{names[one.name]}"))

    def start(self, *members: Replica) -> None:
        """Start these, and wait until they are ready."""
        for one in members:
            self.stand.stack.callback(one.start().stop)
        for one in members:
            assert one.process is not None
            one.process.await_ready(f"{one.url}/-/ready", 60)

    def go_wrong(self, *members: Replica) -> None:
        """All is well, then the bad release is shipped; Prometheus and both Alertmanagers do the rest.

        Of the members it starts these, or all.
        """
        here = self.stand
        for name in ALERTMANAGERS:
            here.start_alertmanager(name=name)
        here.start_prometheus(alertmanager=True)
        self.start(*(members or self.members))
        here.await_good()
        here.ship(BAD)

    def escalations(self) -> list[str]:
        """The reasons for which a human is called and has not answered."""
        table = tables.escalation
        with self.database.read() as tx:
            return list(tx.execute(sa.select(table.c.reason).where(table.c.answered_at.is_(None))).scalars())


@contextmanager
def replicas(directory: Path, url: str, count: int = 3) -> Iterator[Replicas]:
    """They are made, and not started yet; `url` is that of an empty journal in PostgreSQL."""
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, directory / "prometheus", True)
        save = directory / "save.sh"
        save.write_text(
            f'#!/bin/sh\nwhile [ -e {directory / "hold"} ]; do sleep 0.1; done\necho kept > "$BACKUP_DIRECTORY/kept"\n'
        )
        save.chmod(0o755)
        journal = directory / "journal.url"
        journal.write_text(url.replace("postgresql+psycopg", "postgresql"))
        journal.chmod(0o600)
        backup = {"commands": {"slow": {"save": [str(save)], "estimate_bytes": 10}}}
        here = Stand(
            directory, stack, journal={"postgresql": {"url_file": str(journal)}}, deployment={"backup": backup}
        )
        here.ports["alertmanager-2"] = free_port()
        database = Database(url)
        stack.callback(database.close)
        made = Replicas(here, database, [_member(here, number) for number in range(count)])
        turns = itertools.cycle(made.members)

        def choose() -> Address:
            """The next that is ready, as a balancer with a health check does it."""
            tried = itertools.islice(turns, count)
            url = next((one.url for one in tried if answers(f"{one.url}/-/ready")), made.members[0].url)
            return ("127.0.0.1", int(url.rpartition(":")[2]))

        here.url = f"http://127.0.0.1:{stack.enter_context(wire(choose)).port}"
        yield made


def _member(here: Stand, number: int) -> Replica:
    """The configuration of the stand, with a root and a port of its own."""
    name = f"replica-{number}"
    listen = f"127.0.0.1:{free_port()}"
    config = here.directory / f"{name}.yml"
    content = yaml.safe_load(here.config.read_text())
    content |= {"root": str(here.directory / name), "listen": listen}
    config.write_text(yaml.safe_dump(content))
    return Replica(name, here.directory / name, config, f"http://{listen}")
