"""What the pages show, and that what comes from outside stays text on them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from receiver.errors import TargetError
from receiver.journal import approvals, deployments, escalations, hotfixes, releases, tables
from receiver.journal.approvals import ApprovalState
from receiver.model import EscalationReason
from tests.receiver.agent import Agent
from tests.receiver.journal.histories import remembered
from tests.receiver.surroundings import BAD, GOOD, branch
from tests.receiver.web.served import Page, plain, served

HOSTILE = "<script>alert(1)</script>{{7*7}}{% raw %}<img src=x onerror=alert(2)> https://evil.example [a](javascript:1)"


def links(html: str) -> list[str]:
    """Where a page leads to."""
    return [unescape(one) for one in re.findall(r'(?:href|src|action|formaction)="([^"]*)"', html)]


def test_the_first_page_says_what_waits_and_how_all_stands(page: Page, incident: str) -> None:
    """The plan that waits comes first, then the deployment with its release, level and budget, then the incident."""
    answer = page.visitor("carol").get("/")
    shown = plain(answer.text)
    order = ("Waiting for a person", "Roll qrl back?", f"{BAD} to → {GOOD}", "Deployments", "Incidents", incident)
    places = [shown.index(part) for part in order]
    assert places == sorted(places)
    for part in ("expires in", "autonomy L3", "3 of 3 rollbacks left", "service down", "waits for approval"):
        assert part in shown
    assert f"/incidents/{incident}" in links(answer.text)


def test_when_nothing_waits_it_says_so(page: Page) -> None:
    """A quiet night is told in a sentence, not by an empty page."""
    shown = page.visitor("carol").text("/")
    assert "Nothing waits for a person." in shown
    assert "None so far." in shown


def test_what_stops_every_rollback_stands_on_every_page(page: Page, incident: str) -> None:
    """The kill switch and a missing Watchdog are told above all else."""
    page.agent.config.kill_switch.touch()
    page.agent.clock.advance(400)
    visitor = page.visitor("carol")
    for path in ("/", f"/incidents/{incident}", "/deployments/qrl"):
        shown = visitor.text(path)
        assert "The kill switch is on: nothing is rolled back." in shown
        assert "No Watchdog for 6 min" in shown


def test_a_kill_switch_that_cannot_be_looked_at_stands_on_every_page(page: Page, incident: str) -> None:
    """It is neither on nor off, and why that is not known is told."""
    page.agent.config.kill_switch.symlink_to("kill-switch")  # a loop
    visitor = page.visitor("alice")
    for path in ("/", f"/incidents/{incident}", "/deployments/qrl"):
        shown = " ".join(visitor.text(path).split())
        assert "It is not known whether the kill switch is on: nothing is rolled back; " in shown
        assert "kill-switch cannot be looked at" in shown
        assert "It is off." not in shown


def test_an_incident_shows_what_a_person_needs_to_decide(page: Page, incident: str) -> None:
    """The branch, every fact with its value, the whole plan with its hash, and how long there is to answer."""
    shown = page.visitor("alice").text(f"/incidents/{incident}")
    plan = page.agent.run()["plan"]
    for part in (
        "ServiceDown fires in Prometheus (rank 1)", "confidence 0.99",
        "deployment:availability:ratio 25%", "service:availability:ratio flask 100%",
        plan["live_commit"], plan["target_commit"], plan["hash"], f"Approve plan {plan['hash'][:8]}",
        plan["command"][0], "within 10 s", "in 14 min", "silence is not consent", "no guardrail refuses",
    ):  # fmt: skip
        assert part in shown, part


def test_each_fact_leads_to_its_query_in_prometheus(page: Page, incident: str) -> None:
    """The link is to the configured Prometheus, with the query that gives this series of this deployment."""
    found = links(page.visitor("carol").get(f"/incidents/{incident}").text)
    graphs = [urlsplit(one) for one in found if "/graph?" in one]
    assert {f"{one.scheme}://{one.netloc}{one.path}" for one in graphs} == {"http://127.0.0.1:1/graph"}
    assert [parse_qs(one.query)["g0.expr"][0] for one in graphs] == [
        'ALERTS{deployment="qrl",branch="service_down"}',
        'deployment:availability:ratio{deployment="qrl"}',
        'deployment:beyond_threshold:bool{deployment="qrl"}',
        'service:availability:ratio{deployment="qrl",service="flask"}',
    ]


def test_the_links_take_the_address_that_people_use(make_agent: Callable[..., Agent], tmp_path: Path) -> None:
    """prometheus.external_url goes before the address at which the agent itself asks."""
    addresses = {"url": "http://127.0.0.1:1", "external_url": "https://prometheus.example/prom"}
    with served(make_agent(autonomy="L3", prometheus=addresses), tmp_path) as page:
        page.agent.go()
        found = links(page.visitor("carol").get(f"/incidents/{page.incident()}").text)
        graphs = [one for one in found if "/graph?" in one]
        assert len(graphs) == 4
        assert all(one.startswith("https://prometheus.example/prom/graph?") for one in graphs)


def test_a_restored_incident_shows_its_report_and_its_verification(
    make_agent: Callable[..., Agent], tmp_path: Path
) -> None:
    """How it ended, the facts before and after, the timeline with its phases, the report as it was written."""
    with served(make_agent(), tmp_path) as page:
        page.agent.go()
        assert page.agent.run()["result"] == "restored"
        shown = page.visitor("carol").text(f"/incidents/{page.incident()}")
    for part in (
        "✓ restored", "Verified", "deployment:availability:ratio 25% 100% 100%", "Verdict restored", "Exit code 0",
        "read back", "execute", "verify", "run ended: restored", "incident closed", "# Automated Rollback Incident",
    ):  # fmt: skip
        assert part in shown, part


def test_a_report_that_is_gone_is_told_and_no_other_file_is_read(
    make_agent: Callable[..., Agent], tmp_path: Path
) -> None:
    """Only the reports' own directory is read, whatever path the journal holds."""
    with served(make_agent(), tmp_path) as page:
        page.agent.go()
        visitor, path = page.visitor("carol"), f"/incidents/{page.incident()}"
        Path(page.agent.run()["report"]).unlink()
        assert "is not there any more; reports are kept as long as `retention.reports` says." in visitor.text(path)
        secret = tmp_path / "secret"
        secret.write_text("nobody may read this")
        with page.agent.database.write() as tx:
            tx.execute(tables.run.update().values(report=str(secret)))
        shown = visitor.text(path)
        assert f"It lies at {secret}." in shown
        assert "nobody may read this" not in shown


def test_a_refusal_says_who_why_and_when_to_ask_again(make_agent: Callable[..., Agent], tmp_path: Path) -> None:
    """The guardrail, its reason, and the moment from which it is worth asking again."""
    with served(make_agent(), tmp_path) as page:
        page.agent.go()
        page.agent.target.ship(BAD)
        page.agent.prometheus.firing = (branch(),)
        with page.agent.database.write() as tx:
            releases.seen(tx, "qrl", (), page.agent.clock())
            tx.execute(tables.release.update().values(held_at=None))
            releases.set_good(tx, "qrl", GOOD, page.agent.clock())
        page.agent.go()
        shown = page.visitor("carol").text(f"/incidents/{page.incident()}")
    assert "cooldown: " in shown
    assert "Worth asking again from 20" in shown
    assert "A person is needed: limit reached" in shown or "A person is needed: safety check failed" in shown


def test_what_comes_from_outside_stays_text(page: Page) -> None:
    """Markup, templates and addresses in alerts, comments and reasons are shown as they are, and lead nowhere (T6,
    T7).
    """
    agent = page.agent
    agent.prometheus.firing = (branch(HOSTILE, alert=HOSTILE, service=HOSTILE),)
    agent.prometheus.health = {HOSTILE: (0.0,)}
    agent.go()
    incident = page.incident()
    with agent.database.write() as tx:
        escalations.open_one(tx, "qrl", EscalationReason.UNKNOWN_PATTERN, HOSTILE, agent.clock(), incident=incident)
        deployments.latch(tx, "qrl", agent.clock(), HOSTILE)
        hotfixes.start(tx, "qrl", agent.clock(), 600, HOSTILE, HOSTILE)
        releases.deploy_started(tx, "qrl", "r3", agent.clock(), commit=HOSTILE, author=HOSTILE)
    visitor = page.visitor("alice")
    approvals_url = f"/incidents/{incident}"
    visitor.after(approvals_url, f"/incidents/{incident}/deny", comment=HOSTILE)
    agent.target.error = TargetError(HOSTILE)

    for path in ("/", approvals_url, "/deployments/qrl"):
        html = visitor.get(path).text
        assert "{{7*7}}{% raw %}" in unescape(html), path
        for raw in ("<script>alert", "<img", "javascript:1)</a>"):
            assert raw not in html, path
        assert not [link for link in links(html) if "evil" in link and not link.startswith("http://127.0.0.1:1/graph?")]
        assert html.count("<script") == 1


def test_a_deployment_shows_its_releases_and_what_holds_it(page: Page) -> None:
    """Which release is live, which are good and held, the latch, the hotfix and the deploy under way."""
    agent = page.agent
    with agent.database.write() as tx:
        now = agent.clock()
        deployments.latch(tx, "qrl", now, "the verification failed")
        releases.set_live(tx, "qrl", BAD, now - 300)
        releases.hold(tx, "qrl", "r0", now, "5c2e73c0")
        releases.seen(tx, "qrl", (replace(agent.target.live(), id="r0"),), now)
        releases.hold(tx, "qrl", "r0", now, "5c2e73c0")
        releases.deploy_started(tx, "qrl", "r3", now - 60, commit=None, author="ada")
        hotfixes.start(tx, "qrl", now, 600, "bob", "flag off")
    shown = page.visitor("alice").text("/deployments/qrl")
    for part in (
        "▲ latched", "the verification failed", f"{BAD} ◆ live", f"{GOOD} ✓ good", "r0 ■ held",
        "r3 under way since 1 min ago", "by ada", "running, by bob, due in 9 min: flag off",
        "Let r0 be deployed again", "L3: also rolls back, after a person has confirmed the plan",
    ):  # fmt: skip
        assert part in shown, part


def test_a_viewer_is_shown_no_form_but_the_one_to_leave(page: Page, incident: str) -> None:
    """Who may only look is not shown what would be refused."""
    visitor = page.visitor("carol")
    for path in ("/", f"/incidents/{incident}", "/deployments/qrl"):
        assert re.findall(r'<form[^>]* action="([^"]+)"', visitor.get(path).text) == ["/logout"]
    assert "You can look, but not answer: your role is viewer." in visitor.text(f"/incidents/{incident}")


def test_what_is_not_there_is_said_on_a_page(page: Page) -> None:
    """An unknown incident or deployment is 404 with its name and a way on."""
    visitor = page.visitor("carol")
    for path, sentence in (("/incidents/12345678", "no incident 12345678"), ("/deployments/x", "no deployment x")):
        answer = visitor.get(path)
        assert (answer.status_code, sentence in plain(answer.text)) == (404, True)
        assert "/" in links(answer.text)


def test_what_was_removed_is_said_on_a_page(page: Page) -> None:
    """A removed incident, and a chart of it, is 410 with the moment when it was removed and a way on."""
    remembered(page.agent.database, None)
    visitor = page.visitor("carol")
    for path in ("/incidents/0ld", "/incidents/0ld/runs/run0/chart.svg"):
        answer = visitor.get(path)
        told = "Incident 0ld of qrl," in plain(answer.text) and "was removed from the journal at" in plain(answer.text)
        assert (answer.status_code, told) == (410, True)
        assert "/" in links(answer.text)


def test_a_journal_that_fails_is_told_on_a_page(page: Page) -> None:
    """When the journal cannot be read, the page says so instead of showing nothing, without asking it again."""
    visitor = page.visitor("carol")
    with page.agent.database.write() as tx:
        tx.exec_driver_sql("alter table incident rename to gone")
    answer = visitor.get("/")
    assert answer.status_code == 503
    assert "The journal cannot be used at the moment." in plain(answer.text)
    with page.agent.database.write() as tx:
        tx.exec_driver_sql("alter table session rename to gone_too")
    assert visitor.get("/").status_code == 503


def test_a_plan_that_two_must_approve_says_how_many_have(page: Page, incident: str) -> None:
    """Beside the question stands who has approved already."""
    with page.agent.database.write() as tx:
        approval = approvals.of_run(tx, page.agent.run()["id"])
        assert approval is not None
        tx.execute(tables.approval.update().values(need=2))
        row = {"approval": approval.id, "person": "bob", "voted_at": 1.0, "via": "page", "comment": None}
        tx.execute(tables.vote.insert().values(row))
    assert "1 of 2 have approved: bob" in page.visitor("alice").text(f"/incidents/{incident}")


def test_how_far_a_run_is_stands_above_what_it_found(make_agent: Callable[..., Agent], tmp_path: Path) -> None:
    """Phase, times and what is waited for, as long as it goes on; while a person is asked the question says it all."""
    with served(make_agent(autonomy="L3"), tmp_path) as page:
        page.agent.go()
        visitor = page.visitor("carol")
        assert "the run for" not in visitor.text(f"/incidents/{page.incident()}")

        page.agent.prometheus.health = {}
        page.agent.decide(ApprovalState.APPROVED)
        page.agent.work()
        shown = visitor.text(f"/incidents/{page.incident()}")

    assert re.search(r"verify for \d+ s, the run for \d+ s: no new sample yet of service:availability:ratio", shown)
