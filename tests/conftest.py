"""Which Prometheus and Alertmanager the tests meet, and what every run of them says of it first."""

from __future__ import annotations

import pytest

from tests.prometheus_versions import SYSTEM, VERSIONS, Version


def pytest_report_header() -> list[str]:
    """What the tests that ask for `version` are run on, and why not on the others."""
    return [f"{version}: {version.told}" for version in VERSIONS]


@pytest.fixture(scope="session", params=VERSIONS, ids=str)
def version(request: pytest.FixtureRequest) -> Version:
    """Each version in turn; one that could not be had is skipped, the system's never."""
    version: Version = request.param
    if version.is_missing and version is not SYSTEM:
        pytest.skip(f"Prometheus of Debian {version}: {version.told}")
    return version
