"""Replicas are stopped, lost, cut off, and their database restarted: one run, one effect, and a human where needed."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path

from receiver.workers import POLL
from receiver.workflow import LEASE
from tests.acceptance.stand import GOOD
from tests.faults.replicas import replicas
from tests.postgres import Postgres, running_server

PROMISED = 15.0
"""Seconds within which another replica takes over."""


def test_the_lease_is_short_enough() -> None:
    """Whoever looks for work right before a lease ends, looks again before the promised time is over."""
    assert LEASE + 4 * POLL <= PROMISED


def test_one_is_stopped_and_the_next_is_lost(tmp_path: Path, postgres: Postgres) -> None:
    """The first is overtaken in its backup, the second is lost in the command, the third calls a human: one effect."""
    with replicas(tmp_path, postgres.new_database()) as all_three:
        here = all_three.stand
        here.restart.write_text(f"#!/bin/sh\necho x >> {here.calls}\nsleep 5\n")
        all_three.hold.touch()
        all_three.go_wrong()
        here.eventually(all_three.reaches("back_up"), 60)
        first = all_three.holder()
        first.send(signal.SIGSTOP)
        all_three.hold.unlink()

        began = time.monotonic()
        here.eventually(lambda: all_three.holder() is not first, 60)
        sys.stdout.write(f"taken over {time.monotonic() - began:.1f} s after it was stopped\n")
        here.eventually(lambda: here.restarts() == 1, 60)
        second = all_three.holder()
        second.lose()
        began = time.monotonic()
        here.eventually(lambda: all_three.holder() not in (first, second), 60)
        sys.stdout.write(f"taken over {time.monotonic() - began:.1f} s after it was lost\n")
        run = here.await_run(timeout=60)
        first.send(signal.SIGCONT)
        here.eventually(lambda: "left to another worker" in first.said(), 60)

        assert (run["result"], here.live(), here.restarts()) == ("restored", GOOD, 1)
        assert all_three.escalations() == ["unknown_result"]
        assert here.runs() == [run]


def test_the_database_is_cut_off_and_restarted(tmp_path: Path) -> None:
    """Its connections are cut all the time while a run goes on, and it is restarted: the run is restored, once."""
    with running_server() as server, replicas(tmp_path, server.new_database()) as all_three:
        here = all_three.stand
        all_three.hold.touch()
        all_three.go_wrong()
        here.eventually(all_three.reaches("back_up"), 60)
        server.restart()
        over, cuts = threading.Event(), []

        def cut() -> None:
            while not over.wait(1.0):
                cuts.append(server.cut_all())

        thread = threading.Thread(target=cut)
        thread.start()
        all_three.hold.unlink()
        try:
            here.eventually(lambda: here.restarts() == 1, 60)
        finally:
            over.set()
            thread.join()
        run = here.await_run(timeout=60)

        assert (run["result"], here.live(), here.restarts()) == ("restored", GOOD, 1)
        assert (all_three.escalations(), here.runs()) == ([], [run])
