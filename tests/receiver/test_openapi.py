"""The OpenAPI document describes the endpoints that there are, and is served."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from pydantic import BaseModel, TypeAdapter

from receiver.api import Approve, Deny, openapi
from receiver.journal.hotfixes import Hotfix
from receiver.journal.releases import Deploy
from receiver.pipeline import EndHotfix, FinishRelease, StartHotfix, StartRelease
from tests.receiver.serving import Receiver

METHODS = {"get", "put", "post", "delete", "patch"}
OF_THE_PAGE = "pages."
"""What people's browsers ask for is no part of the document."""


def documented() -> set[tuple[str, str]]:
    """Every method and path of the document."""
    return {(method, path) for path, item in openapi()["paths"].items() for method in item.keys() & METHODS}


def routed(app: Flask) -> set[tuple[str, str]]:
    """Every method and path that the application has, without those of the page."""
    return {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith(OF_THE_PAGE)
        for method in rule.methods or ()
        if method.lower() in METHODS
    }


def test_every_endpoint_is_documented_and_exists(receiver: Receiver) -> None:
    """What can be asked is in the document, and nothing else is."""
    assert routed(receiver.app) == documented()


def test_the_document_is_served(receiver: Receiver) -> None:
    """Whoever asks gets it with the program's version, as nothing of it is a secret."""
    answer = receiver.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.json()["openapi"]) == (200, "3.1.0")
    assert answer.json() == openapi()
    assert answer.json()["info"]["version"]


@pytest.mark.parametrize("body", [Approve, Deny, StartHotfix, EndHotfix, StartRelease, FinishRelease])
def test_bodies_are_described_as_they_are_read(body: type[BaseModel]) -> None:
    """Each key of a body is in the document, and the required ones are the required ones."""
    described = openapi()["components"]["schemas"][body.__name__]
    fields = body.model_fields
    assert described["properties"].keys() == fields.keys()
    assert set(described["required"]) == {key for key, field in fields.items() if field.is_required()}


@pytest.mark.parametrize("kind", [Hotfix, Deploy])
def test_answers_are_described_as_they_are_given(kind: type) -> None:
    """Each key of an answer is in the document, as required."""
    described = openapi()["components"]["schemas"][kind.__name__]
    keys = TypeAdapter(kind).json_schema()["properties"].keys()
    assert described["properties"].keys() == keys == set(described["required"])


def test_every_operation_names_who_may(receiver: Receiver) -> None:
    """Who needs no credentials is told so on purpose, every other operation can be refused with 401 and 403."""
    described: dict[str, Any] = openapi()
    for item in described["paths"].values():
        for operation in (item[method] for method in item.keys() & METHODS):
            is_open = operation.get("security") == []
            assert is_open or {"401", "403"} <= operation["responses"].keys(), operation["operationId"]
