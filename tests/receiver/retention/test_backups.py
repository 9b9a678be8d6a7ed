"""Backups beyond their limits go without a new one being made, and never what somebody may want to put back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from receiver.backup.contents import About
from receiver.backup.make import make
from receiver.backup.sources import configured
from receiver.backup.stored import find
from receiver.config import Config
from receiver.errors import BackupError
from receiver.journal import tables
from receiver.retention.backups import backups
from receiver.retention.store import Store
from tests.receiver.backup.kept import names_in
from tests.receiver.journal.histories import Told, write
from tests.receiver.retention.stores import DAY
from tests.receiver.surroundings import configuration


@pytest.fixture
def keeps_two(store: Store, tmp_path: Path) -> Store:
    """Of `qrl`, which backs a file up, two backups are kept, none older than thirty days."""
    file = tmp_path / "data" / "file"
    file.parent.mkdir()
    file.write_text("x" * 100)
    backup = {"paths": [str(file)], "keep": {"count": 2, "age": "30d"}}
    return replace(store, config=configured_with(store, backup))


def configured_with(store: Store, backup: dict[str, object]) -> Config:
    """The configuration, with another section `backup` of qrl."""
    return configuration(store.config.root, qrl={"backup": backup}, retention={"reports": {"bytes": 1_000_000}})


def made(store: Store, run: str, days: float, deployment: str = "qrl") -> str:
    """A backup of then; its id."""
    settings = store.config.deployments["qrl"].backup
    about = About(deployment, run, "rollback-agent", store.clock() - days * DAY, "r2", None)
    return Path(make(configured(settings), store.config.backups, about).directory).name


def test_those_beyond_count_and_age_go_on_the_record(keeps_two: Store) -> None:
    """The newest stays however old it is; a dry run only tells."""
    ids = [made(keeps_two, f"run{days}", days) for days in (40, 35, 20, 10)]

    told = list(backups(keeps_two, True))
    assert names_in(keeps_two.config.backups) == sorted(ids)
    assert list(backups(keeps_two, False)) == told == ids[:2]

    assert names_in(keeps_two.config.backups) == sorted(ids[2:])
    assert keeps_two.audit.files.active.read_text().count('"backup:removed"') == 2
    later = replace(keeps_two, clock=lambda: 9e9)
    assert list(backups(later, False)) == [ids[2]]
    assert list(backups(later, False)) == []


def test_too_large_together_the_oldest_go(keeps_two: Store) -> None:
    """With `bytes`, as many of the newest are kept as fit, and one in any case."""
    big = keeps_two.config.deployments["qrl"].backup.paths[0]
    big.write_bytes(b"x" * 600_000)
    config = configured_with(keeps_two, {"paths": [str(big)], "keep": {"bytes": 1_000_000}})
    store = replace(keeps_two, config=config)
    ids = [made(store, f"run{days}", days) for days in (3, 2, 1)]
    assert list(backups(store, False)) == ids[:2]


def test_that_of_a_run_that_is_needed_stays(keeps_two: Store) -> None:
    """An incident that is open may name it."""
    write(keeps_two.database, Told(days=40, closed=False, run={"id": "run40"}))
    ids = [made(keeps_two, f"run{days}", days) for days in (40, 35, 20, 10)]
    assert list(backups(keeps_two, False)) == [ids[1]]


def test_none_goes_while_one_is_put_back(keeps_two: Store) -> None:
    """The deployment is latched then; and the one that is read is held before that."""
    ids = [made(keeps_two, f"run{days}", days) for days in (40, 35, 10)]
    with find(keeps_two.config.backups, ids[0]).held():
        assert list(backups(keeps_two, False)) == [ids[1]]
    with keeps_two.database.write() as tx:
        tx.execute(sa.insert(tables.deployment).values(name="qrl", locked=1, latched_at=1.0, latch_reason="restore"))
    assert list(backups(keeps_two, False)) == []
    with keeps_two.database.write() as tx:
        tx.execute(sa.delete(tables.deployment))
    assert list(backups(keeps_two, False)) == [ids[0]]


def test_none_goes_while_a_run_is_under_way(keeps_two: Store) -> None:
    """It may be making one, and removes what is superfluous itself."""
    for days in (40, 35, 10):
        made(keeps_two, f"run{days}", days)
    write(keeps_two.database, Told(days=0, closed=False, run={"state": "waiting", "finished_at": None}))
    assert list(backups(keeps_two, False)) == []


def test_none_goes_where_the_newest_is_not_whole(keeps_two: Store) -> None:
    """Then an older one may be the only one that can be put back."""
    ids = [made(keeps_two, f"run{days}", days) for days in (40, 35, 10)]
    (spoilt,) = (path for path in (keeps_two.config.backups / ids[2]).rglob("file") if path.is_file())
    spoilt.chmod(0o600)
    spoilt.write_text("another")
    with pytest.raises(BackupError):
        list(backups(keeps_two, False))
    assert names_in(keeps_two.config.backups) == sorted(ids)


def test_one_that_is_not_whole_keeps_those_of_others(keeps_two: Store) -> None:
    """What is wrong with the backups of one deployment is told once those of all others had their turn."""
    qrl = keeps_two.config.deployments["qrl"]
    both = keeps_two.config.model_copy(update={"deployments": {"qrl": qrl, "shop": qrl}})
    store = replace(keeps_two, config=both)
    whole = [made(store, f"shop{days}", days, "shop") for days in (40, 35, 10)]
    spoilt = [made(store, f"qrl{days}", days) for days in (40, 35, 10)]
    (file,) = (path for path in (store.config.backups / spoilt[2]).rglob("file") if path.is_file())
    file.chmod(0o600)
    file.write_text("another")
    gone: list[str] = []
    with pytest.raises(BackupError, match=r"^qrl: "):
        gone.extend(backups(store, False))
    assert gone == whole[:2]
    assert names_in(store.config.backups) == sorted([*spoilt, whole[2]])
