"""What every request to the page must pass, and what every answer of it says to the browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect

from receiver.authentication import Refused
from receiver.web.site import site
from receiver.web.visitor import Visitor, visitor

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    # Not no-referrer: a browser then sends `Origin: null` with a form, and nothing proves whose form it was.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}
SAFE = ("GET", "HEAD", "OPTIONS")
_OWN_PATH = re.compile(r"/(?:(?:incidents|deployments)/[A-Za-z0-9._-]+)?")


def add_gate(app: Flask, pages: Blueprint) -> None:
    """Let no request reach `pages` that does not pass."""
    csrf = CSRFProtect(app)

    @pages.before_request
    def tell_how_to_sign_in() -> ResponseReturnValue | None:
        if site().in_force().access.has_users or _is_static():
            return None
        return render_template("not_configured.html"), 503

    @pages.before_request
    def refuse_foreign_forms() -> None:
        if request.method in SAFE:
            return
        _require_own_origin()
        csrf.protect()

    @pages.after_request
    def tell_browser(answer: Response) -> Response:
        # What is the same for everybody may be kept, as long as it is asked whether it has changed.
        kept = answer.headers.get("Cache-Control") if _is_static() else None
        answer.headers.update(HEADERS | ({"Cache-Control": kept} if kept else {}) | g.get("other_headers", {}))
        return answer


def for_viewers(view: View) -> View:
    """Only for who has signed in; everybody else is asked to, and comes back."""

    @wraps(view)
    def guarded(*arguments: Any, **named: Any) -> ResponseReturnValue:
        return view(*arguments, **named) if visitor() else _to_sign_in()

    return cast("View", guarded)


def for_operators(view: View) -> View:
    """Only for who may act."""

    @wraps(view)
    def guarded(*arguments: Any, **named: Any) -> ResponseReturnValue:
        found = visitor()
        if found is None:
            return _to_sign_in()
        if not found.may_act:
            raise Refused(403, f"nothing was done: {found.name} is a {found.role}, and this needs an operator")
        return view(*arguments, **named)

    return cast("View", guarded)


def own_path(path: str) -> str:
    """`path` where it is one of our pages, else the first page: nobody is sent elsewhere from here."""
    return path if _OWN_PATH.fullmatch(path) else "/"


def page_of_form() -> str:
    """The page on which the form of this request stands: what is posted lies below it, or it says so."""
    above = "/".join(request.path.split("/")[:3])
    return own_path(request.form.get("back", above))


def require_visitor() -> Visitor:
    """Who has signed in, in a view that only they reach."""
    found = visitor()
    if found is None:
        raise LookupError("nobody has signed in")
    return found


def _is_static() -> bool:
    return (request.endpoint or "").endswith(".static")


def _to_sign_in() -> ResponseReturnValue:
    if request.method not in SAFE:
        flash("Your sign-in has ended. Nothing was done.", "bad")
    back = own_path(request.path) if request.method in SAFE else page_of_form()
    return redirect(url_for("pages.sign_in", next=back), 303)


def _require_own_origin() -> None:
    """A browser says with every form where it comes from; what says nothing is no browser of ours."""
    external = site().in_force().config.web.external_url
    own = {f"{request.scheme}://{request.host}"}
    if external is not None:
        parts = urlsplit(external)
        own.add(f"{parts.scheme}://{parts.netloc}")
    if request.headers.get("Origin") not in own:
        raise Refused(
            403,
            "the form comes from another address than this page, so nothing was done; "
            "behind a proxy, web.external_url must be the address that people use",
        )
