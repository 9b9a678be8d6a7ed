"""What a person does on the page is done, journaled and told; what cannot be done is told too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from receiver.journal import deployments, escalations
from receiver.model import EscalationReason
from receiver.web.visitor import FRESH_FOR
from tests.receiver.agent import Agent
from tests.receiver.surroundings import BAD, GOOD
from tests.receiver.web.served import PASSWORD, Page, served


def test_approving_lets_the_rollback_go_on(page: Page, incident: str) -> None:
    """The plan whose hash stands beside the button is approved by who pressed it, and the rollback runs."""
    visitor, path = page.visitor("alice"), f"/incidents/{incident}"
    plan = page.agent.run()["plan"]["hash"]
    fields = {"csrf_token": visitor.token(path), "plan": plan, "comment": " I looked\n at it "}

    answer = visitor.post(f"{path}/approve", fields)

    assert f"You approved plan {plan[:8]}." in visitor.text(answer.headers["Location"])
    approval = page.agent.run()["approval"]
    assert (approval["state"], approval["decided_by"], approval["comment"]) == ("approved", "alice", "I looked at it")
    assert page.agent.work()["result"] == "restored"
    assert "plan approved by alice: I looked at it" in visitor.text(path)


def test_denying_ends_the_run_and_latches(page: Page, incident: str) -> None:
    """One person is enough, and the page says what follows."""
    visitor, path = page.visitor("bob"), f"/incidents/{incident}"
    shown = visitor.after(path, f"{path}/deny", comment="not the release")
    assert "You denied the plan." in shown
    assert page.agent.work()["result"] == "denied"
    assert page.agent.latch() is not None
    assert page.agent.executed() == []


def test_what_was_decided_already_is_told(page: Page, incident: str) -> None:
    """The second of two who answer at once reads who was first, and nothing changes."""
    alice, bob, path = page.visitor("alice"), page.visitor("bob"), f"/incidents/{incident}"
    plan = page.agent.run()["plan"]["hash"]
    fields = {"csrf_token": bob.token(path), "plan": plan}
    alice.after(path, f"{path}/deny")

    answer = bob.post(f"{path}/approve", fields)

    shown = bob.text(answer.headers["Location"])
    assert "Nothing was done: the plan was already denied by alice" in shown
    assert page.agent.run()["approval"]["decided_by"] == "alice"


@pytest.mark.parametrize("plan", ["", "1234567", "0" * 64, "' or 1=1 --"])
def test_another_plan_is_not_approved(page: Page, incident: str, plan: str) -> None:
    """A form of an older plan, or one that was made up, approves nothing."""
    visitor, path = page.visitor("alice"), f"/incidents/{incident}"
    answer = visitor.post(f"{path}/approve", {"csrf_token": visitor.token(path), "plan": plan})
    assert "Nothing was done: " in visitor.text(answer.headers["Location"])
    assert page.agent.run()["approval"]["state"] == "pending"


def test_an_expired_approval_has_no_button_and_takes_no_answer(page: Page, incident: str) -> None:
    """After its time the page shows no question any more, and the form that was left open is refused."""
    visitor, path = page.visitor("alice"), f"/incidents/{incident}"
    fields = {"csrf_token": visitor.token(path), "plan": page.agent.run()["plan"]["hash"]}
    page.agent.clock.advance(901)
    visitor.sign_in("alice")
    assert "Approve plan" not in visitor.text(path)
    fields["csrf_token"] = visitor.token(path)

    answer = visitor.post(f"{path}/approve", fields)

    assert "Nothing was done: " in visitor.text(answer.headers["Location"])
    assert page.agent.run()["approval"]["state"] != "approved"


@pytest.mark.parametrize("word", ["done", "retry", "give_up"])
def test_an_escalation_is_answered_where_it_stands(page: Page, word: str) -> None:
    """Each answer closes it, and leads back to the page on which it was given."""
    with page.agent.database.write() as tx:
        escalations.open_one(tx, "qrl", EscalationReason.UNKNOWN_PATTERN, "DiskFull fires", page.agent.clock())
        (open_,) = escalations.find(tx)
    visitor, action = page.visitor("alice"), f"/escalations/{open_.id}/answer"

    answer = visitor.submit("/deployments/qrl", action, word=word, comment="saw it", back="/deployments/qrl")

    assert answer.headers["Location"] == "/deployments/qrl"
    assert f"You answered: {word.replace('_', ' ')}." in visitor.text("/deployments/qrl")
    with page.agent.database.read() as tx:
        (answered,) = escalations.find(tx)
    assert (answered.answer, answered.answered_by, answered.comment) == (word, "alice", "saw it")


def test_a_latch_is_cleared(page: Page) -> None:
    """Clearing lifts it, and says so when there is none."""
    with page.agent.database.write() as tx:
        deployments.latch(tx, "qrl", page.agent.clock(), "it failed")
    visitor = page.visitor("alice")
    assert "You cleared qrl." in visitor.after("/deployments/qrl", "/deployments/qrl/clear", comment="mended")
    assert page.agent.latch() is None
    again = visitor.post("/deployments/qrl/clear", {"csrf_token": visitor.token("/")})
    assert "Nothing was done: qrl is not latched" in visitor.text(again.headers["Location"])


def test_the_kill_switch_goes_on_and_off(page: Page) -> None:
    """On the page as on the command line, for all deployments at once."""
    visitor = page.visitor("alice")
    assert "The kill switch is on" in visitor.after("/", "/kill-switch", state="on", comment="too much goes on")
    assert page.agent.config.kill_switch.exists()
    assert "The kill switch is on" not in visitor.after("/", "/kill-switch", state="off")
    assert not page.agent.config.kill_switch.exists()
    assert "Nothing was done" in visitor.after("/", "/kill-switch", state="perhaps")


def test_a_release_is_held_and_let_go(page: Page) -> None:
    """What is held is no target and no deploy, until somebody lets it go."""
    visitor, base = page.visitor("alice"), f"/deployments/qrl/releases/{GOOD}"
    assert f"You hold {GOOD}." in visitor.after("/deployments/qrl", f"{base}/hold", comment="slow")
    assert page.agent.held() == [GOOD]
    assert f"{GOOD} is no longer held." in visitor.after("/deployments/qrl", f"{base}/release-hold")
    assert page.agent.held() == []


def test_the_autonomy_of_a_deployment_is_set(page: Page) -> None:
    """An operator sets the level and takes it back, and a level that is none changes nothing."""
    visitor, action = page.visitor("alice"), "/deployments/qrl/autonomy"
    assert "qrl is at L1 now." in visitor.after("/deployments/qrl", action, level="L1", comment="calm down")
    assert "autonomy L1" in visitor.text("/")
    assert "set by alice" in visitor.text("/deployments/qrl")
    assert "choose one of: L1, L2, L3, L4" in visitor.after("/deployments/qrl", action, level="L9")
    assert "autonomy L1" in visitor.text("/")
    assert "no longer counts" in visitor.after("/deployments/qrl", action, level="configured")
    assert "autonomy L3" in visitor.text("/")
    assert page.agent.audited()[-2:] == ["autonomy:L1", "autonomy:reset"]


@pytest.mark.parametrize("level", ["L1", "configured"])
def test_a_forged_form_sets_no_level_for_all(page: Page, level: str) -> None:
    """What stands for every deployment elsewhere is the name of none here: nothing is set, and nothing taken back."""
    visitor = page.visitor("alice")
    form = {"csrf_token": visitor.token("/deployments/qrl"), "level": level}

    assert visitor.post("/deployments/*/autonomy", form).status_code == 404

    assert "autonomy L3" in visitor.text("/")
    assert page.agent.audited() == []


@pytest.mark.parametrize(("level", "is_asked"), [("L1", False), ("L2", False), ("L3", True), ("L4", True)])
def test_letting_it_roll_back_needs_the_password_again(page: Page, level: str, is_asked: bool) -> None:
    """Long after signing in, lowering the level needs no password, and raising it the right one."""
    visitor, action = page.visitor("alice"), "/deployments/qrl/autonomy"
    page.agent.clock.advance(FRESH_FOR + 1)

    assert ("your password is needed" in visitor.after("/deployments/qrl", action, level=level)) == is_asked
    assert f"qrl is at {level} now." in visitor.after("/deployments/qrl", action, level=level, password=PASSWORD)


def test_what_lets_it_go_on_needs_the_password_again(page: Page) -> None:
    """Long after signing in, stopping and holding need none; allowing again, clearing and letting go the right one."""
    with page.agent.database.write() as tx:
        deployments.latch(tx, "qrl", page.agent.clock(), "it failed")
    visitor, here = page.visitor("alice"), "/deployments/qrl"
    page.agent.clock.advance(FRESH_FOR + 1)
    hold = f"{here}/releases/{GOOD}"

    assert "You switched the kill switch on." in visitor.after("/", "/kill-switch", state="on")
    assert f"You hold {GOOD}." in visitor.after(here, f"{hold}/hold")
    for place, form, fields in (
        ("/", "/kill-switch", {"state": "off"}), (here, f"{here}/clear", {}), (here, f"{hold}/release-hold", {}),
    ):  # fmt: skip
        assert "Nothing was done: your password is needed to" in visitor.after(place, form, **fields)
        assert "Nothing was done: your password is needed to" in visitor.after(place, form, password="no", **fields)
        assert "Nothing was done" not in visitor.after(place, form, password=PASSWORD, **fields)
    assert (page.agent.config.kill_switch.exists(), page.agent.latch(), page.agent.held()) == (False, None, [])


def test_two_people_approve_on_the_page(make_agent: Callable[..., Agent], tmp_path: Path) -> None:
    """The first is told that another is needed, and has no button any more; the second one lets it go on."""
    with served(make_agent(autonomy="L3", approval={"people": 2}), tmp_path) as page:
        page.agent.go()
        path = f"/incidents/{page.incident()}"
        plan = page.agent.run()["plan"]["hash"]
        first, second = page.visitor("alice"), page.visitor("bob")
        assert "0 of 2 have approved" in first.text(path)

        answer = first.post(f"{path}/approve", {"csrf_token": first.token(path), "plan": plan})
        assert "2 people must; another one is needed." in first.text(answer.headers["Location"])
        shown = first.text(path)
        assert "1 of 2 have approved: alice" in shown
        assert "You have approved; another person must approve as well." in shown
        assert "Approve plan" not in shown
        again = first.post(f"{path}/approve", {"csrf_token": first.token(path), "plan": plan})
        assert "alice has approved already" in first.text(again.headers["Location"])
        assert page.agent.work()["approval"]["state"] == "pending"

        assert "1 of 2 have approved" in second.text("/")
        second.post(f"{path}/approve", {"csrf_token": second.token(path), "plan": plan})
        assert page.agent.work()["result"] == "restored"
        told = second.text(path)
        assert "plan approved by alice and bob" in told
        assert "approval 1 of 2 by alice" in told


def test_a_hotfix_is_announced_and_ended(page: Page) -> None:
    """Its minutes are given as a number; what cannot be is told."""
    visitor, page_of, action = page.visitor("alice"), "/deployments/qrl", "/deployments/qrl/hotfix"
    assert "running, by alice, due in 9 min: flag off" in visitor.after(
        page_of, action, action="start", eta="10", comment="flag off"
    )
    assert "Nothing was done: a hotfix of qrl by alice is under way" in visitor.after(
        page_of, action, action="start", eta="5"
    )
    assert "Noted: the hotfix is done." in visitor.after(page_of, action, action="done")
    for eta, why in (("15", "too long"), ("", "whole number"), ("x", "whole number"), ("-1", "longer than 0s")):
        assert why in visitor.after(page_of, action, action="start", eta=eta)


def test_a_rollback_by_hand_is_planned_and_asked_about(make_agent: Callable[..., Agent], tmp_path: Path) -> None:
    """The request begins a run that asks for approval, as the command does."""
    with served(make_agent(autonomy="L4"), tmp_path) as page:
        page.agent.prometheus.firing = ()
        visitor = page.visitor("alice")
        shown = visitor.after("/deployments/qrl", "/deployments/qrl/rollback", level="fast")
        assert "You asked for a fast rollback." in shown
        page.agent.work()
        assert f"{BAD} to → {GOOD}" in visitor.text(f"/incidents/{page.incident()}")
        assert page.agent.executed() == []


def test_a_comment_has_its_limits(page: Page, incident: str) -> None:
    """One that is too long is refused with a sentence, not cut."""
    visitor, path = page.visitor("alice"), f"/incidents/{incident}"
    assert "longer than 300 characters" in visitor.after(path, f"{path}/deny", comment="x" * 301)
    assert page.agent.run()["approval"]["state"] == "pending"


def test_what_cannot_be_recorded_is_not_done(page: Page, incident: str) -> None:
    """Without its audit record no decision stands, and the page says why."""
    visitor, path = page.visitor("alice"), f"/incidents/{incident}"
    token = visitor.token(path)
    trail = page.agent.config.logs / "audit-trail.jsonl"
    trail.rename(trail.with_suffix(".away"))
    trail.mkdir()

    answer = visitor.post(f"{path}/deny", {"csrf_token": token})

    assert answer.status_code == 503
    assert "the audit trail cannot be written" in answer.text
    assert page.agent.run()["approval"]["state"] == "pending"


def test_each_action_stands_in_the_audit_trail(page: Page, incident: str) -> None:
    """Who did what through the page can be told from the trail."""
    visitor, path = page.visitor("alice"), f"/incidents/{incident}"
    before = len(page.agent.audited())
    visitor.after(path, f"{path}/deny")
    assert "denied" in page.agent.audited()[before:]
