"""Facts are shown with their units, beside what they became."""

from __future__ import annotations

import pytest

from receiver.web.facts import facts, value

AVAILABILITY = {"name": "deployment:availability:ratio", "service": None, "value": 0.25, "at": 1.0}
DURATION = {"name": "service:http_request_duration_seconds:mean5m", "service": "flask", "value": None, "at": 1.0}


@pytest.mark.parametrize(
    ("name", "number", "text"),
    [
        ("deployment:availability:ratio", 0.25, "25%"),
        ("deployment:availability:ratio", 0.0, "0%"),
        ("service:http_request_errors:ratio_rate5m", 0.0312, "3.12%"),
        ("service:http_requests:rate5m", 14.234, "14.2/s"),
        ("service:http_request_duration_seconds:mean5m", 0.3123, "0.312 s"),
        ("deployment:release_age:seconds", 1234.0, "0:20:34"),
        ("deployment:migration_failed:bool", 1.0, "yes"),
        ("deployment:migration_failed:bool", 0.0, "no"),
        ("deployment:availability:ratio", None, "no data"),
        ("what is {this", 2.0, "2"),
    ],
)
def test_a_value_has_its_unit(name: str, number: float | None, text: str) -> None:
    """The unit is read from the name; no data is no number, and zero is one."""
    assert value(name, number) == text


def test_the_value_when_verified_stands_beside_the_one_decided_on() -> None:
    """By signal and service; a signal that is gone has no data."""
    after = [{**AVAILABILITY, "value": 1.0}]
    run = {"decision": {"signals": [AVAILABILITY, DURATION]}, "verification": {"signals": after}}
    assert [(fact.decided, fact.verified) for fact in facts(run)] == [("25%", "100%"), ("no data", "no data")]


def test_without_a_decision_or_a_verification_there_is_less() -> None:
    """What is not known yet is not shown."""
    assert facts({"decision": None, "verification": None}) == []
    (fact,) = facts({"decision": {"signals": [AVAILABILITY]}, "verification": None})
    assert fact.verified is None
