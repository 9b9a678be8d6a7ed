"""A person has a backup put back."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import click
import pytest

from receiver.backup import stored
from receiver.backup.restore import plan
from receiver.config import load_config
from receiver.errors import AuditError, BackupError, NotFound, NotPossible, RestoreError
from receiver.journal import deployments, incidents
from receiver.model import Level
from receiver.restoring import restore as put_back
from receiver.wiring import put_together
from tests.receiver.agent import Killed
from tests.receiver.commands.journaled import Journaled
from tests.receiver.commands.shop import CHANGED, KEPT, Shop


@pytest.fixture
def shop(here: Journaled) -> Shop:
    return Shop(here)


def test_restore_puts_back_what_was_kept(shop: Shop) -> None:
    """Files and rows are as they were; what was there is kept, it is audited with the person, and it is latched."""
    said = shop.restore()

    assert shop.state == KEPT
    assert shop.latch == f"ada put {shop.backup} back"
    assert shop.audited == [("backup", "ada"), ("restore", "ada"), ("restore:done", "ada")]
    assert "Restored as ada." in said
    assert "rollback-agent clear qrl" in said
    (aside,) = shop.shared.parent.glob("shared.before-restore-*")
    assert (aside / "settings.env").read_text() == "A=2\n"


def test_what_was_there_can_be_put_back_in_turn(shop: Shop) -> None:
    """Before anything is touched it is kept as a backup, so that a restore can be undone."""
    said = shop.restore()

    (kept,) = {path.name for path in (shop.here.root / "backups").iterdir()} - {shop.backup}
    assert f"What is there now is kept as {kept}." in said
    shop.here.says("restore", kept, "--confirm", kept)
    assert shop.state == CHANGED


def test_dry_run_says_exactly_what_would_be_done(shop: Shop) -> None:
    """Each step of each part, read back first; and nothing is done."""
    said = shop.here.says("restore", shop.backup, "--dry-run")
    told = json.loads(shop.here.says("restore", shop.backup, "--dry-run", "--json"))

    assert f"backup      {shop.backup}, read back and whole" in said
    assert "of          qrl, made 20" in said
    assert f"live then   r1 (commit {'c' * 40})" in said
    assert f"rename {shop.shared} to {shop.shared}.before-restore-" in said
    assert f"into {shop.database} by SQLite's own backup" in said
    assert "keep what is there now, as a backup of its own" in said
    assert said.endswith("\nDry run: nothing was changed.\n")
    assert [(one["kind"], one["name"]) for one in told["parts"]] == [
        ("sqlite", str(shop.database)), ("paths", str(shop.shared)),
    ]  # fmt: skip
    assert told["about"]["deployment"] == "qrl"
    assert (shop.state, shop.latch, shop.audited) == (CHANGED, None, [])
    assert len(list((shop.here.root / "backups").iterdir())) == 1


@pytest.mark.parametrize("typed", ["", "y\n", "yes\n", "state-20260101-000000-other\n"])
def test_without_the_id_typed_nothing_is_done(shop: Shop, typed: str) -> None:
    """A person types the backup's ID; a mere yes is none."""
    from click.testing import CliRunner

    from receiver.cli import cli

    done = CliRunner().invoke(
        cli, ["restore", shop.backup], input=typed, env={"ROLLBACK_AGENT_CONFIG": str(shop.here.config)},
        standalone_mode=False,
    )  # fmt: skip
    assert isinstance(done.exception, NotPossible | click.Abort)
    assert (shop.state, shop.audited) == (CHANGED, [])


def test_confirmed_with_another_id_nothing_is_done(shop: Shop) -> None:
    """What is confirmed must be what is named."""
    with pytest.raises(NotPossible, match=r"^'state-1' is not state-.*; nothing was done$"):
        shop.here.says("restore", shop.backup, "--confirm", "state-1")
    assert (shop.state, shop.audited) == (CHANGED, [])


def test_one_part_alone(shop: Shop) -> None:
    """With --only one part is put back, and the other stays as it is."""
    shop.restore("--only", f"sqlite:{shop.database}")
    assert shop.state == ("A=2\n", [1, 2])
    with pytest.raises(NotFound, match=rf"has no part paths:/etc; it has sqlite:{shop.database}, paths:"):
        shop.restore("--only", "paths:/etc")


def test_backup_that_was_changed_is_not_put_back(shop: Shop) -> None:
    """It is read back first; one that is not what was written is not used, and nothing is touched."""
    file = shop.here.root / "backups" / shop.backup / "paths" / "1" / "shared" / "settings.env"
    file.write_text("A=3\n")
    for options in ((), ("--dry-run",)):
        with pytest.raises(BackupError, match=r'"paths/1/shared/settings.env" is not what was written'):
            shop.restore(*options)
    assert (shop.state, shop.latch, shop.audited) == (CHANGED, None, [])


def test_while_a_run_is_under_way_nothing_is_put_back(shop: Shop) -> None:
    """Two hands at once would spoil it: refused, with what to do; another deployment's run is in nobody's way."""
    with shop.here.database.write() as tx:
        incidents.request(tx, "qrl", 0.0, Level.FAST, "grace")
    with pytest.raises(NotPossible, match=r"^a run of qrl is under way, and two hands at once spoil it; wait .* deny"):
        shop.restore()
    assert (shop.state, shop.latch, shop.audited) == (CHANGED, None, [])
    with shop.here.database.write() as tx:
        incidents.request(tx, "shop", 0.0, Level.FAST, "grace")


def test_latch_that_is_there_stays(shop: Shop) -> None:
    """Why it was latched before is still what a person has to look at."""
    with shop.here.database.write() as tx:
        deployments.latch(tx, "qrl", 0.0, "the command ended with exit code 3")
    shop.restore()
    assert (shop.state, shop.latch) == (KEPT, "the command ended with exit code 3")


def test_without_a_record_nothing_is_put_back(shop: Shop) -> None:
    """Where it cannot be audited, nothing is touched and nothing is latched."""
    trail = shop.here.root / "logs" / "audit-trail.jsonl"
    trail.rename(trail.with_suffix(".old"))
    trail.mkdir()
    for options in ((), ("--without-backup",)):
        with pytest.raises(AuditError):
            shop.restore(*options)
    assert (shop.state, shop.latch) == (CHANGED, None)


def test_what_is_lost_needs_a_word_more(shop: Shop) -> None:
    """What is no longer there cannot be kept first: that is told, and --without-backup puts it back all the same."""
    shop.database.unlink()
    for log in shop.database.parent.glob("qrl.db-*"):
        log.unlink()
    with pytest.raises(
        RestoreError, match=r"^nothing was done, since what is there now cannot be kept: .*qrl.db: .*No "
    ):
        shop.restore()
    assert ((shop.shared / "settings.env").read_text(), shop.latch) == ("A=2\n", None)

    shop.restore("--without-backup")
    assert shop.state == KEPT


def test_database_that_is_spoilt_is_moved_aside(shop: Shop) -> None:
    """What SQLite can no longer read cannot be written into: a new file takes its place, and the ruins stay."""
    for log in shop.database.parent.glob("qrl.db-*"):
        log.unlink()
    shop.database.write_bytes(b"this is no database " * 500)
    said = shop.restore("--without-backup")
    assert shop.state == KEPT
    (ruins,) = shop.database.parent.glob("qrl.db.before-restore-*")
    assert (ruins.read_bytes()[:7], f"what was there is {ruins}" in said) == (b"this is", True)


def test_services_that_go_on_see_the_restored_rows(shop: Shop) -> None:
    """A program that has the database open, and writes, sees what was put back, and its file is no ruin."""
    over = threading.Event()
    errors: list[Exception] = []

    def serve() -> None:
        with closing(sqlite3.connect(shop.database, timeout=30, isolation_level=None)) as database:
            while not over.wait(0.002):
                try:
                    database.execute("insert into node values (9)")
                    database.execute("delete from node where n = 9")
                except sqlite3.Error as error:
                    errors.append(error)

    service = threading.Thread(target=serve)
    service.start()
    try:
        shop.restore("--only", f"sqlite:{shop.database}")
    finally:
        over.set()
        service.join()
    assert (errors, shop.state) == ([], ("A=2\n", [1, 2]))
    with closing(sqlite3.connect(shop.database)) as database:
        assert database.execute("pragma journal_mode").fetchone() == ("wal",)


def test_part_that_fails_is_told_with_what_was_done(shop: Shop) -> None:
    """The first that fails ends it: which, why, what was put back before it and what is left; it stays latched."""
    moved = shop.shared.parent / "gone" / "shared"
    shop.configure(sqlite=[str(shop.database)])
    directory = shop.here.root / "backups" / shop.backup
    rewrite(directory, str(shop.shared), str(moved))

    with pytest.raises(RestoreError) as told:
        shop.restore("--without-backup")

    assert str(told.value).startswith(f"paths {moved} could not be put back: {moved} is as it was: ")
    assert str(told.value).endswith(f"; sqlite {shop.database} was put back before, nothing is left to do")
    assert (shop.audited[-1], shop.latch) == (("restore:failed", "ada"), f"ada put {shop.backup} back")
    assert shop.state == ("A=2\n", [1, 2])


def rewrite(backup: Path, old: str, new: str) -> None:
    """A backup as it would be, had its path been another."""
    from receiver.backup import manifest

    file = backup / "backup.json"
    file.write_text(file.read_text().replace(f'"{old}"', f'"{new}"'))
    (backup / "MANIFEST.txt").unlink()
    manifest.write(backup)


def test_restore_that_is_killed_leaves_a_latch_and_a_record(shop: Shop) -> None:
    """Ended in the middle, it is known that it was begun, by whom, and nothing else happens until a person looked."""
    world = put_together(load_config(shop.here.config), shop.here.database).current().worlds["qrl"]
    planned = plan(stored.find(shop.here.root / "backups", shop.backup), world.settings.backup, (), world.clock())

    def die(_line: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        put_back(world, planned, "ada", keep_present=False, tell=die)

    assert (shop.audited, shop.latch) == ([("restore", "ada")], f"ada put {shop.backup} back")
    assert shop.state == ("A=2\n", [1, 2]), "the first part was put back as a whole, the second not touched"


def test_configuration_that_has_changed_since_is_told(shop: Shop) -> None:
    """A path that it no longer has goes back to where it was; one that came later is not in the backup."""
    shop.configure(sqlite=[str(shop.database)], paths=["/etc/hostname"])
    said = shop.here.says("restore", shop.backup, "--dry-run")
    assert f"note        paths {shop.shared} is no longer in the configuration; it goes back to where it was" in said
    assert "note        paths /etc/hostname is in the configuration and not in this backup" in said


def test_deployment_that_is_gone_is_told(shop: Shop) -> None:
    """The configuration must have the deployment, since it says how to reach what is put back."""
    del shop.here.content["deployments"]["qrl"]
    shop.here.config.write_text(json.dumps(shop.here.content))
    with pytest.raises(NotFound, match="is of qrl, which is no longer in "):
        shop.restore()


def test_json_is_only_for_a_dry_run(shop: Shop) -> None:
    """What changes something prints for a person."""
    with pytest.raises(click.UsageError, match="--json prints what --dry-run finds"):
        shop.restore("--json")
