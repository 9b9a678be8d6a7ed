"""What the tests of phases need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.postgres import running_server
from tests.receiver.agent import Agent
from tests.receiver.phases.belonging import check_belonging


@pytest.fixture
def make_agent(make_agent: Callable[..., Agent]) -> Iterator[Callable[..., Agent]]:
    """Makes an agent, and sees to it in the end that it told of each run what is of that run."""
    made: list[Agent] = []

    def make(**settings: Any) -> Agent:
        made.append(make_agent(**settings))
        return made[-1]

    yield make
    for one in made:
        check_belonging(one)


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
