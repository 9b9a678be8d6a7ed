"""Speaks HTTP with a Prometheus server: a whole answer in time, or an error in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from receiver.errors import NoAnswer, PrometheusError, QueryRefused
from receiver.http_json import NOTHING, exchange

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a result; a sample is a time (Unix seconds) and a value.

    A range selector's series has `values`, an instant vector's has one `value`.
    """

    metric: dict[str, str]
    values: tuple[tuple[float, float], ...] = ()
    value: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class _Result:
    result: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class _Scalar:
    result: tuple[float, float]


_RESULT = TypeAdapter(_Result)
_SCALAR = TypeAdapter(_Scalar)


class PrometheusApi:
    """The HTTP API of one Prometheus server; `timeout` is in seconds."""

    def __init__(self, url: str, timeout: float) -> None:
        self.url = url
        self._timeout = timeout

    def query(self, promql: str) -> tuple[Series, ...]:
        """The series of a query at this moment; raises PrometheusError, QueryRefused where the query is at fault."""
        return self._query(promql, _RESULT).result

    def query_range(self, promql: str, since: float, until: float, step: int) -> tuple[Series, ...]:
        """The series of a query at each `step` seconds between two moments; raises as `query` does."""
        moments = {"start": f"{since:.3f}", "end": f"{until:.3f}", "step": str(step)}
        return self._query(promql, _RESULT, "query_range", moments).result

    def scalar(self, promql: str) -> float:
        """The number that a query of a number gives, such as `time()`; raises PrometheusError."""
        return self._query(promql, _SCALAR).result[1]

    def read(self, path: str, shape: TypeAdapter[T], parameters: Mapping[str, str] | None = None) -> T:
        """What `GET /api/v1/PATH` answers, in the wanted shape; raises PrometheusError."""
        status, answer = self._fetch("GET", path, parameters or {})
        return _shaped(shape, _content(status, answer, path), f"answer is none to {path}")

    def _query(
        self, promql: str, shape: TypeAdapter[T], path: str = "query", moments: Mapping[str, str] = NOTHING
    ) -> T:
        # As a form: the text of a query may be longer than an address.
        status, answer = self._fetch("POST", path, {"query": promql, "timeout": f"{self._timeout:g}", **moments})
        content = _content(status, answer, "a query")
        if answer.get("warnings"):
            raise PrometheusError(f"Prometheus answered in part only: {answer['warnings']}")
        return _shaped(shape, content, "answer is none to a query")

    def _fetch(self, method: str, path: str, parameters: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        try:
            status, answer = exchange(
                method,
                f"{self.url}/api/v1/{path}",
                self._timeout,
                params=parameters if method == "GET" else NOTHING,
                form=parameters if method == "POST" else NOTHING,
            )
        except NoAnswer as error:
            raise PrometheusError(f"Prometheus at {self.url} {error}") from error
        if not isinstance(answer, dict):
            raise PrometheusError(f"Prometheus at {self.url} answered {status} without a JSON object")
        return status, answer


def _content(status: int, answer: dict[str, Any], asked: str) -> object:
    """The data of a successful answer; who refuses says why."""
    if status == HTTPStatus.OK and answer.get("status") == "success":
        return answer.get("data")
    why = answer.get("error") or f"it answered {status} and gave no reason"
    at_fault = status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
    raise (QueryRefused if at_fault else PrometheusError)(f"Prometheus refused {asked}: {why}")


def _shaped(shape: TypeAdapter[T], content: object, otherwise: str) -> T:
    try:
        return shape.validate_python(content)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(map(str, ("data", *fault["loc"])))
        raise PrometheusError(f"Prometheus' {otherwise}: {where}: {fault['msg']}") from error
