"""What a person says of an incident afterwards on its page."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from receiver.errors import NotPossible
from receiver.model import Found
from receiver.operators import Person, Via
from receiver.reviewing import Answers
from receiver.web.gate import for_operators, require_visitor
from receiver.web.site import site


def add_review(pages: Blueprint) -> None:
    """Add `/incidents/ID/review`."""

    @pages.post("/incidents/<id_>/review")
    @for_operators
    def review(id_: str) -> ResponseReturnValue:
        cause, pattern = (" ".join(request.form.get(name, "").split()) for name in ("cause", "pattern"))
        if not cause:
            raise NotPossible("say what the cause was")
        found = Answers(_found("necessary"), _found("level_right"), _found("hotfix_possible"), cause, pattern or None)
        site().in_force().reviewers.review(id_, found, Person(require_visitor().name, Via.PAGE))
        flash("Your review is kept.", "good")
        return redirect(url_for("pages.incident", id_=id_), 303)


def _found(question: str) -> Found:
    try:
        return Found(request.form.get(question, ""))
    except ValueError:
        raise NotPossible(f"answer {question.replace('_', ' ')} with one of: {', '.join(Found)}") from None
