"""The HTTP interface: stores notifications, shows incidents, metrics and health; runs nothing in a request."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import CollectorRegistry
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from receiver import webhook
from receiver.announcements import Announcements
from receiver.api import add_api
from receiver.authentication import Access, Refused
from receiver.errors import BadNotification, JournalError
from receiver.gathering import MOST_BODY
from receiver.identity import Role
from receiver.intake import Intake
from receiver.journal import counts
from receiver.journal.database import Database
from receiver.log import get_log
from receiver.operators import Operators
from receiver.pipeline import add_pipeline
from receiver.web.blueprint import add_web
from receiver.web.errors import problem, wants_page
from receiver.web.site import Site

_TEXT = "text/plain; charset=utf-8"


class RejectedCounts:
    """Rejected notifications, kept in memory until a scrape: a flood of them must not write to the journal."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, outcome: str) -> None:
        """Count one rejected notification."""
        with self._lock:
            self._counts[outcome] += 1

    def flush(self) -> None:
        """Bring the counts into the journal; raises JournalError and keeps them where that fails."""
        with self._lock:
            pending, self._counts = self._counts, Counter()
        if not pending:
            return
        try:
            with self._database.write() as tx:
                for outcome, count in pending.items():
                    counts.bump(tx, "notifications", count, outcome=outcome)
        except JournalError:
            with self._lock:
                self._counts += pending
            raise


@dataclass(frozen=True, slots=True)
class Interface:
    """What the HTTP interface needs; `notify` tells the workers that something was stored.

    `reload` brings the configuration file into force; it returns why not, or None. So does `why_not_ready`.
    """

    database: Database
    registry: CollectorRegistry
    rejected: RejectedCounts
    notify: Callable[[], None]
    why_not_ready: Callable[[], str | None]
    announcements: Callable[[], Announcements]
    access: Callable[[], Access]
    operators: Callable[[], Operators]
    reload: Callable[[], str | None]
    site: Site


def create_app(interface: Interface) -> Flask:
    """The WSGI application."""
    app = Flask("receiver", static_folder=None)
    intake = Intake(interface.database)
    # One more than is taken: of a chunked body Flask gives the beginning, and a full one must be told from a cut one.
    app.config["MAX_CONTENT_LENGTH"] = webhook.MAX_BYTES + 1
    # A redirect would make Alertmanager repeat the POST as a GET and take the answer for a delivery.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False

    @app.before_request
    def refuse_large() -> None:
        if not _is_notification():
            request.max_content_length = MOST_BODY  # a thread waits for none of what was not gathered
        if (request.content_length or 0) > _longest_body():
            raise RequestEntityTooLarge  # before authentication, so that nobody makes the server read it

    @app.post("/api/v1/alerts")
    def alerts() -> tuple[Response, int]:
        interface.access().require(request, Role.WEBHOOK)
        return _accept(interface, intake)

    @app.get("/metrics")
    def metrics() -> Response:
        access = interface.access()
        if not access.shows_metrics_to_all:
            access.require(request, Role.VIEWER)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(interface.registry), content_type=content_type)

    @app.get("/-/healthy")
    def healthy() -> Response:
        return Response("rollback-agent is healthy.\n", content_type=_TEXT)

    @app.post("/-/reload")
    def reload() -> tuple[Response, int]:
        interface.access().require(request, Role.OPERATOR)
        why_not = interface.reload()
        return (jsonify(error=why_not), 500) if why_not else (jsonify(status="reloaded"), 200)

    @app.get("/-/ready")
    def ready() -> Response:
        why_not = interface.why_not_ready()
        text = f"{why_not or 'rollback-agent is ready.'}\n"
        return Response(text, 503 if why_not else 200, content_type=_TEXT)

    add_api(app, interface.database, interface.access, interface.operators, lambda: interface.site.in_force().config)
    add_pipeline(app, interface.database, interface.announcements, interface.access)
    add_web(app, interface.site)
    _add_error_handlers(app, interface)
    return app


def _is_notification() -> bool:
    return request.method == "POST" and request.path.rstrip("/") == "/api/v1/alerts"


def _longest_body() -> int:
    """Bytes that the body of the current request may have."""
    return webhook.MAX_BYTES if _is_notification() else MOST_BODY


def _accept(interface: Interface, intake: Intake) -> tuple[Response, int]:
    try:
        good, bad, truncated = webhook.parse(request.get_data(cache=False))
    except BadNotification as error:
        raise Refused(error.status, str(error), "too_large" if error.status == 413 else "invalid") from error
    try:
        id_ = intake.store(good, truncated, bad)
    except JournalError as error:
        get_log().error("a notification could not be stored", error=str(error))
        raise Refused(503, "the notification could not be stored; send it again", "failed") from error
    interface.notify()
    return jsonify(status="accepted", notification=id_, alerts=len(good), invalid=bad), 202


def _add_error_handlers(app: Flask, interface: Interface) -> None:
    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        # To Alertmanager 429 is no other than 401, and who wears its credentials out must not tell it to be slower.
        status = 401 if error.status == 429 and _is_notification() else error.status
        response = jsonify(error=str(error))
        response.status_code = status
        if status == 401:
            response.headers.extend(("WWW-Authenticate", challenge) for challenge in interface.access().challenges)
        if status == 429:
            response.headers["Retry-After"] = str(error.retry_after)
        if _is_notification():
            interface.rejected.add(error.outcome)
            if error.status != 429:  # whoever goes on trying must not fill the disk
                get_log().warning("a notification was refused", reason=str(error), address=request.remote_addr)
        return response

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> ResponseReturnValue:
        if wants_page():
            return problem(error.code or 500, "There is no such page.")
        response = error.get_response()
        text = {
            404: f"there is nothing at {request.path}; notifications go to POST /api/v1/alerts",
            405: f"{request.method} is not possible at {request.path}",
            413: f"the body is larger than {_longest_body()} bytes",
        }.get(response.status_code, error.description or error.name)
        if _is_notification():
            interface.rejected.add("too_large" if response.status_code == 413 else "invalid")
        plain = jsonify(error=text)
        plain.status_code = response.status_code
        if "Allow" in response.headers:
            plain.headers["Allow"] = response.headers["Allow"]
        return plain

    @app.errorhandler(JournalError)
    def journal_error(error: JournalError) -> tuple[Response, int]:
        get_log().error("a request failed on the journal", path=request.path, error=str(error))
        return jsonify(error="the journal cannot be read now"), 503

    @app.errorhandler(Exception)
    def bug(_error: Exception) -> tuple[Response, int]:
        get_log().exception("a request failed unexpectedly", path=request.path)
        return jsonify(error="an unexpected error; see the agent's log"), 500
