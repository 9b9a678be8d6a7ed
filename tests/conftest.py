"""Which Prometheus and Alertmanager the tests meet, what every run of them says of it first, and how much is drawn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.postgres import Postgres, running_server
from tests.prometheus_versions import SYSTEM, VERSIONS, Version

# No deadline: it measures the machine, and a busy one fails what is right.
settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.register_profile("long", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile("same")


def pytest_report_header() -> list[str]:
    """What the tests that ask for `version` are run on, and why not on the others."""
    return [f"{version}: {version.told}" for version in VERSIONS]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for all tests of a process; each takes a database of its own."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session", params=VERSIONS, ids=str)
def version(request: pytest.FixtureRequest) -> Version:
    """Each version in turn; one that could not be had is skipped, the system's never."""
    version: Version = request.param
    if version.is_missing and version is not SYSTEM:
        pytest.skip(f"Prometheus of Debian {version}: {version.told}")
    return version
