"""Four runs in the middle of their work, each at another place, and what can be seen of them afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa

from demo.monitoring import Server
from demo.processes import free_port, wait_until
from receiver.journal import tables
from tests.faults.between import between
from tests.faults.fleet import Deployment, Fleet
from tests.faults.kills import Command, Whom
from tests.faults.nursery import nursery
from tests.faults.oracle import Judgement, judge
from tests.faults.trial import SPARED, Trial
from tests.faults.watchers import Watchers, start_alertmanager_of, start_prometheus_of, telling

PATIENCE = 120.0
EVALUATED, ASKED, BACKED_UP, IN_THE_COMMAND = "evaluated", "asked", "backed up", "in the command"
"""Where each of the four deployments is when something fails; the first has not gone wrong by then."""
_PHASES = {ASKED: "approve", BACKED_UP: "back_up", IN_THE_COMMAND: "execute"}


class Held(Deployment):
    """A deployment whose backup, or whose command, waits for as long as it is held."""

    def settings(self) -> dict[str, Any]:
        save = self.directory / "save.sh"
        save.write_text(f'#!/bin/sh\n{self._waits("backup")}echo kept > "$BACKUP_DIRECTORY/kept"\n')
        save.chmod(0o755)
        return super().settings() | {"backup": {"commands": {"all": {"save": [str(save)], "estimate_bytes": 10}}}}

    def go_wrong_at(self, place: str) -> None:
        """Ship a bad release, whose rollback is held at its place, if it has one."""
        self.go_wrong(Command.MENDS)
        if place == BACKED_UP:
            (self.directory / "hold-backup").touch()
        elif place == IN_THE_COMMAND:
            (self.directory / "hold-command").touch()
            with self.restart.open("a") as script:
                script.write(self._waits("command"))

    def let_go(self) -> None:
        """Whatever is held goes on."""
        for file in self.directory.glob("hold-*"):
            file.unlink()

    def _waits(self, what: str) -> str:
        return f"while [ -e {self.directory}/hold-{what} ]; do sleep 0.05; done\n"


class Scene:
    """An agent with four deployments, between which and a real Prometheus there is something that a test can set."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self._stack = stack
        self._directory = directory
        self._fleet = Fleet(make=Held)
        self._exporter = stack.enter_context(telling(self._fleet))
        self._port = free_port()
        self.prometheus = self.start_prometheus()
        self.between = stack.enter_context(between(self.prometheus.url))
        alertmanager = stack.enter_context(start_alertmanager_of(directory))
        lives = stack.enter_context(nursery())
        watchers = Watchers(self.between.url, alertmanager.url)
        self.trial = Trial(directory / "trial", self._fleet, watchers, lives, size=4)
        self._stack.callback(self.trial.database.close)
        # The second is the one of which a person is asked.
        places = (EVALUATED, ASKED, BACKED_UP, IN_THE_COMMAND)
        self._at = dict(zip(places, self._fleet.deployments.values(), strict=True))

    def start_prometheus(self) -> Server:
        """Start the real one, with the data that it finds."""
        return self._stack.enter_context(start_prometheus_of(self._exporter, self._directory, self._port))

    def stop_exporter(self) -> None:
        """Let Prometheus measure nothing any more, and wait until it knows."""
        self._exporter.shutdown()
        self._exporter.server_close()
        self.await_(lambda: not _deployments(self.prometheus.url, "ALERTS"))

    def begin(self) -> None:
        """All but the first go wrong, and come to where they are held."""
        life = self.trial.start(SPARED)
        self._stack.callback(life.kill, Whom.ALL)
        self.trial.attend(life, self.trial.all_good, PATIENCE)
        self.go_wrong(*_PHASES)
        self.await_firing(*_PHASES)
        self.tell()
        self.await_(lambda: self._runs("phase") == {place: (phase,) for place, phase in _PHASES.items()})
        self.await_(self._at[IN_THE_COMMAND].counted.exists)

    def go_wrong(self, *places: str) -> None:
        """Ship a bad release of these."""
        for place in places:
            one = self._at[place]
            assert isinstance(one, Held)
            one.go_wrong_at(place)

    def await_firing(self, *places: str) -> None:
        """Wait until the real Prometheus shows that these are bad."""
        names = {self._at[place].name for place in places}
        self.await_(lambda: names <= _deployments(self.prometheus.url, 'ALERTS{alertstate="firing"}'))

    def go_on(self) -> None:
        """A person approves, and nothing is held any more; all comes to its end while it is as it is."""
        self.tell()
        self.trial.approve()
        for one in self._at.values():
            assert isinstance(one, Held)
            one.let_go()
        self.await_(self.trial.is_at_rest)

    def tell(self) -> None:
        """Post what is not accepted yet, until all is."""
        self.await_(self.trial.is_told)

    def names(self) -> list[str]:
        """What the deployments are called."""
        return [one.name for one in self._at.values()]

    def await_known(self, other: Server) -> None:
        """Wait until another Prometheus has measured all that are called so."""
        self.await_(lambda: set(self.names()) <= _deployments(other.url, "deployment:availability:ratio"))

    def results(self) -> dict[str, tuple[str, ...]]:
        """How the runs of each have ended."""
        return self._runs("result")

    def judgement(self, *dropped: str) -> Judgement:
        """What holds of all; of the alerts of those `dropped` Prometheus says that they do not fire."""
        seen = self.trial.seen()
        accepted = {**seen.accepted, **{self._at[place].name: 0 for place in dropped}}
        return judge(self.trial.database, self.trial.config.audit_files, replace(seen, accepted=accepted))

    def effects(self) -> dict[str, int]:
        """How often the command of each has run, as it has counted itself."""
        counted = {place: one.effects().total() for place, one in self._at.items()}
        return {place: times for place, times in counted.items() if times}

    def _runs(self, column: str) -> dict[str, tuple[str, ...]]:
        table = tables.run
        found: dict[str, tuple[str, ...]] = {}
        places = {one.name: place for place, one in self._at.items()}
        with self.trial.database.read() as tx:
            for row in tx.execute(sa.select(table).order_by(table.c.created_at)):
                place = places[row.deployment]
                found[place] = (*found.get(place, ()), row._mapping[column])
        return found

    def await_(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds; what the agent said stands in the failure."""
        if not wait_until(condition, PATIENCE, every=0.1):
            raise AssertionError(f"not within {PATIENCE:g} s; {self._runs('phase')}\n{self.trial.said()}")


def _deployments(url: str, promql: str) -> set[str]:
    try:
        found = requests.get(f"{url}/api/v1/query", params={"query": promql}, timeout=30).json()["data"]["result"]
    except requests.RequestException:
        return set()
    return {one["metric"]["deployment"] for one in found}


@contextmanager
def scene(directory: Path) -> Iterator[Scene]:
    """Its processes end with the block."""
    with ExitStack() as stack:
        yield Scene(directory, stack)
