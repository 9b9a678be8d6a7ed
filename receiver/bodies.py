"""Reads the bodies and parameters of requests strictly; what cannot be used is told by its place."""

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
        # The first part of a place is the kind that was recognised.
        raise _refused(error, "body", skip=1) from error


def read_parameters(adapter: TypeAdapter[T]) -> T:
    """The current request's query parameters, each given once; raises Refused (400) with its first fault."""
    given = {name: values[0] if len(values) == 1 else values for name, values in request.args.lists()}
    try:
        return adapter.validate_python(given)
    except ValidationError as error:
        raise _refused(error, "query", skip=0) from error


def _refused(error: ValidationError, part: str, skip: int) -> Refused:
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, fault["loc"][skip:]))
    what = "unknown key" if fault["type"] == "extra_forbidden" else fault["msg"].removeprefix("Value error, ")
    return Refused(400, f"{where}: {what}" if where else f"the {part} cannot be used: {what}")
