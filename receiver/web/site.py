"""What the page is built from: it reads the journal, and writes through nothing but what is named here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from flask import current_app

from receiver.announcements import Announcements
from receiver.authentication import Access
from receiver.config import Config
from receiver.journal.database import Database
from receiver.operators import Operators
from receiver.reviewing import Reviewers
from receiver.world import World

EXTENSION = "rollback-agent-site"


class InForce(Protocol):
    """What a reload may replace, always as a whole."""

    @property
    def config(self) -> Config:
        """The configuration."""
        ...

    @property
    def worlds(self) -> Mapping[str, World]:
        """Each deployment's surroundings, by name."""
        ...

    @property
    def operators(self) -> Operators:
        """Who does what a person has decided."""
        ...

    @property
    def reviewers(self) -> Reviewers:
        """Who takes what a person found of an incident."""
        ...

    @property
    def announcements(self) -> Announcements:
        """Who takes what is told of hotfixes."""
        ...

    @property
    def access(self) -> Access:
        """Who knows the users and their roles."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """The page's surroundings; `serving_since` is in Unix seconds, `key` signs the cookies."""

    database: Database
    in_force: Callable[[], InForce]
    serving_since: float
    key: bytes


def site() -> Site:
    """The surroundings of the page that answers the current request."""
    found: Site = current_app.extensions[EXTENSION]
    return found
