"""Lets a request pass that carries a configured bearer token."""

from __future__ import annotations

from flask import request

from receiver.log import get_log
from receiver.secret import SecretFile


class Refused(Exception):
    """A request that is answered with `status` and the error's text; `outcome` is what a notification is counted as."""

    def __init__(self, status: int, text: str, outcome: str = "failed") -> None:
        super().__init__(text)
        self.status = status
        self.outcome = outcome


def authenticate(token: SecretFile, whose: str) -> None:
    """Raise Refused unless the current request carries the token of `whose`."""
    scheme, _, offered = request.headers.get("Authorization", "").partition(" ")
    try:
        ok = token.matches(offered.strip()) and scheme.lower() == "bearer"
    except (OSError, ValueError) as error:
        get_log().error(f"the {whose}'s token cannot be read", error=str(error))
        raise Refused(503, "the token cannot be checked; see the agent's log") from error
    if not ok:
        raise Refused(401, "a bearer token is needed, and it must be the configured one", "unauthorized")
