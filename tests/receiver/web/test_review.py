"""A person reviews an incident on its page, and a later one shows it where they look alike."""

from __future__ import annotations

import sqlalchemy as sa
from playwright.sync_api import expect

from receiver.journal import reviews, tables
from receiver.journal.approvals import ApprovalState
from receiver.model import Found
from tests.chromium import chromium
from tests.receiver.learning.reviewed import review
from tests.receiver.web.served import Page
from tests.receiver.web.test_browser import PHONE, sign_in

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
FIELDS = {
    "necessary": "yes",
    "level_right": "no",
    "hotfix_possible": "unsure",
    "cause": "a typing error",
    "pattern": "typo",
}


def restored(page: Page, incident: str) -> str:
    """The path of the page of an incident that is over."""
    page.agent.decide(ApprovalState.APPROVED)
    assert page.agent.work()["result"] == "restored"
    return f"/incidents/{incident}"


def test_an_incident_is_reviewed_and_corrected(page: Page, incident: str) -> None:
    """The form stands on the page of what is over; its answers are shown, and a second one replaces them."""
    visitor, path = page.visitor("alice"), f"/incidents/{incident}"
    assert "Nobody has reviewed it yet." not in visitor.text(path)
    restored(page, incident)
    assert "Nobody has reviewed it yet." in visitor.text(path)

    shown = visitor.after(path, f"{path}/review", **FIELDS)
    for part in ("Your review is kept.", "Level right no", "Cause a typing error", "Pattern typo", "By alice"):
        assert part in shown, part
    shown = visitor.after(path, f"{path}/review", **FIELDS | {"cause": HOSTILE, "pattern": ""})
    assert "Cause a typing error" not in shown
    assert HOSTILE not in visitor.get(path).text
    with page.agent.database.read() as tx:
        [kept] = reviews.find(tx)
    assert (kept.reviewed_by, kept.pattern, kept.level_right) == ("alice", None, Found.NO)


def test_a_review_needs_its_answers_and_an_operator(page: Page, incident: str) -> None:
    """Nothing is taken without a cause, with another word, under another name for a pattern, or from a viewer."""
    path = restored(page, incident)
    visitor = page.visitor("alice")
    for wrong, said in (
        ({"cause": " "}, "say what the cause was"),
        ({"necessary": "perhaps"}, "answer necessary with one of: yes, no, unsure"),
        ({"pattern": "no name"}, "is no name"),
    ):
        assert said in visitor.after(path, f"{path}/review", **FIELDS | wrong)
    viewer = page.visitor("carol")
    assert f'action="{path}/review"' not in viewer.get(path).text
    assert viewer.post(f"{path}/review", {"csrf_token": viewer.token(path)} | FIELDS).status_code == 403
    with page.agent.database.read() as tx:
        assert reviews.find(tx) == ()


def test_what_looks_alike_is_named(page: Page, incident: str) -> None:
    """An incident of another deployment that showed the same, with its cause; and one that nobody had noticed."""
    shown = frozenset({"branch service_down"})
    with page.agent.database.write() as tx:
        known = tx.execute(sa.select(tables.incident.c.id)).scalar_one()
        reviews.put(tx, review(1, features=shown, cause=HOSTILE, deployment="shop"))
        reviews.put(tx, review(2, features=shown, incident=None, pattern="leak"))
        reviews.put(tx, review(3, features=frozenset({"branch other"}), cause="another fault"))
    assert known == incident
    viewer, path = page.visitor("carol"), f"/incidents/{incident}"
    answer, text = viewer.get(path).text, viewer.text(path)

    assert "Past incidents that look alike" in text
    assert "A missed incident of qrl, leak: a typing error" in text
    assert 'href="/incidents/incident-1"' in answer
    assert "another fault" not in text
    assert HOSTILE not in answer


def test_a_phone_reviews(page: Page, incident: str) -> None:
    """In Chromium on a phone: why it decided so can be opened, the form fits, and what is kept is shown."""
    path = restored(page, incident)
    with chromium() as browser, browser.new_context(viewport=PHONE) as phone:  # type: ignore[arg-type]
        tab = sign_in(page, phone)
        tab.goto(page.url + path)
        tab.get_by_text("Why, and what would have changed it").click()
        expect(tab.get_by_role("heading", name="Path through the tree")).to_be_visible()
        tab.get_by_text("Review this incident").click()
        for question, word in (("necessary", "yes"), ("level_right", "yes"), ("hotfix_possible", "no")):
            tab.locator(f"input[name={question}][value={word}]").check()
        tab.get_by_label("What was the cause?").fill("a typing error")
        tab.get_by_label("Which failure pattern?").fill("typo")
        assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        tab.get_by_role("button", name="Keep the review").click()
        expect(tab.get_by_role("status").filter(has_text="Your review is kept.")).to_be_visible()
        expect(tab.locator("section", has=tab.get_by_role("heading", name="Review"))).to_contain_text("a typing error")
