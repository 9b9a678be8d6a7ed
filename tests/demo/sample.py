"""A running sample deployment on free ports, for tests of it and of its bad releases."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import requests

from demo.deployment import Deployment
from demo.places import Places, Ports
from demo.releases import Release


class Sample:
    """A running sample deployment and what a test asks of it."""

    def __init__(self, root: Path) -> None:
        self.places = Places(root)
        self.ports = Ports.free()
        self.deployment = Deployment(self.places, self.ports)
        self.deployment.start()
        self.good: Release = self.deployment.ship()

    def request(self, service: str, path: str, method: str = "GET", user: str = "user-001") -> requests.Response:
        """The answer of a service to this user."""
        url = f"http://127.0.0.1:{getattr(self.ports, service)}{path}"
        return requests.request(method, url, headers={"X-User": user}, timeout=30)

    def all_up(self) -> bool:
        """Whether all three services answer."""
        return all(self.deployment.services_up().values())

    def read(self, query: str) -> list[tuple[object, ...]]:
        """Rows of the database."""
        with closing(sqlite3.connect(self.places.database)) as connection:
            return connection.execute(query).fetchall()
