"""A full rollback with a real database: asked for, approved, backed up, taken back, switched, verified."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from tests.acceptance.stand import BAD, GOOD, Stand, stand

UNDO = """\
import os, pathlib, sqlite3, sys
assert os.environ["ROLLBACK_LEVEL"] == "full"
assert (pathlib.Path(os.environ["ROLLBACK_BACKUP"]) / "MANIFEST.txt").exists()
database = sqlite3.connect(sys.argv[1])
database.execute("alter table account drop column colour")
database.commit()
"""


def columns(database: Path) -> list[str]:
    connection = sqlite3.connect(database)
    found = [row[1] for row in connection.execute("pragma table_info(account)")]
    connection.close()
    return found


def with_database(here: Stand, undo: str) -> Path:
    """The stand's configuration with a way back for its database, which BAD's migration has changed."""
    database = here.app / "shared" / "qrl.db"
    script = here.directory / "undo.py"
    script.write_text(undo)
    stop = here.directory / "stop.sh"
    stop.write_text(f"#!/bin/sh\necho stopped >> {here.directory}/stops\n")
    stop.chmod(0o755)
    full = {"database": ["/usr/bin/python3", str(script), str(database)], "stop": [str(stop)], "timeout": "20s"}
    releases: dict[str, Any] = {"path": str(here.app), "restart": [str(here.restart)], "timeout": "20s", "full": full}
    here.write_config(
        autonomy="L4", deployment={"target": {"releases": releases}, "backup": {"sqlite": [str(database)]}}
    )
    connection = sqlite3.connect(database)
    connection.execute("alter table account add column colour text")
    connection.commit()
    connection.close()
    return database


def ask_for_full(here: Stand) -> dict[str, Any]:
    """A bad release is live, and a person asks for a full rollback and approves its plan; the run."""
    here.start_prometheus()
    here.start_agent()
    here.await_good()
    here.ship(BAD)
    here.await_firing()
    here.command("rollback", "qrl", "--level", "full", "--as", "ada")
    run = here.await_run(state="waiting")
    assert "undo.py" in " ".join(run["plan"]["command"])
    incident = here.incidents()[0]["id"]
    here.command("approve", incident, "--plan", run["plan"]["hash"][:8], "--as", "ada")
    return here.await_run()


def test_full_takes_database_and_code_back(tmp_path: Path) -> None:
    """After the approval the services stop, the database loses what the bad release added, and the good one is live."""
    with stand(tmp_path) as here:
        database = with_database(here, UNDO)
        run = ask_for_full(here)

        assert (run["result"], here.live(), here.restarts()) == ("restored", GOOD, 1)
        assert columns(database) == ["name"]
        assert (tmp_path / "stops").read_text() == "stopped\n"
        (kept,) = Path(run["backup"]["directory"]).rglob("*qrl.db")
        assert columns(kept) == ["name", "colour"]


def test_full_whose_database_cannot_go_back_leaves_the_release(tmp_path: Path) -> None:
    """The link is not touched, the live release is started again, the run fails and the deployment is latched."""
    with stand(tmp_path) as here:
        database = with_database(here, "raise SystemExit('no way down')")
        run = ask_for_full(here)

        assert (run["result"], here.live(), here.restarts()) == ("failed", BAD, 1)
        assert "stays live and is started again" in run["reason"]
        assert columns(database) == ["name", "colour"]
        assert 'rollback_latched{deployment="qrl"} 1.0' in here.metrics()


def test_full_is_never_automatic(tmp_path: Path) -> None:
    """At L4, with a branch that is certain, a full rollback waits for a person, and nothing is touched."""
    with stand(tmp_path) as here:
        database = with_database(here, UNDO)
        rule = {"branch": "migration_failed", "rank": "5", "action": "rollback", "level": "full", "confidence": "1.0"}
        rules = [{"alert": "MigrationFailed", "expr": "deployment:availability:ratio < 0.5", "labels": rule}]
        here.start_prometheus({"groups": [{"name": "tree", "interval": "500ms", "rules": rules}]})
        here.start_agent()
        here.await_good()
        here.ship(BAD)
        here.await_firing("migration_failed")
        here.notify()

        run = here.await_run(state="waiting")

        here.stays(lambda: here.live() == BAD, 2)
        assert run["plan"]["level"] == "full"
        assert (columns(database), (tmp_path / "stops").exists()) == (["name", "colour"], False)
