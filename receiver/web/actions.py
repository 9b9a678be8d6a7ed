"""What a person does on the page: each a POST that goes through who journals and audits it, then back to the page."""

from __future__ import annotations

from typing import TypeVar

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from receiver.errors import BadAnnouncement, NotFound, NotPossible
from receiver.journal.approvals import ApprovalState
from receiver.journal.autonomy import ALL
from receiver.journal.hotfixes import HotfixState
from receiver.model import SHORT_HASH, Autonomy, Level
from receiver.operators import Answer, Operators, Person, Via
from receiver.web.gate import for_operators, own_path, require_visitor
from receiver.web.site import site

Word = TypeVar("Word", Answer, Autonomy, Level)

_LONGEST_COMMENT = 300


def add_actions(pages: Blueprint) -> None:
    """Add everything that an operator can do."""
    _add_approval(pages)
    _add_answers(pages)
    _add_switches(pages)
    _add_releases(pages)


def _add_approval(pages: Blueprint) -> None:
    @pages.post("/incidents/<id_>/approve")
    @for_operators
    def approve(id_: str) -> ResponseReturnValue:
        plan = request.form.get("plan", "")
        _require_password("to approve")
        approval = _operators().approve(id_, plan, _person(), _comment())
        waits = approval.state is ApprovalState.PENDING
        also = f" {approval.need} people must; another one is needed." if waits else ""
        flash(f"You approved plan {plan[:SHORT_HASH]}.{also}", "good")
        return redirect(url_for("pages.incident", id_=id_), 303)

    @pages.post("/incidents/<id_>/deny")
    @for_operators
    def deny(id_: str) -> ResponseReturnValue:
        _operators().deny(id_, _person(), _comment())
        flash("You denied the plan. The deployment is latched until somebody clears it.", "good")
        return redirect(url_for("pages.incident", id_=id_), 303)


def _add_answers(pages: Blueprint) -> None:
    @pages.post("/escalations/<escalation>/answer")
    @for_operators
    def answer(escalation: str) -> ResponseReturnValue:
        word = _choice(Answer, "word")
        _operators().answer(escalation, word, _person(), _comment())
        flash(f"You answered: {word.replace('_', ' ')}.", "good")
        return _back()

    @pages.post("/deployments/<name>/clear")
    @for_operators
    def clear(name: str) -> ResponseReturnValue:
        _require_password("to clear the latch")
        _operators().clear(name, _person(), _comment())
        flash(f"You cleared {name}.", "good")
        return _to_deployment(name)


def _add_switches(pages: Blueprint) -> None:
    @pages.post("/kill-switch")
    @for_operators
    def switch() -> ResponseReturnValue:
        state = request.form.get("state")
        if state not in ("on", "off"):
            raise NotPossible("the kill switch is on or off")
        if state == "off":
            _require_password("to allow rollbacks again")
        _operators().switch(state == "on", _person(), _comment())
        flash(f"You switched the kill switch {state}.", "good")
        return redirect(url_for("pages.overview"), 303)

    @pages.post("/deployments/<name>/autonomy")
    @for_operators
    def autonomy(name: str) -> ResponseReturnValue:
        if name == ALL:  # the page of one deployment sets none but that one's
            raise NotFound(f"there is no deployment {name}")
        level = None if request.form.get("level") == "configured" else _choice(Autonomy, "level")
        if level not in (Autonomy.L1, Autonomy.L2):
            _require_password("to let the agent roll back")
        if level is None:
            _operators().reset_autonomy(name, _person(), _comment())
            flash(f"What was set for {name} by itself no longer counts.", "good")
        else:
            _operators().set_autonomy(name, level, _person(), _comment())
            flash(f"{name} is at {level} now.", "good")
        return _to_deployment(name)

    @pages.post("/deployments/<name>/rollback")
    @for_operators
    def rollback(name: str) -> ResponseReturnValue:
        level = _choice(Level, "level")
        _operators().request_rollback(name, level, _person())
        flash(f"You asked for a {level} rollback. The agent plans it and then asks to confirm the plan.", "good")
        return _to_deployment(name)


def _add_releases(pages: Blueprint) -> None:
    @pages.post("/deployments/<name>/releases/<release>/hold")
    @for_operators
    def hold(name: str, release: str) -> ResponseReturnValue:
        _operators().hold(name, release, _person(), _comment())
        flash(f"You hold {release}.", "good")
        return _to_deployment(name)

    @pages.post("/deployments/<name>/releases/<release>/release-hold")
    @for_operators
    def release_hold(name: str, release: str) -> ResponseReturnValue:
        _require_password("to let a held release go")
        _operators().release_hold(name, release, _person(), _comment())
        flash(f"{release} is no longer held.", "good")
        return _to_deployment(name)

    @pages.post("/deployments/<name>/hotfix")
    @for_operators
    def hotfix(name: str) -> ResponseReturnValue:
        announcements, who, comment = site().in_force().announcements, require_visitor().name, _comment()
        action = request.form.get("action")
        if action == "start":
            announcements.start_hotfix(name, _minutes() * 60.0, who, comment)
        elif action in ("done", "failed"):
            announcements.end_hotfix(name, HotfixState(action), who, comment)
        else:
            raise BadAnnouncement("a hotfix is started, done or failed")
        flash("Noted: the hotfix is under way." if action == "start" else f"Noted: the hotfix is {action}.", "good")
        return _to_deployment(name)


def _operators() -> Operators:
    return site().in_force().operators


def _person() -> Person:
    return Person(require_visitor().name, Via.PAGE)


def _comment() -> str:
    """What was typed beside the button, on one line."""
    text = " ".join(request.form.get("comment", "").split())
    if len(text) > _LONGEST_COMMENT:
        raise NotPossible(f"the comment is longer than {_LONGEST_COMMENT} characters")
    return text


def _choice(words: type[Word], field: str) -> Word:
    try:
        return words(request.form.get(field, ""))
    except ValueError:
        raise NotPossible(f"choose one of: {', '.join(words)}") from None


def _minutes() -> int:
    try:
        return int(request.form.get("eta", ""))
    except ValueError:
        raise BadAnnouncement("say in how many minutes the hotfix will be live, as a whole number") from None


def _require_password(what_for: str) -> None:
    """Raise NotPossible unless whoever holds the phone is who signed in on it; what stops must not wait for it."""
    found = require_visitor()
    if found.is_fresh:
        return
    password, address = request.form.get("password", ""), request.remote_addr or ""
    if site().in_force().access.check_password(found.name, password, address) is None:
        raise NotPossible(f"your password is needed {what_for}, and it was wrong or missing")


def _back() -> ResponseReturnValue:
    return redirect(own_path(request.form.get("back", "/")), 303)


def _to_deployment(name: str) -> ResponseReturnValue:
    return redirect(url_for("pages.deployment", name=name), 303)
