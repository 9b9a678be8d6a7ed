"""What several of the receiver's tests need running."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.receiver.agent import Agent
from tests.receiver.earning import EARNS, approved_before, level, look
from tests.receiver.replays import replay_all
from tests.receiver.serving import Receiver, serving
from tests.receiver.surroundings import ToldOfAlerts


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """The HTTP interface, served."""
    with serving(tmp_path) as here:
        yield here


@pytest.fixture
def make_agent(tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    """Makes an agent with settings of its own."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Agent:
            made = Agent(tmp_path, **settings)
            stack.callback(made.database.close)
            # Whatever a test has let an agent decide must be what it would decide again.
            stack.callback(replay_all, made.database)
            return made

        yield make


@pytest.fixture
def agent(make_agent: Callable[..., Agent]) -> Agent:
    """An agent at L4."""
    return make_agent()


@pytest.fixture
def asking(make_agent: Callable[..., Agent]) -> Agent:
    """An agent at L3 that has asked a person to confirm its plan."""
    agent = make_agent(autonomy="L3")
    agent.go()
    return agent


@pytest.fixture
def earning(make_agent: Callable[..., Agent]) -> Agent:
    """An agent at L3 of which one branch has all but one of the approved rollbacks that it needs."""
    agent = make_agent(**EARNS)
    approved_before(agent, 2)
    return agent


@pytest.fixture
def risen(make_agent: Callable[..., Agent]) -> Agent:
    """An agent at L3 of which one branch has earned L4."""
    agent = make_agent(**EARNS)
    approved_before(agent, 3)
    look(agent)
    assert level(agent) == "L4"
    return agent


@pytest.fixture
def alertmanager() -> ToldOfAlerts:
    """An Alertmanager that takes everything."""
    return ToldOfAlerts()
