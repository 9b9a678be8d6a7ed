"""Whatever happens, in whatever order, and wherever the agent is killed: the promises hold.

Random sequences of what Prometheus, people, pipelines and crashes do are played to the agent and to a plain model of
what must come of them (model.py). `--hypothesis-profile long` plays many more: see CONTRIBUTING.md.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from receiver import run_once
from receiver.errors import NotPossible
from receiver.journal import escalations
from receiver.model import Autonomy, Level
from receiver.operators import Answer
from tests.receiver.promises import draws
from tests.receiver.promises.changes import CHANGES, Change, all_is_well, ships
from tests.receiver.promises.draws import INTERRUPTIONS, Interrupted, Vote
from tests.receiver.promises.model import ASKS, COOLDOWN, DAY, PROVES_GOOD, Command
from tests.receiver.promises.scene import ADA, Scene

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
        self.scene.ship_a_bad_one(name, how, Autonomy.L4, after)
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
        self.scene.ship_a_bad_one(name, how, level, after)
        self.scene.notify(name, 1, interrupted)
        if self.scene.question:
            self.scene.vote(self.scene.question, votes)
            self.scene.act(then)

    @rule(name=draws.BRANCHES, how=draws.COMMANDS, level=draws.LEVELS, interrupted=INTERRUPTIONS)
    def a_bad_release_goes_live(self, name: str, how: Command, level: Autonomy, interrupted: Interrupted) -> None:
        """And what comes of it is left open."""
        self.scene.ship_a_bad_one(name, how, level, COOLDOWN)
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

    @rule(name=draws.BRANCHES)
    def an_alert_fires_or_clears(self, name: str) -> None:
        """Beside whatever else fires."""
        self.scene.world.firing ^= {name}
        self.scene.tell()

    @rule(change=st.sampled_from((*CHANGES, all_is_well)))
    def something_changes(self, change: Change) -> None:
        """While the agent is at rest."""
        change(self.scene)

    # What the agent hears, or does by itself.

    @rule(name=draws.BRANCHES, copies=st.integers(1, 3), interrupted=INTERRUPTIONS)
    def is_notified(self, name: str, copies: int, interrupted: Interrupted) -> None:
        """Of an alert that fires or of one that does not, once or again."""
        self.scene.notify(name, copies, interrupted)

    @rule(interrupted=INTERRUPTIONS)
    def looks_around(self, interrupted: Interrupted) -> None:
        """As it does each minute and at its start."""
        self.scene.look_around(interrupted)

    @rule(seconds=draws.PERIODS, watchdog=draws.MOSTLY, interrupted=INTERRUPTIONS)
    def time_passes(self, seconds: float, watchdog: bool, interrupted: Interrupted) -> None:
        """At once; with a Watchdog at its end, or none."""
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

    @rule(scope=st.sampled_from(("qrl", "*")), level=st.sampled_from(tuple(Autonomy)))
    def an_operator_sets_the_level(self, scope: str, level: Autonomy) -> None:
        """Of the deployment, or of all."""
        self.scene.set_level(scope, level)

    @rule(level=st.sampled_from(tuple(Level)), interrupted=INTERRUPTIONS)
    def an_operator_asks_for_a_rollback(self, level: Level, interrupted: Interrupted) -> None:
        """Unless a run is under way."""
        with suppress(NotPossible):
            self.scene.by_hand.add(self.scene.stage.operators.request_rollback("qrl", level, ADA))
        self.scene.act(interrupted)

    @rule(word=st.sampled_from(tuple(Answer)), which=st.integers(0, 5))
    def an_operator_answers(self, word: Answer, which: int) -> None:
        """One of the questions that are open."""
        with self.scene.stage.database.read() as tx:
            asked = escalations.find(tx, only_open=True)
        if asked:
            self.scene.stage.operators.answer(asked[which % len(asked)].id, word, ADA, "")
            self.scene.world.latched |= word is Answer.GIVE_UP

    @precondition(lambda self: self.scene.world.latched)
    @rule()
    def an_operator_clears_the_latch(self) -> None:
        """So that it may go on."""
        self.scene.stage.operators.clear("qrl", ADA, "mended")
        self.scene.world.latched = False

    @precondition(lambda self: self.scene.world.held)
    @rule(which=st.integers(0, 5))
    def an_operator_lets_go_of_a_release(self, which: int) -> None:
        """It may be deployed again; to be a target it has to prove good anew."""
        held = sorted(self.scene.world.held)
        release = held[which % len(held)]
        self.scene.stage.operators.release_hold("qrl", release, ADA, "")
        self.scene.world.held.discard(release)


TestPromises = Promises.TestCase
TestPromises.settings = settings(
    max_examples=settings().max_examples // 2,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
