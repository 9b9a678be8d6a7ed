"""The endpoints for people's programs: incidents and the document that describes all endpoints."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import resources
from importlib.metadata import version
from typing import Any

import yaml
from flask import Flask, Response, jsonify, request

from receiver.authentication import Access
from receiver.identity import Role
from receiver.journal import views
from receiver.journal.database import Database

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


def add_api(app: Flask, database: Database, access: Callable[[], Access]) -> None:
    """Add the endpoints to `app`."""
    document = openapi()

    @app.get("/api/v1/openapi.json")
    def describe() -> Response:
        return jsonify(document)

    @app.get("/api/v1/incidents")
    def incidents() -> Response:
        access().require(request, Role.VIEWER)
        with database.read() as tx:
            return jsonify(incidents=views.incidents(tx))

    @app.get("/api/v1/incidents/<incident>")
    def show(incident: str) -> tuple[Response, int]:
        access().require(request, Role.VIEWER)
        with database.read() as tx:
            found = views.incident(tx, incident) if _ID.fullmatch(incident) else None
        return (jsonify(found), 200) if found else (jsonify(error=f"there is no incident {incident}"), 404)


def openapi() -> dict[str, Any]:
    """The OpenAPI document of every endpoint but the page's."""
    text = (resources.files("receiver") / "openapi.yaml").read_text()
    document: dict[str, Any] = yaml.safe_load(text)
    document["info"]["version"] = version("rollback-agent")
    return document
