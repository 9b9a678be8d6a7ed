"""What the tests of phases need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.postgres import running_server


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Path]:
    """A file with the connection string of a PostgreSQL that holds rows."""
    with running_server() as server:
        url = server.connection_string()
        with psycopg.connect(url) as connection:
            connection.execute("create table node as select n, md5(n::text) from generate_series(1, 1000) as n")
        file = tmp_path / "shop.url"
        file.write_text(url)
        file.chmod(0o600)
        yield file
