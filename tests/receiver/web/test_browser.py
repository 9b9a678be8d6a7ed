"""The page in Debian's Chromium: what it runs, what it leaves alone while somebody types, and how it fits a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from playwright.sync_api import Page as Tab

from receiver.journal import deployments, escalations, hotfixes
from receiver.model import EscalationReason
from tests.chromium import chromium
from tests.receiver.agent import Agent
from tests.receiver.surroundings import branch
from tests.receiver.web.served import PASSWORD, Page, served

PHONE = {"width": 360, "height": 740}
PRESSED = "button, .button, a.row, summary, .choice, textarea, input:not([type=radio])"
UPDATED = 30_000
"""Milliseconds within which the page has updated itself; it does so every five seconds."""
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium() as running:
        yield running


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    """A phone."""
    with browser.new_context(viewport=PHONE) as context:
        yield context


def sign_in(page: Page, context: BrowserContext, name: str = "alice", password: str = PASSWORD) -> Tab:
    """A tab in which somebody has filled in the form."""
    tab = context.new_page()
    tab.goto(page.url)
    tab.get_by_label("Name").fill(name)
    tab.get_by_label("Password").fill(password)
    with tab.expect_navigation():
        tab.get_by_role("button", name="Sign in").click()
    return tab


def test_a_wrong_password_is_told_and_can_be_mended(page: Page, phone: BrowserContext) -> None:
    """The form stays, says what is wrong, and takes the right password."""
    tab = sign_in(page, phone, password="wrong")
    expect(tab.get_by_role("alert")).to_contain_text("The name or the password is wrong.")
    tab.get_by_label("Name").fill("alice")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_label("Password").press("Enter")
    expect(tab.get_by_role("heading", name="Deployments")).to_be_visible()


def test_a_person_approves_and_watches_it_end(page: Page, incident: str, phone: BrowserContext) -> None:
    """From the list to the plan to the button; afterwards the page tells by itself how it ended."""
    tab = sign_in(page, phone)
    tab.get_by_role("link", name="Look and decide").click()
    hash_ = page.agent.run()["plan"]["hash"][:8]
    tab.get_by_label("Comment").fill("it is the release")
    tab.get_by_role("button", name=f"Approve plan {hash_}").click()
    expect(tab.get_by_role("status").filter(has_text=f"You approved plan {hash_}.")).to_be_visible()

    page.agent.work()

    expect(tab.get_by_role("heading", name="qrl: service down")).to_be_visible()
    expect(tab.locator("#head .badge")).to_have_text("✓ restored", timeout=UPDATED)
    expect(tab.locator("#timeline")).to_contain_text("by alice: it is the release")
    tab.get_by_text("Report", exact=True).click()
    expect(tab.locator("pre")).to_contain_text("Automated Rollback Incident")


def test_a_second_person_lets_it_go_on(make_agent: Callable[..., Agent], tmp_path: Path, browser: Browser) -> None:
    """Where two must approve, the first sees that one is missing, and it goes on when the second has looked too."""
    with served(make_agent(autonomy="L3", approval={"people": 2}), tmp_path) as page:
        page.agent.go()
        with browser.new_context(viewport=PHONE) as mine, browser.new_context(viewport=PHONE) as theirs:
            alice, bob = sign_in(page, mine, "alice"), sign_in(page, theirs, "bob")
            for tab in (alice, bob):
                tab.get_by_role("link", name="Look and decide").click()
            alice.get_by_role("button", name="Approve plan").click()
            expect(alice.get_by_text("You have approved; another person must approve as well.")).to_be_visible()
            expect(alice.get_by_role("button", name="Approve plan")).to_have_count(0)
            assert page.agent.work()["approval"]["state"] == "pending"

            expect(bob.get_by_text("1 of 2 have approved: alice")).to_be_visible(timeout=UPDATED)
            bob.get_by_role("button", name="Approve plan").click()
            assert page.agent.work()["result"] == "restored"
            expect(alice.locator("#head .badge")).to_have_text("✓ restored", timeout=UPDATED)


def test_without_javascript_everything_works_but_the_updates(page: Page, incident: str, browser: Browser) -> None:
    """Signing in, denying, clearing the latch and signing out are plain forms."""
    with browser.new_context(java_script_enabled=False, viewport=PHONE) as context:
        tab = sign_in(page, context, "bob")
        expect(tab.get_by_text("Without JavaScript this page does not update by itself")).to_be_visible()
        tab.get_by_role("link", name="Look and decide").click()
        tab.get_by_role("button", name="Deny").click()
        expect(tab.get_by_text("You denied the plan.")).to_be_visible()
        page.agent.work()
        tab.get_by_role("link", name="qrl", exact=True).first.click()
        expect(tab.get_by_role("heading", name="Latched")).to_be_visible()
        tab.get_by_role("button", name="Clear the latch").click()
        expect(tab.get_by_role("heading", name="Latched")).not_to_be_visible()
        tab.get_by_role("button", name="Sign out").click()
        expect(tab.get_by_role("heading", name="Sign in")).to_be_visible()
        assert page.agent.latch() is None


def test_an_approval_that_expires_goes_from_the_page(page: Page, incident: str, phone: BrowserContext) -> None:
    """The question vanishes while one looks at it, and the escalation takes its place."""
    tab = sign_in(page, phone, "carol")
    tab.get_by_role("link", name="Look and decide").click()
    expect(tab.get_by_role("heading", name="Roll qrl back?")).to_be_visible()

    page.agent.wait(901)

    expect(tab.get_by_role("heading", name="Roll qrl back?")).not_to_be_visible(timeout=UPDATED)
    expect(tab.get_by_role("heading", name="A person is needed: approval expired")).to_be_visible()


def test_what_somebody_types_survives_an_update(page: Page, incident: str, phone: BrowserContext) -> None:
    """The part with the comment stays as it is, while the rest of the page goes on."""
    tab = sign_in(page, phone)
    tab.goto(f"{page.url}/incidents/{incident}")
    tab.get_by_label("Comment").fill("I am still wri")
    with page.agent.database.write() as tx:
        hotfixes.start(tx, "qrl", page.agent.clock(), 600, "ada", "flag off")
    expect(tab.locator("#timeline")).to_contain_text("flag off", timeout=UPDATED)
    assert tab.get_by_label("Comment").input_value() == "I am still wri"


def test_enter_in_a_comment_presses_no_button(page: Page, incident: str, phone: BrowserContext) -> None:
    """A comment that is ended with Enter approves nothing."""
    tab = sign_in(page, phone)
    tab.goto(f"{page.url}/incidents/{incident}")
    tab.get_by_label("Comment").press_sequentially("hm\n")
    tab.wait_for_timeout(300)
    assert page.agent.run()["approval"]["state"] == "pending"
    assert tab.get_by_label("Comment").input_value() == "hm\n"


def test_a_script_from_outside_does_not_run(page: Page, phone: BrowserContext) -> None:
    """Markup in an alert, a service, a comment or a reason is text: nothing runs, nothing is fetched (T7)."""
    agent = page.agent
    agent.prometheus.firing = (branch(HOSTILE, alert=HOSTILE),)
    agent.prometheus.health = {HOSTILE: (0.0,)}
    agent.go()
    with agent.database.write() as tx:
        now, incident = agent.clock(), page.incident()
        escalations.open_one(tx, "qrl", EscalationReason.UNKNOWN_PATTERN, HOSTILE, now, incident=incident)
        deployments.latch(tx, "qrl", now, HOSTILE)
        hotfixes.start(tx, "qrl", now, 600, HOSTILE, HOSTILE)
    tab = sign_in(page, phone)
    foreign: list[str] = []
    complaints: list[str] = []
    tab.on("request", lambda sent: foreign.append(sent.url) if not sent.url.startswith(page.url) else None)
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))

    for path in ("/", f"/incidents/{incident}", "/deployments/qrl"):
        tab.goto(page.url + path)
        expect(tab.get_by_text("document.title='owned'").first).to_be_visible()
        tab.wait_for_timeout(5500)  # an update puts the same text in by script
        assert "owned" not in tab.title().replace("document.title='owned'", "")
        assert tab.locator("img").count() == 0
    assert (foreign, complaints) == ([], [])


def test_even_a_script_that_got_in_would_not_run(page: Page, phone: BrowserContext) -> None:
    """The policy stops what escaping would have missed: inline script, handlers, and addresses elsewhere."""
    tab = sign_in(page, phone)
    tab.evaluate("document.querySelector('main').innerHTML = `<img src=x onerror=\"document.title='owned'\">`")
    tab.evaluate(
        "{const s=document.createElement('script'); s.textContent=`document.title='owned'`; document.body.append(s)}"
    )
    tab.wait_for_timeout(300)
    assert tab.title() != "owned"
    refused = tab.evaluate("fetch('http://127.0.0.1:1/').then(() => 'sent', error => String(error))")
    assert "Failed to fetch" in refused


def test_an_agent_that_does_not_answer_is_told(page: Page, phone: BrowserContext) -> None:
    """What is old says so, until the agent answers again."""
    tab = sign_in(page, phone)
    expect(tab.locator("#by-hand")).to_be_hidden()  # the script has come
    phone.set_offline(True)
    expect(tab.get_by_text("The agent does not answer. What you see is old")).to_be_visible(timeout=UPDATED)
    phone.set_offline(False)
    expect(tab.get_by_text("The agent does not answer. What you see is old")).not_to_be_visible(timeout=UPDATED)


def test_an_ended_session_is_told(page: Page, phone: BrowserContext) -> None:
    """A page that no longer updates since the session has ended says so, instead of looking fresh."""
    tab = sign_in(page, phone)
    del page.roles["alice"]
    expect(tab.get_by_text("Your sign-in has ended")).to_be_visible(timeout=UPDATED)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_a_thumb(page: Page, incident: str, browser: Browser, scheme: str) -> None:
    """Nothing is wider than the screen, and whatever is pressed is at least 44 pixels high."""
    with browser.new_context(viewport=PHONE, color_scheme="dark" if scheme == "dark" else "light") as context:
        tab = sign_in(page, context)
        for path in ("/", f"/incidents/{incident}", "/deployments/qrl"):
            tab.goto(page.url + path)
            for details in tab.locator("details").all():
                details.evaluate("one => one.open = true")
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            small = [
                one.inner_text() for one in tab.locator(PRESSED).all()
                if one.is_visible() and (one.bounding_box() or {"height": 0})["height"] < 44
            ]  # fmt: skip
            assert small == [], path
        ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, ground[4:-1].split(","))) < 150) == (scheme == "dark")


def test_it_is_used_by_keyboard_alone(page: Page, incident: str, phone: BrowserContext) -> None:
    """From the first Tab one can skip to the content, and the focus is seen wherever it is."""
    tab = sign_in(page, phone)
    tab.goto(f"{page.url}/incidents/{incident}")
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("link", name="Skip to the content")).to_be_focused()
    tab.get_by_role("button", name="Deny").focus()
    tab.keyboard.press("Shift+Tab")
    focused = tab.evaluate(
        "({text: document.activeElement.innerText, outline: getComputedStyle(document.activeElement).outlineStyle})"
    )
    assert focused["text"].startswith("✓ Approve plan")
    assert focused["outline"] == "solid"
