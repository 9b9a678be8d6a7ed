"""Puts the page together and into the application."""

from __future__ import annotations

import shlex
from typing import Any

from flask import Blueprint, Flask, g, get_flashed_messages, request
from jinja2 import StrictUndefined

from receiver.durations import clock_time
from receiver.web import badges, words
from receiver.web.actions import add_actions
from receiver.web.errors import add_errors
from receiver.web.facts import facts
from receiver.web.gate import add_gate
from receiver.web.pages import add_pages
from receiver.web.reports import add_reports
from receiver.web.review import add_review
from receiver.web.sign_in import add_sign_in
from receiver.web.site import EXTENSION, Site
from receiver.web.visitor import Cookies


def add_web(app: Flask, site: Site) -> None:
    """Add the page to `app`, whose cookies it then has."""
    app.extensions[EXTENSION] = site
    app.config.update(
        SECRET_KEY=site.key,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        WTF_CSRF_CHECK_DEFAULT=False,  # who posts with a token of the API has no cookie that could be misused
        WTF_CSRF_TIME_LIMIT=None,  # a token is as good as its session: a form may stay open for a whole night
        WTF_CSRF_SSL_STRICT=False,  # it wants a Referer; the Origin says the same, and that is checked
    )
    app.session_interface = Cookies()
    pages = Blueprint("pages", __name__, template_folder="templates", static_folder="static")
    add_gate(app, pages)
    add_sign_in(pages)
    add_pages(pages)
    add_reports(pages)
    add_actions(pages)
    add_review(pages)
    add_errors(pages)
    _add_words(app)
    app.register_blueprint(pages)


def _add_words(app: Flask) -> None:
    """What the templates know; what one does not know in them is an error, not an empty place."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        ago=words.ago,
        awaits_approval=badges.awaits_approval,
        clock=clock_time,
        command=shlex.join,
        deployment_badge=badges.of_deployment,
        facts=facts,
        incident_badge=badges.of_incident,
        run_badge=badges.of_run,
        span=words.span,
        spoken=words.spoken,
    )
    app.jinja_env.globals.update(flashes=_flashes)
    # Only as far as the request has found it: an error page must not ask the journal that it tells about.
    app.context_processor(lambda: {"visitor": g.get("visitor")})


def _flashes() -> list[Any]:
    """What the last action said, with its kind; a page that only updates itself leaves it to the one that follows."""
    return [] if "X-Live" in request.headers else list(get_flashed_messages(with_categories=True))
