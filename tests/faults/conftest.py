"""What all trials of one process share: nothing of it is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.fleet import Fleet
from tests.faults.nursery import nursery
from tests.faults.trial import Trial
from tests.faults.watchers import watching


@pytest.fixture(scope="session")
def make_trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Trial]]:
    """Trials, one after the other, with a real Prometheus and a real Alertmanager."""
    fleet = Fleet()
    with ExitStack() as stack:
        watchers = stack.enter_context(watching(fleet, tmp_path_factory.mktemp("watchers")))
        lives = stack.enter_context(nursery())

        def make(directory: Path, **more: Any) -> Trial:
            return Trial(directory, fleet, watchers, lives, **more)

        yield make
