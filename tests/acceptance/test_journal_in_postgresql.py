"""A real agent whose journal is in a real PostgreSQL: the whole way, and what it says while the database hangs."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from tests.acceptance.stand import GOOD, Stand, stand
from tests.postgres import Postgres, through
from tests.wire import wire


def journal_in(directory: Path, url: str) -> dict[str, object]:
    """The part of the configuration that names a journal in PostgreSQL."""
    file = directory / "journal.url"
    file.write_text(url.replace("postgresql+psycopg", "postgresql"))
    file.chmod(0o600)
    return {"postgresql": {"url_file": str(file)}}


def test_the_whole_way(tmp_path: Path, postgres: Postgres) -> None:
    """A bad release is rolled back and verified, the command line reads the same journal, and no file holds one."""
    with stand(tmp_path, journal=journal_in(tmp_path, postgres.new_database())) as here:
        here.go_wrong()
        assert here.await_run()["result"] == "restored"
        assert (here.live(), here.restarts()) == (GOOD, 1)
        assert "restored" in here.command("show", here.incidents()[0]["id"])
        assert list(here.root.glob("state.db*")) == []


def test_a_database_that_hangs(tmp_path: Path, postgres: Postgres) -> None:
    """The webhook answers 503, the agent is not ready but healthy, and all is well once the database answers again."""
    with wire(postgres.socket) as way:
        settings = journal_in(tmp_path, through(postgres.new_database(), way.port))
        with stand(tmp_path, journal=settings) as here:
            here.start_agent()
            assert here.notify().status_code == 202
            way.hold()
            here.eventually(lambda: here.notify().status_code == 503, 60)
            here.eventually(lambda: not ready(here), 60)
            assert requests.get(f"{here.url}/-/healthy", timeout=30).ok
            way.release()
            here.eventually(lambda: here.notify().status_code == 202, 60)
            here.eventually(lambda: ready(here), 60)


def ready(here: Stand) -> bool:
    """Whether the agent says that it is ready."""
    return requests.get(f"{here.url}/-/ready", timeout=30).ok


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://ada:hunter2@127.0.0.1:1/journal", "the journal's database failed: connection failed: "),
        ("postgresql://ada:hunter2@hunter2@127.0.0.1:1/journal", "an @, : or / in the password of a connection string"),
        ("hunter2 and what else", "journal.postgresql.url_file: the file of the connection string holds none that"),
    ],
)
def test_a_database_that_cannot_be_reached(tmp_path: Path, url: str, sentence: str) -> None:
    """`serve` does not start, and says why without the password."""
    with stand(tmp_path, journal=journal_in(tmp_path, url)) as here:
        code = 1 if "failed" in sentence else 2
        said = here.command("serve", code=code)
        assert sentence in said
        assert "hunter2" not in said
