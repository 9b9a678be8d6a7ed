"""Each bad release fails as it says, and in nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.load import USERS
from demo.processes import wait_until
from demo.releases import Fault
from tests.demo.sample import Sample

PROBES = {
    "login": ("fastapi", "/self-test/login", "POST"),
    "database": ("fastapi", "/self-test/database", "GET"),
    "payment": ("flask", "/self-test/payment", "POST"),
    "page": ("gradio", "/", "GET"),
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """A deployment to which each test ships its own release."""
    running = Sample(tmp_path_factory.mktemp("faults"))
    try:
        yield running
    finally:
        running.deployment.stop()


@pytest.mark.parametrize(
    ("fault", "broken", "code"),
    [
        (Fault.AUTHENTICATION_BROKEN, "login", 503),
        (Fault.PAYMENT_BROKEN, "payment", 500),
        (Fault.DATABASE_BROKEN, "database", 503),
        # Not 5xx: else it would be an error rate.
        (Fault.USER_INTERFACE_BROKEN, "page", 404),
    ],
)
def test_a_fault_breaks_one_check_only(sample: Sample, fault: Fault, broken: str, code: int) -> None:
    """One self test fails with this code, the others and the users' requests go well, and all services are up."""
    sample.deployment.ship(fault)
    assert wait_until(sample.all_up, 60)
    codes = {
        name: sample.request(service, path, method).status_code for name, (service, path, method) in PROBES.items()
    }
    assert codes == dict.fromkeys(PROBES, 200) | {broken: code}
    assert sample.request("fastapi", "/nodes/3").status_code == 200
    assert sample.request("flask", "/payments").status_code == 200


@pytest.mark.parametrize(
    ("fault", "service", "path", "affected"),
    [
        (Fault.ELEVATED_ERROR_RATE, "fastapi", "/nodes/3", 36),
        (Fault.MINOR_IMPACT, "flask", "/payments", 8),
        (Fault.MINOR_IMPACT_WORSENING, "flask", "/payments", 19),
        (Fault.WIDE_IMPACT, "flask", "/payments", 33),
    ],
)
def test_a_fault_affects_a_share_of_the_users(
    sample: Sample, fault: Fault, service: str, path: str, affected: int
) -> None:
    """So many of the 400 users get 500 from one service; health pages and self tests say 200."""
    sample.deployment.ship(fault)
    assert wait_until(sample.all_up, 60)
    codes = [sample.request(service, path, user=user).status_code for user in USERS]
    assert codes.count(500) == affected
    assert codes.count(200) == len(USERS) - affected
    checks = [sample.request(service, path, method).status_code for service, path, method in PROBES.values()]
    assert checks == [200] * len(PROBES)


def test_wide_impact_is_no_error_rate(sample: Sample) -> None:
    """An affected user gets a 500 at every third request only, so fewer than 5 % of the requests fail."""
    sample.deployment.ship(Fault.WIDE_IMPACT)
    assert wait_until(sample.all_up, 60)
    codes = [sample.request("flask", "/payments", user="user-011").status_code for _ in range(6)]
    assert codes == [500, 200, 200, 500, 200, 200]


def test_slow_responses_are_slow(sample: Sample) -> None:
    """Showing a payment takes 0.3 s, and is right; its migrations went well."""
    assert sample.deployment.put_live(sample.deployment.releases.make(Fault.SLOW_RESPONSES))
    assert wait_until(sample.all_up, 60)
    answer = sample.request("flask", "/payments", user="user-017")
    assert answer.elapsed.total_seconds() >= 0.3
    assert answer.json()["payments"] == [{"id": 17, "cents": 721, "state": "captured"}]


def test_a_failed_migration_leaves_nothing_and_is_told(sample: Sample) -> None:
    """Its first statement is undone with the second; the release is live and works all the same."""
    bad = sample.deployment.releases.make(Fault.MIGRATION_FAILED)
    assert not sample.deployment.put_live(bad)
    assert sample.deployment.releases.live() == bad.id
    assert wait_until(sample.all_up, 60)
    assert "measured_at" not in {row[1] for row in sample.read("PRAGMA table_info(nodes)")}
    assert ("004_frequencies.sql",) not in sample.read("SELECT name FROM schema_migrations")
