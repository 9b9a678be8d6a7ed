"""Signing in and out."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from receiver.authentication import Refused
from receiver.web import visitor
from receiver.web.gate import own_path
from receiver.web.site import site

WRONG = "The name or the password is wrong."


def add_sign_in(pages: Blueprint) -> None:
    """Add `/login` and `/logout`."""

    @pages.get("/login")
    def ask_to_sign_in() -> ResponseReturnValue:
        return _form()

    @pages.post("/login")
    def sign_in() -> ResponseReturnValue:
        name, password = request.form.get("name", ""), request.form.get("password", "")
        access = site().in_force().access
        try:
            identity = access.check_password(name, password, request.remote_addr or "")
        except Refused as error:
            return _form(str(error)), error.status
        if identity is None or identity.role not in visitor.ROLES:
            return _form(WRONG), 401
        visitor.begin(identity.name)
        return redirect(_back(), 303)

    @pages.post("/logout")
    def sign_out() -> ResponseReturnValue:
        visitor.end()
        return redirect(url_for("pages.sign_in"), 303)


def _back() -> str:
    """Where the person wanted to go."""
    return own_path(request.values.get("next", "/"))


def _form(problem: str | None = None) -> str:
    return render_template("sign_in.html", next=_back(), problem=problem)
