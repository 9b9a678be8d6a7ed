"""What goes wrong on a page, told on a page: one sentence, and a way on."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from receiver.authentication import Refused
from receiver.errors import AuditError, BadAnnouncement, Gone, JournalError, NotFound, NotPossible
from receiver.log import get_log
from receiver.web.gate import HEADERS, SAFE, page_of_form

TITLES = {403: "Not allowed", 404: "Nothing is here", 410: "It was removed", 503: "Not now"}


def add_errors(pages: Blueprint) -> None:
    """Answer the errors of the pages' views with pages."""

    @pages.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> ResponseReturnValue:
        return problem(error.code or 500, error.description or error.name)

    @pages.errorhandler(CSRFError)
    def no_token(_error: CSRFError) -> ResponseReturnValue:
        return problem(403, "The form was not made for your session, so nothing was done. Load the page and try again.")

    @pages.errorhandler(Refused)
    def refused(error: Refused) -> ResponseReturnValue:
        return problem(error.status, _sentence(error))

    @pages.errorhandler(Gone)
    def removed(error: Gone) -> ResponseReturnValue:
        return problem(410, _sentence(error))

    @pages.errorhandler(NotFound)
    def not_found(error: NotFound) -> ResponseReturnValue:
        return problem(404, _sentence(error))

    @pages.errorhandler(NotPossible)
    @pages.errorhandler(BadAnnouncement)
    def not_possible(error: Exception) -> ResponseReturnValue:
        flash(f"Nothing was done: {error}.", "bad")
        return redirect(page_of_form(), 303)

    @pages.errorhandler(AuditError)
    def not_audited(error: AuditError) -> ResponseReturnValue:
        get_log().error("what a person decided could not be recorded", path=request.path, error=str(error))
        return problem(503, "Nothing was done, because the audit trail cannot be written. See the agent's log.")

    @pages.errorhandler(JournalError)
    def journal_error(error: JournalError) -> ResponseReturnValue:
        get_log().error("a page failed on the journal", path=request.path, error=str(error))
        return problem(503, "The journal cannot be used at the moment. The command line may say more.")

    @pages.errorhandler(Exception)
    def bug(_error: Exception) -> ResponseReturnValue:
        get_log().exception("a page failed unexpectedly", path=request.path)
        return problem(500, "An unexpected error. The agent's log has it.")


def wants_page() -> bool:
    """Whether a person's browser asked for what is no page: it does not read JSON."""
    is_machines = request.path.startswith(("/api/", "/-/", "/metrics"))
    return request.method in SAFE and not is_machines and "text/html" in request.headers.get("Accept", "")


def problem(status: int, sentence: str) -> ResponseReturnValue:
    """A page that says what is wrong."""
    page = render_template("problem.html", title=TITLES.get(status, "That did not work"), sentence=sentence)
    return page, status, HEADERS


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
