"""A reload swaps the configuration and what is built from it as a whole, or leaves both as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from configfile import ConfigError
from receiver.audit_files import Audit
from receiver.config import Config, load_config
from receiver.current import Current
from tests.receiver.surroundings import Clock, configuration


class Desk:
    """A configuration in force, of which the built thing is its autonomy."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = Clock()
        self.config = configuration(root)
        self.current = Current(self.config, self.build, self.clock)

    def build(self, config: Config) -> str:
        if config.reconcile_every == 1.0:
            raise RuntimeError("what is this?")
        return str(config.autonomy)

    def reload(self, load: Callable[[], Config]) -> str | None:
        return self.current.reload(load)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_good_configuration_comes_into_force(desk: Desk) -> None:
    """What is built from it takes the old one's place, and the time of it is known."""
    before = desk.current.reloaded_at
    desk.clock.advance(60)

    assert desk.reload(lambda: configuration(desk.root, autonomy="L1")) is None

    assert (desk.current(), desk.current.was_reloaded_well) == ("L1", True)
    assert desk.current.reloaded_at >= before + 60


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"root": Path("/elsewhere")}, "root cannot change while the agent runs; restart it"),
        ({"audit": Audit(key_file=Path("/elsewhere"))}, "audit cannot change while the agent runs; restart it"),
        ({"listen": ":1"}, "listen cannot change while the agent runs; restart it"),
        ({"root": Path("/"), "listen": ":1"}, "root and listen cannot change while the agent runs; restart it"),
        ({"reconcile_every": 1.0}, "the agent's log says what is wrong with the new one"),
    ],
)
def test_what_cannot_come_into_force_leaves_the_old_one(desk: Desk, changes: dict[str, Any], said: str) -> None:
    """What needs a restart, or cannot be built for a reason that nobody expected, changes nothing, not even in part."""
    before = desk.current.reloaded_at
    desk.clock.advance(60)

    answer = desk.reload(lambda: configuration(desk.root, autonomy="L1").model_copy(update=changes))

    assert answer == f"the old configuration stays in force: {said}"
    assert (desk.current(), desk.current.was_reloaded_well, desk.current.reloaded_at) == ("L4", False, before)


def test_after_a_bad_one_a_good_one_is_compared_with_what_is_in_force(desk: Desk) -> None:
    """A refused configuration leaves no trace: the next one is measured against the one that is in force."""
    desk.reload(lambda: configuration(desk.root, listen="127.0.0.1:1"))

    assert desk.reload(lambda: configuration(desk.root, autonomy="L2")) is None
    assert (desk.current(), desk.current.was_reloaded_well) == ("L2", True)


def test_each_fault_is_logged_and_none_is_answered(desk: Desk) -> None:
    """The log names file, line and key of every fault; who asked over HTTP gets nothing of the file."""
    path = desk.root / "agent.yml"
    path.write_text("root: hunter2\nlisten: nowhere\nautonomi: L3\n")

    with capture_logs() as log:
        answer = desk.reload(lambda: load_config(path))

    assert answer == "the old configuration stays in force: the agent's log says what is wrong with the new one"
    with pytest.raises(ConfigError) as faults:
        load_config(path)
    assert len(str(faults.value).splitlines()) > 3
    assert [line["fault"] for line in log] == str(faults.value).splitlines()


def test_a_file_that_is_cut_or_gone_leaves_the_old_one(desk: Desk) -> None:
    """Read while it is being written, wherever it ends, or after it was removed, it changes nothing."""
    path, wanted = desk.root / "agent.yml", configuration(desk.root, autonomy="L1")
    whole = json.dumps(wanted.model_dump(mode="json", exclude_unset=True))
    for length in range(0, len(whole), 3):
        path.write_text(whole[:length])
        assert desk.reload(lambda: load_config(path)) is not None
    path.unlink()
    assert desk.reload(lambda: load_config(path)) is not None
    assert (desk.current(), desk.current.was_reloaded_well) == ("L4", False)

    path.write_text(whole)
    assert desk.reload(lambda: load_config(path)) is None
    assert desk.current() == "L1"
