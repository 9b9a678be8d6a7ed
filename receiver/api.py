"""The endpoints for people's programs: incidents, decisions, and the document that describes all endpoints."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import resources
from importlib.metadata import version
from typing import Annotated, Any, Literal

import yaml
from flask import Flask, Response, jsonify, request
from pydantic import Field, TypeAdapter

from configfile import Section
from receiver.authentication import Access
from receiver.bodies import Text, read_body
from receiver.config import Config
from receiver.errors import Gone, NotFound, NotPossible
from receiver.identity import Role
from receiver.journal import views
from receiver.journal.database import Database
from receiver.model import SHORT_HASH
from receiver.operators import Operators, Person, Via
from receiver.redact import redact
from receiver.removed import gone
from receiver.standing import autonomy_of

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


class Approve(Section):
    """The plan with this hash, or this beginning of a hash, is confirmed."""

    decision: Literal["approve"]
    plan: Annotated[str, Field(min_length=SHORT_HASH, max_length=64)]
    comment: Text = ""


class Deny(Section):
    """Whatever is asked about is refused."""

    decision: Literal["deny"]
    comment: Text = ""


_DECISION: TypeAdapter[Approve | Deny] = TypeAdapter(Annotated[Approve | Deny, Field(discriminator="decision")])


def add_api(
    app: Flask,
    database: Database,
    access: Callable[[], Access],
    operators: Callable[[], Operators],
    config: Callable[[], Config],
) -> None:
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
        return jsonify(find(incident)), 200

    @app.get("/api/v1/deployments/<deployment>/autonomy")
    def autonomy(deployment: str) -> Response:
        access().require(request, Role.VIEWER)
        in_force = config()
        if deployment not in in_force.deployments:
            raise NotFound(f"there is no deployment {deployment}")
        with database.read() as tx:
            return jsonify(redact(autonomy_of(tx, in_force, deployment)))

    @app.post("/api/v1/incidents/<incident>/decision")
    def decide(incident: str) -> tuple[Response, int]:
        who = access().require(request, Role.OPERATOR)
        find(incident)
        body = read_body(_DECISION)
        person = Person(who.name, Via.API)
        if isinstance(body, Approve):
            operators().approve(incident, body.plan, person, body.comment)
        else:
            operators().deny(incident, person, body.comment)
        return jsonify(find(incident)), 200

    def find(incident: str) -> views.View:
        with database.read() as tx:
            found = views.incident(tx, incident) if _ID.fullmatch(incident) else None
            if found is None:
                raise gone(tx, incident) or NotFound(f"there is no incident {incident}")
        return found

    @app.errorhandler(NotPossible)
    def not_possible(error: NotPossible) -> tuple[Response, int]:
        match error:
            case Gone():
                status = 410
            case NotFound():
                status = 404
            case _:
                status = 409
        return jsonify(error=str(error)), status


def openapi() -> dict[str, Any]:
    """The OpenAPI document of every endpoint but the page's."""
    text = (resources.files("receiver") / "openapi.yaml").read_text()
    document: dict[str, Any] = yaml.safe_load(text)
    document["info"]["version"] = version("rollback-agent")
    return document
