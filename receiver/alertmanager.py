"""Asks Alertmanager which silences cover an alert, and tells it of alerts of our own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TypeVar

import re2  # the expressions are Go's, and none of them can take exponential time
from pydantic import TypeAdapter, ValidationError

from receiver.errors import AlertmanagerError, AlertRefused, NoAnswer
from receiver.http_json import NOTHING, Fields, exchange, tell
from receiver.model import RaisedAlert, Silence

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Status:
    state: str = ""
    silencedBy: tuple[str, ...] = ()  # noqa: N815 - the API's name, as the others here


@dataclass(frozen=True, slots=True)
class _Matcher:
    name: str
    value: str
    isRegex: bool  # noqa: N815
    isEqual: bool = True  # noqa: N815 - missing before Alertmanager 0.22


@dataclass(frozen=True, slots=True)
class _Silence:
    id: str
    createdBy: str  # noqa: N815
    comment: str
    endsAt: datetime  # noqa: N815
    matchers: tuple[_Matcher, ...]
    status: _Status


@dataclass(frozen=True, slots=True)
class _Alert:
    status: _Status


@dataclass(frozen=True, slots=True)
class _Loaded:
    original: str


@dataclass(frozen=True, slots=True)
class _State:
    config: _Loaded


_MOST_SAID = 300
_ABOUT_THE_ALERT = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)
"""Answers that another alert need not get."""
_QUIETLY = re2.Options()
_QUIETLY.log_errors = False  # on standard error, past the agent's log
_SILENCES = TypeAdapter(tuple[_Silence, ...])
_ALERTS = TypeAdapter(tuple[_Alert, ...])
_STATE = TypeAdapter(_State)


class Alertmanager:
    """One Alertmanager over its API v2; `timeout` is in seconds, for each question."""

    def __init__(self, url: str, timeout: float) -> None:
        self.url = url
        self._timeout = timeout

    def active_silences(self, labels: dict[str, str]) -> tuple[Silence, ...]:
        """The silences that cover the alert with these labels at this moment; raises AlertmanagerError.

        An alert may have more labels there than in Prometheus: `external_labels` and `alert_relabel_configs` add
        some. So Alertmanager's own word counts where it has the alert, and otherwise the silences' matchers.
        """
        filters = [("filter", f"{name}={json.dumps(value, ensure_ascii=False)}") for name, value in labels.items()]
        alerts = self._read("alerts", _ALERTS, filters)
        active = [silence for silence in self._read("silences", _SILENCES) if silence.status.state == "active"]
        if alerts:
            named = {silence for alert in alerts for silence in alert.status.silencedBy}
            covering = [silence for silence in active if silence.id in named]
        else:
            covering = [silence for silence in active if all(_matches(one, labels) for one in silence.matchers)]
        return tuple(Silence(one.id, one.createdBy, one.comment, one.endsAt.timestamp()) for one in covering)

    def configuration(self) -> str:
        """What it has loaded, as YAML, without the secrets in it; raises AlertmanagerError."""
        return self._read("status", _STATE).config.original

    def tell(self, alert: RaisedAlert) -> None:
        """Let an alert fire until its end, or end it now; raises AlertmanagerError, AlertRefused where it is the alert.

        Alertmanager forgets an alert when it ends or restarts, so what is to stay has to be told again and again. Each
        goes alone: of several it would take the good ones and say of none which was bad.
        """
        told = {
            "labels": alert.labels,
            "annotations": alert.annotations,
            "startsAt": _moment(alert.starts_at),
            "endsAt": _moment(alert.ends_at),
        }
        if alert.link is not None:
            told["generatorURL"] = alert.link
        try:
            status, answer = tell(f"{self.url}/api/v2/alerts", self._timeout, [told])
        except NoAnswer as error:
            raise AlertmanagerError(f"Alertmanager at {self.url} {error}") from error
        if status != HTTPStatus.OK:
            text = f"Alertmanager at {self.url} answered {status} to an alert: {' '.join(answer[:_MOST_SAID].split())}"
            raise AlertRefused(text) if status in _ABOUT_THE_ALERT else AlertmanagerError(text)

    def _read(self, path: str, shape: TypeAdapter[T], parameters: Fields = NOTHING) -> T:
        try:
            status, answer = exchange("GET", f"{self.url}/api/v2/{path}", self._timeout, params=parameters)
        except NoAnswer as error:
            raise AlertmanagerError(f"Alertmanager at {self.url} {error}") from error
        if status != HTTPStatus.OK:
            raise AlertmanagerError(f"Alertmanager at {self.url} answered {status} to {path}: {answer}")
        try:
            return shape.validate_python(answer)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            where = ".".join(map(str, fault["loc"]))
            text = f"Alertmanager's answer is none to {path}: {where}: {fault['msg']}"
            raise AlertmanagerError(text) from error


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _matches(matcher: _Matcher, labels: dict[str, str]) -> bool:
    """Whether a label is as the matcher wants it; one that is missing is empty, as in Alertmanager."""
    value = labels.get(matcher.name, "")
    if not matcher.isRegex:
        return (value == matcher.value) is matcher.isEqual
    try:
        expression = re2.compile(matcher.value, _QUIETLY)
    except re2.error:  # what cannot be told is taken to cover the alert
        return True
    return (expression.fullmatch(value) is not None) is matcher.isEqual
