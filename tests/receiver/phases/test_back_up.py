"""Without a complete backup nothing is touched, and it is said why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from receiver.backup.contents import About
from receiver.backup.make import PARTIAL, make
from receiver.backup.manifest import read_back
from receiver.backup.retention import superfluous
from receiver.backup.stored import all_in
from receiver.journal import runs
from receiver.journal.views import View
from tests.receiver.agent import Agent
from tests.receiver.surroundings import BAD, GOOD

REPOSITORY = Path(__file__).parents[3]
MakeAgent = Callable[..., Agent]

PLAYED = """
import json, sys
from pathlib import Path
from tests.receiver.agent import Agent
from tests.receiver.phases.test_back_up import what_became_of_it
agent = Agent(Path(sys.argv[1]), qrl={"backup": {"paths": [sys.argv[2]]}})
run = agent.go()
print(json.dumps(what_became_of_it(agent, run)))
"""


def what_became_of_it(agent: Agent, run: View) -> dict[str, object]:
    """What a test asks after a run: how it ended and why, what was done, what is left."""
    return {
        "result": run["result"],
        "refused": {one["guardrail"]: one["reason"] for one in run["refusals"]},
        "executed": agent.executed(),
        "latch": agent.latch(),
        "escalated": agent.escalated(),
        "left": sorted(path.name for path in agent.config.backups.glob("*")) if agent.config.backups.exists() else [],
    }


def require_refused(found: dict[str, object], why: str) -> None:
    """Refused by the backup alone, with this reason, and nothing was touched or left."""
    refused = found["refused"]
    assert isinstance(refused, dict)
    assert list(refused) == ["backup_created"]
    assert why in refused["backup_created"]
    assert found == {
        "result": "refused", "refused": refused, "executed": [], "latch": None,
        "escalated": ["safety_check_failed"], "left": [],
    }  # fmt: skip


def test_what_a_run_keeps(make_agent: MakeAgent, tmp_path: Path) -> None:
    """The plan with its hash, the configuration, what was live, and the files, in a backup that reads back."""
    (tmp_path / "precious").write_text("to be kept")
    agent = make_agent(qrl={"backup": {"paths": [str(tmp_path / "precious")]}})

    run = agent.go()

    directory = Path(run["backup"]["directory"])
    about = json.loads((directory / "backup.json").read_text())["about"]
    assert (run["result"], read_back(directory).files) == ("restored", run["backup"]["files"])
    assert json.loads((directory / "plan.json").read_text())["hash"] == run["plan"]["hash"]
    assert json.loads((directory / "configuration.json").read_text())["deployments"]["qrl"]["backup"]["paths"]
    assert (about["deployment"], about["id"], about["live_release"]) == ("qrl", run["id"], BAD)
    assert agent.executed() == [GOOD]


def test_link_out_of_the_tree_refuses(make_agent: MakeAgent, tmp_path: Path) -> None:
    """A link that leads out of a directory that is to be kept refuses before anybody is asked."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "link").symlink_to("/etc/passwd")
    agent = make_agent(qrl={"backup": {"paths": [str(tmp_path / "kept")]}})

    require_refused(what_became_of_it(agent, agent.go()), f"{tmp_path}/kept/link is a link that leads out of")


def test_file_that_keeps_changing_refuses(make_agent: MakeAgent, tmp_path: Path) -> None:
    """A file that is written all the time is no backup, and the rollback does not go on without it."""
    (tmp_path / "kept").mkdir()
    for number in range(200):
        (tmp_path / "kept" / str(number)).touch()
    agent = make_agent(qrl={"backup": {"paths": [str(tmp_path / "kept")]}})
    over = threading.Event()

    def write() -> None:
        while not over.wait(0.0005):
            (tmp_path / "kept" / "log").write_text(os.urandom(4).hex())

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = what_became_of_it(agent, agent.go())
    finally:
        over.set()
        writer.join()

    require_refused(found, f"{tmp_path}/kept/log changed while it was copied, 3 times")


def test_dump_that_is_cut_off_in_silence_refuses(make_agent: MakeAgent, tmp_path: Path, shop: Path) -> None:
    """A dump that ends well, but lacks its end, is no backup."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pg_dump").write_text(
        '#!/bin/sh\npg_dump "$@" || exit\n'
        'for one; do case "$one" in --file=*) truncate -s -2000 "${one#--file=}";; esac; done\n'
    )
    (programs / "pg_restore").symlink_to("/usr/bin/pg_restore")
    (programs / "pg_dump").chmod(0o755)
    agent = make_agent(qrl={"backup": {"postgresql": {"shop": {"url_file": str(shop), "programs": str(programs)}}}})

    require_refused(what_became_of_it(agent, agent.go()), "pg_restore ended with exit code 1: ")


def test_whole_dump_lets_the_rollback_go_on(make_agent: MakeAgent, shop: Path) -> None:
    """The same with nothing cut off: so it is the cut that refuses above."""
    agent = make_agent(qrl={"backup": {"postgresql": {"shop": {"url_file": str(shop)}}}})

    assert agent.go()["result"] == "restored"


@pytest.mark.parametrize(
    ("mounted", "why"),
    [("size=1m", "No space left on device"), ("ro", "Read-only file system")],
    ids=["full disk", "read-only directory"],
)
def test_where_it_cannot_be_written_refuses(tmp_path: Path, mounted: str, why: str) -> None:
    """On a real file system that runs full, or is read-only, there is no backup and no rollback."""
    (tmp_path / "large").write_bytes(b"x" * (2 << 20))
    backups = tmp_path / "root" / "backups"
    backups.mkdir(parents=True)
    mount = f"mount -t tmpfs -o {mounted} none {backups}"
    in_private = ["unshare", "--mount", "sh", "-c"]
    try:
        subprocess.run([*in_private, mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system of one's own needs root and unshare(1)")
    play = (sys.executable, "-c", PLAYED, tmp_path / "root", tmp_path / "large")
    done = subprocess.run(
        [*in_private, f'{mount} && exec "$0" "$@"', *play],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    require_refused(json.loads(done.stdout.splitlines()[-1]), why)


def test_old_backups_go_once_there_is_a_new_one(make_agent: MakeAgent, tmp_path: Path) -> None:
    """A run removes what is beyond the count, says so in the audit trail, and keeps its own and those of others."""
    agent = make_agent(qrl={"backup": {"keep": {"count": 1}}})
    for name, deployment in (("one", "qrl"), ("two", "qrl"), ("shop", "shop")):
        make((), agent.config.backups, About(deployment, name, "ada", agent.clock() - 1000, None, None))

    with capture_logs() as log:
        run = agent.go()

    left = {path.name.rpartition("-")[2] for path in agent.config.backups.iterdir()}
    removed = [one for one in agent.audit_records() if one["decision"] == "backup:removed"]
    assert (run["result"], left) == ("restored", {run["id"], "shop"})
    assert sorted(one["reasoning"].split()[0].rpartition("-")[2] for one in removed) == ["one", "two"]
    assert {(one["deployment"], one["run"]) for one in removed} == {("qrl", run["id"])}
    told = [line["backup"].rpartition("-")[2] for line in log if line["event"] == "a backup was removed"]
    assert sorted(told) == ["one", "two"]


def test_backup_of_an_open_incident_stays(make_agent: MakeAgent) -> None:
    """The backup of a run whose incident is still open is not removed, however many come after it."""
    agent = make_agent(qrl={"backup": {"keep": {"count": 1}}}, guardrails={"disk_space": {"minimum_bytes": 0}})
    agent.prometheus.when_asked = lambda _question: None
    first = agent.go()
    make((), agent.config.backups, About("qrl", "other", "ada", agent.clock() - 1000, None, None))
    about = About("qrl", "later", "ada", agent.clock() + 1000, None, None)
    newest = make((), agent.config.backups, about)
    with agent.database.read() as tx:
        needed = runs.of_open_incidents(tx)

    gone = superfluous(
        all_in(agent.config.backups), "qrl", agent.world.settings.backup.keep, needed, Path(newest.directory), 0.0
    )

    assert first["id"] in needed
    assert [one.id.rpartition("-")[2] for one in gone] == ["other"]


def test_old_backups_that_cannot_be_removed_stop_nothing(make_agent: MakeAgent) -> None:
    """The new backup is there, so the rollback goes on; the log tells of it."""
    agent = make_agent(qrl={"backup": {"keep": {"count": 1}}})
    old = make((), agent.config.backups, About("qrl", "one", "ada", agent.clock() - 1000, None, None))
    (agent.config.backups / f".removing-{Path(old.directory).name}").write_text("in the way")

    with capture_logs() as log:
        assert agent.go()["result"] == "restored"
    assert Path(old.directory).is_dir()
    (told,) = [line for line in log if line["event"] == "old backups cannot be removed"]
    assert (told["log_level"], "Not a directory" in told["error"]) == ("warning", True)


def test_backup_that_somebody_puts_back_is_not_removed(make_agent: MakeAgent) -> None:
    """It stays until they have done, and the next one goes."""
    agent = make_agent(qrl={"backup": {"keep": {"count": 1}}})
    for age, name in ((2000, "one"), (1000, "two")):
        make((), agent.config.backups, About("qrl", name, "ada", agent.clock() - age, None, None))
    (held,) = [one for one in all_in(agent.config.backups) if one.id.endswith("-one")]
    with held.held():
        run = agent.go()

    left = {path.name.rpartition("-")[2] for path in agent.config.backups.iterdir()}
    assert left == {"one", run["id"]}


def test_old_backups_go_by_age_and_so_do_remains(make_agent: MakeAgent) -> None:
    """What is older than is kept goes, and what an end of the agent in the middle of a backup left behind."""
    agent = make_agent(qrl={"backup": {"keep": {"count": 9, "age": "1h"}}})
    for age, name in ((3700, "old"), (3500, "young")):
        make((), agent.config.backups, About("qrl", name, "ada", agent.clock() - age, None, None))
    remains = agent.config.backups / f"{PARTIAL}remains"
    remains.mkdir()
    long_ago = agent.clock() - 86500
    os.utime(remains, (long_ago, long_ago))

    run = agent.go()

    left = {path.name.rpartition("-")[2] for path in agent.config.backups.iterdir()}
    assert left == {"young", run["id"]}


def test_the_newest_backup_stays_although_it_is_said_to_be_old(make_agent: MakeAgent) -> None:
    """The one that was just made is never removed, whatever a clock says."""
    agent = make_agent(qrl={"backup": {"keep": {"count": 1}}})
    make((), agent.config.backups, About("qrl", "later", "ada", agent.clock() + 1000, None, None))

    run = agent.go()

    assert Path(run["backup"]["directory"]).is_dir()
