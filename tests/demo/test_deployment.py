"""The sample deployment runs on free ports, passes its self tests, and its bad releases fail as they say."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect

from demo import settings
from demo.deployment import SERVICES
from demo.load import USERS
from demo.processes import wait_until
from demo.releases import Fault
from exporters.log_formats import Format
from tests.chromium import chromium
from tests.demo.sample import Sample
from tests.exporters.reading import read_line


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """The good release live, all services up."""
    running = Sample(tmp_path_factory.mktemp("sample"))
    try:
        assert wait_until(running.all_up, 60)
        yield running
    finally:
        running.deployment.stop()


@pytest.fixture
def good_again(sample: Sample) -> Iterator[None]:
    """Afterwards the good release is live again, and works on the database that the bad one migrated."""
    yield
    sample.deployment.put_live(sample.good)
    assert wait_until(sample.all_up, 60)
    assert sample.request("fastapi", "/nodes/3", user="user-007").status_code == 200
    assert sample.request("flask", "/payments", user="user-007").status_code == 200
    assert sample.request("fastapi", "/self-test/login", "POST").status_code == 200
    assert sample.request("flask", "/self-test/payment", "POST").status_code == 200


def test_a_release_is_its_commit(sample: Sample) -> None:
    """`current` is a relative link to a directory that holds exactly the files of the commit in REVISION."""
    link = sample.places.deployment / "current"
    assert str(link.readlink()) == f"releases/{sample.good.id}"
    assert re.fullmatch(r"[A-Za-z0-9._-]+", sample.good.id)
    assert (link / "REVISION").read_text() == f"{sample.good.commit}\n"
    listed = subprocess.run(
        ("git", "ls-tree", "-r", "--name-only", sample.good.commit),
        cwd=sample.places.sources,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    found = {str(file.relative_to(link)) for file in link.rglob("*") if file.is_file()}
    assert found == {*listed, "REVISION"}


def test_services_answer_from_the_database(sample: Sample) -> None:
    """Each service gives its users something real."""
    assert sample.request("fastapi", "/nodes/3").json()["name"] == "node-03"
    payments = sample.request("flask", "/payments", user="user-017").json()["payments"]
    assert payments == [{"id": 17, "cents": 721, "state": "captured"}]
    page = sample.request("gradio", "/config").json()
    assert page["title"] == "Quantum Resonance Lattice"


def test_the_login_self_test_logs_in_by_password(sample: Sample) -> None:
    """It succeeds with the right password hash in the database, fails with another, and leaves no session."""
    assert sample.request("fastapi", "/self-test/login", "POST").status_code == 200
    (before,) = sample.read("SELECT password_hash FROM users WHERE name = 'self-test'")
    with closing(sqlite3.connect(sample.places.database)) as connection, connection:
        connection.execute("UPDATE users SET password_hash = x'00' WHERE name = 'self-test'")
    assert sample.request("fastapi", "/self-test/login", "POST").status_code == 503
    with closing(sqlite3.connect(sample.places.database)) as connection, connection:
        connection.execute("UPDATE users SET password_hash = ? WHERE name = 'self-test'", before)
    assert sample.request("fastapi", "/self-test/login", "POST").status_code == 200
    assert sample.read("SELECT count(*) FROM sessions") == [(0,)]


def test_the_payment_self_test_authorises_and_voids(sample: Sample) -> None:
    """The payment that it names is in the database, of one cent, and void."""
    answer = sample.request("flask", "/self-test/payment", "POST")
    assert answer.status_code == 200
    number = answer.json()["payment"]
    assert sample.read(f"SELECT cents, state FROM payments WHERE id = {number}") == [(1, "voided")]


def test_the_payment_self_test_fails_without_its_table(sample: Sample) -> None:
    """A database that cannot take the payment makes it answer 5xx."""
    with closing(sqlite3.connect(sample.places.database)) as connection:
        connection.execute("ALTER TABLE payments RENAME TO elsewhere")
        try:
            assert sample.request("flask", "/self-test/payment", "POST").status_code >= 500
        finally:
            connection.execute("ALTER TABLE elsewhere RENAME TO payments")


def test_the_database_self_test_reads_rows(sample: Sample) -> None:
    """It counts the nodes of the migration."""
    assert sample.request("fastapi", "/self-test/database").json() == {"nodes": 64}


def logged(sample: Sample, service: str, path: str) -> bool:
    """Whether a successful GET of `path` stands in the service's access log."""
    return f'"GET {path} HTTP/1.1" 200' in sample.places.access_log(service).read_text()


def test_each_service_writes_an_access_log(sample: Sample) -> None:
    """A request appears in the log of its service."""
    for service, path in (("fastapi", "/nodes/9"), ("flask", "/payments"), ("gradio", "/config")):
        sample.request(service, path, user="user-123")
    assert wait_until(lambda: logged(sample, "fastapi", "/nodes/9"), 60)
    assert wait_until(lambda: logged(sample, "flask", "/payments"), 60)
    assert wait_until(lambda: logged(sample, "gradio", "/config"), 60)


def test_the_exporter_understands_every_line(sample: Sample) -> None:
    """Each access log is read in the format that the exporter's configuration names; Flask's tells who and how long."""
    configured = settings.exporter(sample.places, sample.ports)["deployments"]["qrl"]["services"]
    for service in SERVICES:
        (log,) = configured[service]["access_logs"]
        sample.request(service, "/understood", user="user-042")
        assert wait_until(lambda: "/understood" in sample.places.access_log(service).read_text(), 60)  # noqa: B023
        lines = Path(log["path"]).read_text().splitlines()
        requests_read = [read_line(Format(log["format"]), line, log.get("user_field")) for line in lines]
        assert lines
        assert None not in requests_read, service
        if service == "flask":
            (found,) = [one for one, line in zip(requests_read, lines, strict=True) if "/understood" in line and one]
            assert (found.user, found.code) == ("user-042", "404")
            assert found.seconds is not None
            assert 0 < found.seconds < 5


@pytest.mark.usefixtures("good_again")
def test_broken_start_takes_one_service_down(sample: Sample) -> None:
    """FastAPI does not start, the others do, and its migration is applied."""
    bad = sample.deployment.ship(Fault.BROKEN_START)
    assert sample.deployment.releases.live() == bad.id != sample.good.id
    assert bad.commit != sample.good.commit
    assert wait_until(lambda: sample.deployment.services_up() == {"fastapi": False, "flask": True, "gradio": True}, 60)
    assert "cannot import name 'resonance'" in (sample.places.logs / "fastapi.log").read_text()
    assert ("002_node_tuning.sql",) in sample.read("SELECT name FROM schema_migrations")


@pytest.mark.usefixtures("good_again")
def test_errors_30_percent_fails_three_of_ten_users(sample: Sample) -> None:
    """Users whose number ends in 7, 8 or 9 get 500 from FastAPI and Flask; every health page says 200."""
    sample.deployment.ship(Fault.ERRORS_30_PERCENT)
    assert wait_until(sample.all_up, 60)
    for service, path in (("fastapi", "/nodes/3"), ("flask", "/payments")):
        codes = [sample.request(service, path, user=user).status_code for user in USERS[:100]]
        assert codes.count(500) == 30, service
        assert codes.count(200) == 70, service
    assert set(sample.deployment.services_up()) == set(SERVICES)
    assert sample.all_up()


def test_its_page_works_in_a_browser(sample: Sample) -> None:
    """A visitor opens the Gradio page in Debian's Chromium, computes, and reads the answer."""
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{sample.ports.gradio}/")
        page.get_by_role("button", name="Compute").click()
        expect(page.get_by_label("Beat")).to_have_value(re.compile(r"\d+\.\d Hz"), timeout=15_000)
