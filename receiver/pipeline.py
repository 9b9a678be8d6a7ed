"""The endpoints for people's tools and pipelines: they announce hotfixes and deploys, and ask whether they may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Literal

from flask import Flask, Response, jsonify, request
from pydantic import AfterValidator, Field, TypeAdapter

from configfile import Boolean, Seconds, Section
from receiver.announcements import Announcements
from receiver.authentication import Access
from receiver.bodies import Text, read_body, read_parameters
from receiver.config_values import Name
from receiver.errors import AuditError, BadAnnouncement, HotfixConflict, UnknownDeployment
from receiver.gate import obstacles
from receiver.identity import Identity, Role
from receiver.journal.database import Database
from receiver.journal.hotfixes import HotfixState
from receiver.journal.releases import Migration
from receiver.log import get_log


def _not_empty(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


Person = Annotated[Text, AfterValidator(_not_empty)]


class StartHotfix(Section):
    """A hotfix will be live within `eta`."""

    action: Literal["start"]
    eta: Seconds
    by: Person | None = None
    comment: Text = ""


class EndHotfix(Section):
    """The hotfix is live and helps, or it does not."""

    action: Literal["done", "failed"]
    by: Person | None = None
    comment: Text = ""


class StartRelease(Section):
    """A deploy has begun."""

    event: Literal["start"]
    release: Name
    commit: Text | None = None
    author: Text | None = None
    services: Annotated[tuple[Name, ...], Field(max_length=100)] | None = None


class FinishRelease(Section):
    """A deploy has ended, its database migration included."""

    event: Literal["finish"]
    release: Name
    migration: Migration | None = None
    irreversible: Boolean | None = None


class AskGate(Section):
    """May this release be deployed?"""

    release: Name
    commit: Text | None = None


_GATE: TypeAdapter[AskGate] = TypeAdapter(AskGate)
_HOTFIX: TypeAdapter[StartHotfix | EndHotfix] = TypeAdapter(
    Annotated[StartHotfix | EndHotfix, Field(discriminator="action")]
)
_RELEASE: TypeAdapter[StartRelease | FinishRelease] = TypeAdapter(
    Annotated[StartRelease | FinishRelease, Field(discriminator="event")]
)


def add_pipeline(
    app: Flask, database: Database, announcements: Callable[[], Announcements], access: Callable[[], Access]
) -> None:
    """Add the endpoints to `app`, for pipelines and operators."""

    def let_in(deployment: str) -> tuple[Identity, Announcements]:
        who = access().require(request, Role.PIPELINE, Role.OPERATOR)
        taken_by = announcements()
        taken_by.require_known(deployment)
        return who, taken_by

    @app.post("/api/v1/deployments/<deployment>/hotfix")
    def hotfix(deployment: str) -> tuple[Response, int]:
        who, taken_by = let_in(deployment)
        body = read_body(_HOTFIX)
        by = _speaker(who, body.by)
        if isinstance(body, StartHotfix):
            return jsonify(asdict(taken_by.start_hotfix(deployment, body.eta, by, body.comment))), 201
        ended = taken_by.end_hotfix(deployment, HotfixState(body.action), by, body.comment)
        return jsonify(asdict(ended)), 200

    @app.post("/api/v1/deployments/<deployment>/releases")
    def releases(deployment: str) -> tuple[Response, int]:
        who, taken_by = let_in(deployment)
        body = read_body(_RELEASE)
        if isinstance(body, StartRelease):
            begun = taken_by.start_release(deployment, body.release, who.name, body.commit, body.author, body.services)
            return jsonify(asdict(begun)), 201
        ended = taken_by.finish_release(deployment, body.release, who.name, body.migration, body.irreversible)
        return jsonify(asdict(ended)), 200

    @app.get("/api/v1/deployments/<deployment>/gate")
    def gate(deployment: str) -> tuple[Response, int]:
        access().require(request, Role.PIPELINE, Role.VIEWER)
        announcements().require_known(deployment)
        asked = read_parameters(_GATE)
        with database.read() as tx:
            reasons = obstacles(tx, deployment, asked.release, asked.commit)
        answer = {"deployment": deployment, "release": asked.release, "open": not reasons, "reasons": reasons}
        return jsonify(answer), HTTPStatus.LOCKED if reasons else HTTPStatus.OK

    @app.errorhandler(BadAnnouncement)
    def bad(error: BadAnnouncement) -> tuple[Response, int]:
        status = 404 if isinstance(error, UnknownDeployment) else 409 if isinstance(error, HotfixConflict) else 400
        return jsonify(error=str(error)), status

    @app.errorhandler(AuditError)
    def not_audited(error: AuditError) -> tuple[Response, int]:
        get_log().error("what was told could not be recorded", path=request.path, error=str(error))
        return jsonify(error="the audit trail cannot be written, so nothing was taken; see the agent's log"), 503


def _speaker(who: Identity, by: str | None) -> str:
    """For whom `who` speaks: a pipeline for the people who use it, a person for themselves."""
    return by if by and who.role is Role.PIPELINE else who.name
