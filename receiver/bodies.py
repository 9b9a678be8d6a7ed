"""Reads the bodies of requests strictly; what cannot be used is told by its place."""

from __future__ import annotations

from typing import Annotated, TypeVar

from flask import request
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from receiver.authentication import Refused

T = TypeVar("T")


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("holds a character that cannot be printed")
    return value


Text = Annotated[str, Field(max_length=300), AfterValidator(_printable)]
"""What somebody says, on one line."""


def read_body(adapter: TypeAdapter[T]) -> T:
    """The current request's body, of one of several kinds; raises Refused (400) with its first fault."""
    try:
        return adapter.validate_json(request.get_data(cache=False))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        # The first part of a place is the kind that was recognised.
        where = ".".join(map(str, fault["loc"][1:]))
        what = "unknown key" if fault["type"] == "extra_forbidden" else fault["msg"].removeprefix("Value error, ")
        raise Refused(400, f"{where}: {what}" if where else f"the body cannot be used: {what}") from error
