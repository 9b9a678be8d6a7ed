"""Whatever happens, in whatever order, and wherever the agent is killed: the promises hold.

Random sequences of what Prometheus, people, pipelines and crashes do are played to the agent and to a plain model of
what must come of them (model.py). `--hypothesis-profile long` plays many more: see CONTRIBUTING.md.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from receiver import run_once
from receiver.model import Autonomy, Level
from receiver.operators import Answer
from tests.receiver.promises import draws
from tests.receiver.promises.changes import CHANGES, Change, all_is_well, ships
from tests.receiver.promises.draws import INTERRUPTIONS, Interrupted, Vote
from tests.receiver.promises.model import ASKS, COOLDOWN, DAY, PROVES_GOOD, Command
from tests.receiver.promises.scene import Scene

FAST = Path("/dev/shm")
"""Where a sync to disk is no wait, if the machine has it."""


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two real seconds show that a command was lost."""
    monkeypatch.setattr(run_once, "GRACE", 2.0)


class Promises(RuleBasedStateMachine):
    """What may happen."""

    scene: Scene

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(dir=FAST if FAST.is_dir() else None))

    @initialize(level=draws.LEVELS, people=st.sampled_from((1, 2)))
    def begins(self, level: Autonomy, people: int) -> None:
        """A good release was live, and another one is."""
        self.scene = Scene(self.root, level, people)
        self.scene.observe()

    def teardown(self) -> None:
        """In the end each run has come to its own."""
        try:
            for _ in range(2):
                self.scene.passes(40 * DAY)
                self.scene.work()
            assert ASKS not in self.scene.concluded.values()
        finally:
            self.scene.stage.database.close()
            shutil.rmtree(self.root)

    # What the world does.

    @rule(name=draws.SURE, how=draws.COMMANDS, after=draws.BETWEEN, interrupted=INTERRUPTIONS)
    def a_bad_release_is_rolled_back(self, name: str, how: Command, after: float, interrupted: Interrupted) -> None:
        """Without asking, unless something is in the way."""
        self.scene.ship_a_bad_one(name, how, Autonomy.L4, after, is_mended=True)
        self.scene.notify(name, 1, interrupted)

    @rule(
        name=draws.ROLLBACKS, how=draws.COMMANDS, level=draws.LEVELS, after=draws.BETWEEN, votes=draws.CONFIRMATIONS,
        interrupted=INTERRUPTIONS, then=INTERRUPTIONS,
    )  # fmt: skip
    def a_bad_release_is_voted_on(
        self, name: str, how: Command, level: Autonomy, after: float, votes: list[Vote],
        interrupted: Interrupted, then: Interrupted,
    ) -> None:  # fmt: skip
        """Mostly by as many people as must, unless something is in the way."""
        self.scene.ship_a_bad_one(name, how, level, after, is_mended=True)
        self.scene.notify(name, 1, interrupted)
        if self.scene.question:
            self.scene.vote(self.scene.question, votes)
            self.scene.act(then)

    @rule(name=draws.BRANCHES, how=draws.COMMANDS, level=draws.LEVELS, interrupted=INTERRUPTIONS)
    def a_bad_release_goes_live(self, name: str, how: Command, level: Autonomy, interrupted: Interrupted) -> None:
        """And what comes of it is left open."""
        self.scene.ship_a_bad_one(name, how, level, COOLDOWN, is_mended=False)
        self.scene.notify(name, 1, interrupted)

    @rule()
    def a_release_goes_live_and_proves_good(self) -> None:
        """Fifteen quiet minutes after it went live."""
        ships(self.scene)
        self.scene.observe()
        self.scene.world.firing.clear()
        self.scene.tell()
        self.scene.passes(PROVES_GOOD)
        self.scene.observe()
        self.scene.work()

    @rule(name=draws.BRANCHES, change=st.sampled_from((*CHANGES, all_is_well, None)))
    def something_changes(self, name: str, change: Change | None) -> None:
        """While the agent is at rest; else it is an alert that fires beside others, or clears."""
        if change is None:
            self.scene.world.firing ^= {name}
            self.scene.tell()
        else:
            change(self.scene)

    # What the agent hears, or does by itself.

    @rule(
        hears=st.sampled_from(("notified", "looks", "time")), name=draws.BRANCHES, copies=st.integers(1, 3),
        seconds=draws.PERIODS, watchdog=draws.MOSTLY, interrupted=INTERRUPTIONS,
    )  # fmt: skip
    def it_works(
        self, hears: str, name: str, copies: int, seconds: float, watchdog: bool, interrupted: Interrupted
    ) -> None:
        """Notified of what fires or does not, once or again; by its own look each minute; or since time has passed."""
        if hears == "notified":
            self.scene.notify(name, copies, interrupted)
        elif hears == "looks":
            self.scene.look_around(interrupted)
        else:
            self.scene.passes(seconds, watchdog=watchdog)
            self.scene.act(interrupted)

    # What people do.

    @precondition(lambda self: self.scene.question is not None)
    @rule(votes=st.lists(draws.VOTES, min_size=1, max_size=3), interrupted=INTERRUPTIONS)
    def people_vote(self, votes: list[Vote], interrupted: Interrupted) -> None:
        """For the plan or another, typing as much of its hash as they like."""
        assert self.scene.question is not None
        self.scene.vote(self.scene.question, votes)
        self.scene.act(interrupted)

    @precondition(lambda self: self.scene.question is not None)
    @rule(is_recorded=draws.MOSTLY, interrupted=INTERRUPTIONS)
    def somebody_denies(self, is_recorded: bool, interrupted: Interrupted) -> None:
        """Before, between or after the others."""
        assert self.scene.question is not None
        self.scene.deny(self.scene.question, is_recorded=is_recorded)
        self.scene.act(interrupted)

    @rule(
        does=st.sampled_from(("set", "ask", "answer", "clear", "let go")), scope=st.sampled_from(("qrl", "*")),
        autonomy=st.sampled_from(tuple(Autonomy)), level=st.sampled_from((Level.FAST, Level.FULL)),
        word=st.sampled_from(tuple(Answer)), which=st.integers(0, 5),
    )  # fmt: skip
    def an_operator_acts(
        self, does: str, scope: str, autonomy: Autonomy, level: Level, word: Answer, which: int
    ) -> None:
        """Sets the level of autonomy, asks for a rollback, answers, clears the latch, or lets go of a held release."""
        if does == "set":
            self.scene.set_level(scope, autonomy)
        elif does == "ask":
            self.scene.request(level)
        elif does == "answer":
            self.scene.answer(word, which)
        elif does == "clear":
            self.scene.clear()
        else:
            self.scene.let_go(which)


TestPromises = Promises.TestCase
TestPromises.settings = settings(
    max_examples=settings().max_examples // 3,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
