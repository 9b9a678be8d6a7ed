"""A commit whose answer is lost may have happened: whoever asked tries again, and there is one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.processes import wait_until
from receiver.errors import JournalError
from receiver.journal import notifications
from receiver.journal.database import Database
from receiver.journal.schema import migrate
from tests.acceptance.stand import BAD, GOOD, stand
from tests.acceptance.test_journal_in_postgresql import journal_in
from tests.postgres import Postgres, through
from tests.wire import wire


def test_the_answer_to_a_commit_is_lost(postgres: Postgres) -> None:
    """What was stored is there, its sender is told that it may not be, and the next one goes through."""
    with wire(postgres.socket) as way:
        database = Database(through(postgres.new_database(), way.port))
        migrate(database)

        def store() -> None:
            with database.write() as tx:
                notifications.store(tx, database.now(tx), [], 0)

        def stored() -> int:
            with database.read() as tx:
                return len(notifications.due(tx, 1e12))

        way.cut_after(b"COMMIT")
        with pytest.raises(JournalError):
            store()
        assert way.cuts == 1
        assert wait_until(lambda: stored() == 1, 60)
        store()
        assert stored() == 2
        database.close()


def test_of_a_run_that_loses_commits_the_command_runs_once(tmp_path: Path, postgres: Postgres) -> None:
    """A real agent loses the answers to commits until its run is in the command: 503 or a duplicate, and one effect."""
    with wire(postgres.socket) as way:
        settings = journal_in(tmp_path, through(postgres.new_database(), way.port))
        with stand(tmp_path, journal=settings) as here:
            here.start()
            here.ship(BAD)
            here.await_firing()

            def lose_and_notify() -> bool:
                way.cut_after(b"COMMIT")
                return here.notify().status_code == 202 and way.cuts > 3

            here.eventually(lose_and_notify, 60)
            run = here.await_run()

            assert (run["result"], here.live(), here.restarts()) == ("restored", GOOD, 1)
            assert len(here.runs()) == 1
