"""Without a complete backup nothing is touched."""

from __future__ import annotations

import time

from receiver.backup.contents import About
from receiver.backup.make import make
from receiver.backup.sources import configured
from receiver.guardrails.backup_created import backup_created
from receiver.guardrails.checklist import refusals
from receiver.model import Refusal
from tests.receiver.guardrails.builders import Surroundings, facts


def test_refuses_without_a_backup_once_it_is_due() -> None:
    """Right before the command there must be one; it alone refuses."""
    assert refusals(facts(backup=None)) == (Refusal("backup_created", "there is no backup"),)


def test_allows_without_a_backup_before_it_is_due() -> None:
    """While the plan is still being guarded, nothing has been backed up yet, and nothing is refused."""
    assert backup_created(facts(backup=None, backup_due=False)) is None


def test_allows_with_a_backup() -> None:
    """A backup that was read back is what it wants."""
    assert backup_created(facts()) is None


def test_unreadable_refuses_even_before_it_is_due() -> None:
    """What cannot be backed up refuses at once, it alone, before a person is asked in vain."""
    said_no = refusals(facts(backup=None, backup_due=False, backup_unknown="qrl.db: cannot be read"))
    assert said_no == (Refusal("backup_created", "qrl.db: cannot be read"),)


def test_source_that_is_gone_refuses(surroundings: Surroundings) -> None:
    """A configured source that cannot be read is found before anything is done."""
    assert refusals(surroundings.read()) == ()
    surroundings.precious.unlink()
    [refusal] = refusals(surroundings.read())
    expected = f"{surroundings.precious}: cannot be read for the backup: No such file or directory"
    assert refusal == Refusal("backup_created", expected)


def test_backup_that_was_changed_since_refuses(surroundings: Surroundings) -> None:
    """The backup is compared with its manifest again right before the command, and one changed byte refuses."""
    world = surroundings.world
    about = About("qrl", "run", "ada", time.time(), "r2", None)
    made = make(configured(world.settings.backup), world.config.backups, about)
    assert refusals(surroundings.read(made=made, backup_due=True)) == ()
    [copy] = (world.config.backups / made.directory).glob("paths/0/*")
    copy.write_text("to be backed uq")
    [refusal] = refusals(surroundings.read(made=made, backup_due=True))
    expected = f'{made.directory}: "{copy.relative_to(made.directory)}" is not what was written'
    assert refusal == Refusal("backup_created", expected)
