"""A person with a browser, a real agent and a real Prometheus."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from tests.acceptance.people import sign_in, web_section
from tests.acceptance.stand import BAD, GOOD, stand
from tests.chromium import chromium

SOON = 30_000


def test_a_plan_is_approved_on_the_page(tmp_path: Path) -> None:
    """Somebody signs in, sees the facts as Prometheus has them, approves, and watches until it is restored."""
    with stand(tmp_path, autonomy="L3", web=web_section(tmp_path, alice="operator", carol="viewer")) as here:
        here.go_wrong()
        here.await_run(state="waiting")
        with chromium() as browser:
            refused = sign_in(browser.new_context(), here.url, "alice", "wrong")
            expect(refused.get_by_role("alert")).to_contain_text("The name or the password is wrong.")
            viewer = sign_in(browser.new_context(), here.url, "carol")
            viewer.get_by_role("link", name="Look and decide").click()
            expect(viewer.get_by_text("your role is viewer")).to_be_visible()
            expect(viewer.get_by_role("button", name="Approve")).to_have_count(0)

            tab = sign_in(browser.new_context(), here.url, "alice")
            tab.get_by_role("link", name="Look and decide").click()
            fact = tab.get_by_role("link", name="deployment:availability:ratio")
            asked = parse_qs(urlsplit(fact.get_attribute("href") or "").query)["g0.expr"][0]
            assert here.prometheus_says(asked)[0]["value"][1] == "0"
            tab.get_by_label("Comment").fill("the new release is down")
            tab.get_by_role("button", name="Approve plan").click()
            expect(tab.locator("#head .badge")).to_have_text("✓ restored", timeout=SOON)
            expect(viewer.locator("#head .badge")).to_have_text("✓ restored", timeout=SOON)

        assert here.live() == GOOD
        assert here.runs()[0]["approval"]["decided_by"] == "alice"
        record = next(one for one in here.audit() if one["decision"] == "approved")
        assert "alice" in str(record)


def test_while_the_command_runs_its_last_line_stands_on_the_page(tmp_path: Path) -> None:
    """Whoever looks sees the phase, how long it has taken, and what the command says, without doing anything."""
    target = {"releases": {"path": str(tmp_path / "srv"), "restart": [str(tmp_path / "restart.sh")], "timeout": "5m"}}
    web = web_section(tmp_path, carol="viewer")
    with stand(tmp_path, web=web, deployment={"target": target}) as here, chromium() as browser:
        first, second = tmp_path / "first", tmp_path / "second"
        waits = "while [ ! -e {} ]; do sleep 0.1; done\n"
        here.restart.write_text(
            "#!/bin/sh\necho stopping flask\n" + waits.format(first) +
            "echo 'starting <flask>'\n" + waits.format(second)
        )  # fmt: skip
        here.go_wrong()
        here.eventually(lambda: [run["phase"] for run in here.runs()] == ["execute"], 60)
        tab = sign_in(browser.new_context(), here.url, "carol")
        tab.goto(f"{here.url}/incidents/{here.incidents()[0]['id']}")
        lead = tab.locator("#head .lead", has_text="the run for")
        expect(lead.locator("code")).to_have_text("stopping flask", timeout=SOON)
        expect(lead).to_contain_text(re.compile(r"^execute for .+, the run for .+: stopping flask$"))

        first.touch()
        expect(lead.locator("code")).to_have_text("starting <flask>", timeout=SOON)

        second.touch()
        expect(tab.locator("#head .badge")).to_have_text("✓ restored", timeout=SOON)
        expect(lead).to_have_count(0)
        assert here.live() == GOOD


def test_a_plan_is_denied_on_the_page(tmp_path: Path) -> None:
    """Denied, nothing is touched, and the deployment's page shows the latch until somebody clears it."""
    with stand(tmp_path, autonomy="L3", web=web_section(tmp_path, bob="operator")) as here:
        here.go_wrong()
        here.await_run(state="waiting")
        with chromium() as browser:
            tab = sign_in(browser.new_context(), here.url, "bob")
            tab.get_by_role("link", name="Look and decide").click()
            tab.get_by_label("Comment").fill("the load test does that")
            tab.get_by_role("button", name="Deny").click()
            expect(tab.locator("#head .badge")).to_contain_text("denied", timeout=SOON)
            tab.goto(f"{here.url}/deployments/qrl")
            expect(tab.get_by_role("heading", name="Latched")).to_be_visible()

        assert here.live() == BAD
        assert here.restarts() == 0


def test_without_users_the_page_says_what_to_do(tmp_path: Path) -> None:
    """An agent without web.config_file serves the webhook as ever, and one page that says how to sign in."""
    with stand(tmp_path) as here:
        here.start_agent()
        with chromium() as browser:
            tab = browser.new_page()
            tab.goto(here.url)
            expect(tab.get_by_role("heading", name="Nobody can sign in yet")).to_be_visible()
            expect(tab.get_by_text("htpasswd -nBC 10 alice")).to_be_visible()
        assert here.notify().status_code == 202
        assert (here.root / "web.key").stat().st_mode & 0o777 == 0o600
