"""An answer that is lost on its way: what was asked for has happened, is asked for again, and happens once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
import yaml

from receiver.journal import tables
from receiver.journal.database import Database, sqlite_url
from tests.acceptance.people import PASSWORD, web_section
from tests.acceptance.stand import BAD, GOOD, OPERATOR, Stand, stand
from tests.acceptance.test_journal_in_postgresql import journal_in
from tests.postgres import Postgres, through
from tests.wire import wire

LONG = 60.0


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[tuple[Stand, str, str]]:
    """A stand in which a person is asked, with the incident and the plan's hash."""
    with stand(tmp_path, autonomy="L3", web=web_section(tmp_path, ada="operator")) as here:
        here.go_wrong()
        plan = here.await_run(state="waiting")["plan"]["hash"]
        yield here, here.incidents()[0]["id"], plan


def to_agent(here: Stand) -> tuple[str, int]:
    return ("127.0.0.1", here.ports["agent"])


def was_restored_once(here: Stand, by: str) -> bool:
    """The rollback that was approved has been done, and the approval counts once."""
    assert here.await_run(timeout=LONG)["result"] == "restored"
    return (approvals(here), here.live(), here.restarts(), len(here.runs())) == ([by], GOOD, 1, 1)


def approvals(here: Stand) -> list[str]:
    """Who has approved, as the audit trail has it."""
    return [str(record["actor"]) for record in here.audit() if record["decision"] == "approved"]


def test_alertmanager_hears_nothing_of_what_was_stored(tmp_path: Path) -> None:
    """It sends the notification again, which is stored as well, and there is one run."""
    with stand(tmp_path) as here, wire(to_agent(here)) as way:
        direct, here.url = here.url, f"http://127.0.0.1:{way.port}"
        here.start_alertmanager("http://127.0.0.1:1/nobody")
        here.url = direct
        here.start_prometheus(alertmanager=True)
        here.start_agent()
        here.await_good()

        way.cut_after(b'"branch":"service_down"')
        here.ship(BAD)

        assert here.await_run(timeout=LONG)["result"] == "restored"
        assert (way.cuts, here.restarts(), len(here.runs())) == (1, 1, 1)
        here.eventually(lambda: notified(here) >= 2, LONG)


def notified(here: Stand) -> int:
    """How many notifications of the branch were stored."""
    journal = Database(sqlite_url(here.root / "state.db"))
    with journal.read() as tx:
        found = [row.alerts for row in tx.execute(sa.select(tables.notification))]
    journal.close()
    return len([alerts for alerts in found if "service_down" in str(alerts)])


def test_an_approval_over_http_is_stored_and_its_answer_lost(asked: tuple[Stand, str, str]) -> None:
    """Whoever approves once more hears that it is decided, and by whom."""
    here, incident, plan = asked
    with wire(to_agent(here)) as way:
        url = f"http://127.0.0.1:{way.port}/api/v1/incidents/{incident}/decision"
        sent = {"json": {"decision": "approve", "plan": plan}, "headers": {"Authorization": f"Bearer {OPERATOR}"}}
        way.cut_after(plan.encode())
        with pytest.raises(requests.ConnectionError):
            requests.post(url, timeout=30, **sent)
        assert was_restored_once(here, "operator")
        again = requests.post(url, timeout=30, **sent)

        assert (way.cuts, again.status_code) == (1, 409)
        assert here.restarts() == 1


def test_an_approval_on_the_page_is_stored_and_its_answer_lost(asked: tuple[Stand, str, str]) -> None:
    """Whoever loads the page again and approves once more reads that it is decided."""
    here, incident, plan = asked
    with wire(to_agent(here)) as way, requests.Session() as browser:
        url = f"http://127.0.0.1:{way.port}"

        def submit(path: str, **fields: str) -> requests.Response:
            form = {"csrf_token": token(browser.get(f"{url}{path}", timeout=30).text), **fields}
            action = f"{url}{path}" if "name" in fields else f"{url}/incidents/{incident}/approve"
            return browser.post(action, data=form, headers={"Origin": url}, timeout=30)

        page = submit("/login", name="ada", password=PASSWORD)
        assert page.ok
        way.cut_after(plan.encode())
        with pytest.raises(requests.ConnectionError):
            submit(f"/incidents/{incident}", plan=plan, password=PASSWORD)
        assert was_restored_once(here, "ada")
        again = submit(f"/incidents/{incident}", plan=plan, password=PASSWORD)

        assert way.cuts == 1
        assert "nothing was done" in again.text.lower(), again.text
        assert here.restarts() == 1


def token(page: str) -> str:
    """The token that each form of the page carries."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, page
    return found[1]


def test_an_approval_on_the_command_line_is_stored_and_its_answer_lost(tmp_path: Path, postgres: Postgres) -> None:
    """The command says that the journal failed; given once more it says that it is decided."""
    url = postgres.new_database()
    with stand(tmp_path, autonomy="L3", journal=journal_in(tmp_path, url)) as here, wire(postgres.socket) as way:
        here.go_wrong()
        plan, incident = here.await_run(state="waiting")["plan"]["hash"], here.incidents()[0]["id"]
        command = ("approve", incident, "--plan", plan[:8], "--as", "ada")
        aside = tmp_path / "aside"
        aside.mkdir()
        ways = {"journal": journal_in(aside, through(url, way.port))}
        here.config = aside / "agent.yml"  # for the commands alone
        here.config.write_text(yaml.safe_dump(yaml.safe_load((tmp_path / "agent.yml").read_text()) | ways))

        for nth in range(1, 10):  # whichever commit it is, of those of one command
            way.cut_after(b"COMMIT", nth)
            here.command(*command, code=1)
            if approvals(here):
                break
        assert was_restored_once(here, "ada")
        assert "approved by ada" in here.command(*command, code=1)
        assert here.restarts() == 1
