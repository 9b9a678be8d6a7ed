"""The page, served over an agent that asks before it rolls back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.receiver.agent import Agent
from tests.receiver.web.served import Page, served


@pytest.fixture
def page(make_agent: Callable[..., Agent], tmp_path: Path) -> Iterator[Page]:
    """The page of an agent at L3, to which nothing has happened yet."""
    with served(make_agent(autonomy="L3"), tmp_path) as here:
        yield here


@pytest.fixture
def incident(page: Page) -> str:
    """The id of an incident whose plan waits for a person."""
    page.agent.go()
    return page.incident()
