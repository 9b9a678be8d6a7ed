"""What the command `doctor` prints, and how it ends."""

from __future__ import annotations

import json
import shutil

from tests.receiver.commands.in_process import run_command
from tests.receiver.commands.journaled import Journaled


def test_the_command_tells_and_ends_with_1(here: Journaled) -> None:
    """Nothing serves here, and neither Prometheus nor Alertmanager is there; as JSON for programs."""
    code, said = run_command("doctor", "--config", here.config)
    assert code == 1
    assert "WRONG  serve: it is not running: nothing is watched\n       to do: start it: " in said
    assert "well   audit trail\n" in said
    assert "WRONG  Watchdog: not known, since serve is wrong\n" in said
    _, as_json = run_command("doctor", "--config", here.config, "--json")
    found = {one["subject"]: one for one in json.loads(as_json)}
    assert found["kill switch"] == {"subject": "kill switch", "wrong": None, "to_do": None, "note": None}
    assert found["serve"]["to_do"].startswith("start it: ")


def test_a_target_without_another_release_is_no_fault_of_the_target(here: Journaled) -> None:
    """There is nothing to roll back to until the live release is good and the next one is there, and that is said."""
    said = here.run("doctor").output
    assert "well   qrl: target\n" in said
    assert (
        "good release to go back to from r1, which is live and has not proved good itself yet\n       to do: wait"
        in said
    )
    shutil.rmtree(here.root.parent / "qrl")
    assert "qrl: target: " in here.run("doctor").output


def test_before_the_agent_has_served_it_looks_all_the_same(here: Journaled) -> None:
    """There is no journal yet, and none is made; what does not need one is told."""
    here.database.close()
    shutil.rmtree(here.root)
    code, said = run_command("doctor", "--config", here.config)
    assert code == 1
    assert (
        f"WRONG  journal: there is no journal at {here.root}/state.db\n       to do: `rollback-agent serve` makes it"
        in said
    )
    assert "WRONG  qrl: good release: not known, since journal is wrong\n" in said
    assert f"well   permissions: {here.root} is not there yet; `rollback-agent serve` makes it\n" in said
    assert f"well   disk: {here.root} is not there yet; {here.root.parent} has room for it\n" in said
    assert not here.root.exists()


def test_a_postgresql_that_cannot_be_reached_does_not_end_it(here: Journaled) -> None:
    """It is one fault among others, and the connection string's secret is not printed."""
    url = here.root / "journal.url"
    url.write_text(f"postgresql://agent:a-password-of-tests@/none?host={here.root}")
    url.chmod(0o600)
    here.config.write_text(json.dumps(here.content | {"journal": {"postgresql": {"url_file": str(url)}}}))
    code, said = run_command("doctor", "--config", here.config)
    assert code == 1
    assert "WRONG  journal: the journal's database failed: " in said
    assert f'psql "$(cat {url})"' in said
    assert "well   disk\n" in said
    assert "WRONG  qrl: latch: not known, since journal is wrong\n" in said
    assert "a-password-of-tests" not in said
