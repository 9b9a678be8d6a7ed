"""What is done to the agent of the property test, one thing after the other, and what must come of that at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from receiver.errors import AuditError, NotPossible
from receiver.journal import escalations, incidents, notifications
from receiver.model import Autonomy, Level
from receiver.observe import observe
from receiver.operators import Answer, Person, Via
from tests.receiver.promises.changes import all_is_well, ships
from tests.receiver.promises.draws import IN_PEACE, Interrupted, Vote
from tests.receiver.promises.model import PROVES_GOOD, Command, Question, Told
from tests.receiver.promises.play import Play
from tests.receiver.promises.stage import Interruption, Moment, fail_to_record

ADA = Person("ada", Via.PAGE)


class Scene(Play):
    """A play, and who acts in it."""

    def ship_a_bad_one(self, name: str, how: Command, level: Autonomy, after: float, *, is_mended: bool) -> None:
        """Nothing but the limits, and perhaps a latch, is in the way; the next plan's command does as `how` says."""
        all_is_well(self)
        if is_mended:
            self.clear()
        self.world.firing.clear()
        self.tell()
        self.look_around(IN_PEACE)
        ships(self)
        self.observe()
        self.world.command = how
        self.stage.use_command(how)
        self.set_level("qrl", level)
        self.world.firing = {name}
        self.tell()
        self.passes(after)

    def notify(self, name: str, copies: int, interrupted: Interrupted) -> None:
        """Alertmanager tells of an alert; only whether something fires in Prometheus counts."""
        stage, world = self.stage, self.world

        def hear() -> None:
            alert: dict[str, object] = {"status": "firing", "alertname": name, "branch": name, "deployment": "qrl"}
            with stage.database.write() as tx:
                for _ in range(copies):
                    notifications.store(tx, stage.clock(), [alert], 0)
            stage.inbox.work_once()

        self.act(interrupted, hear, begins=world.telemetry is Told.NOTHING or world.deciding() is not None)

    def look_around(self, interrupted: Interrupted) -> None:
        """The agent asks by itself what fires."""
        begins = self.world.telemetry is not Told.NOTHING and self.world.deciding() is not None
        self.act(interrupted, self.stage.inbox.reconcile, begins=begins)

    def act(
        self, interrupted: Interrupted, hear: Callable[[], object] = lambda: None, begins: bool | None = None
    ) -> None:
        """The agent hears of something and works; `begins` says whether that begins a run where nothing is open."""
        before = self.stage.begun()
        with self.stage.database.read() as tx:
            is_idle = incidents.open_incident(tx, "qrl") is None
        hear()
        self.passes(20)
        begun = self.stage.begun(but=before)
        assert len(begun) <= 1, "two runs at once"
        assert begins is not False or not begun, "a run although nothing fires"
        assert not (begins and is_idle) or begun, "no run although a branch fires"
        happens = partial(interrupted.what, self)
        self.work(Interruption(interrupted.at, interrupted.kinds, happens), interrupted.lives)

    def vote(self, asked: Question, votes: list[Vote]) -> None:
        """People say yes, each once, in time, and to this plan."""
        for vote in votes:
            counts = self.stage.clock() < asked.until and asked.is_open and vote.name not in asked.yes
            counts = counts and vote.is_recorded and vote.is_right and vote.length >= 8
            typed = (asked.hash if vote.is_right else "0" * 64)[: vote.length]
            with self._recording(vote.is_recorded) as done:
                self.stage.operators.approve(asked.incident, typed, Person(vote.name, Via.PAGE), "")
                done.append(True)
            assert bool(done) == counts, f"whether {vote} counts: {bool(done)}"
            asked.yes += [vote.name] * counts

    def deny(self, asked: Question, *, is_recorded: bool) -> None:
        """One no is enough."""
        counts = self.stage.clock() < asked.until and asked.is_open and is_recorded
        with self._recording(is_recorded) as done:
            self.stage.operators.deny(asked.incident, ADA, "")
            done.append(True)
        assert bool(done) == counts, f"whether a no counts: {bool(done)}"
        asked.denied |= counts

    def set_level(self, scope: str, level: Autonomy) -> None:
        """An operator sets it at run time."""
        self.stage.operators.set_autonomy(scope, level, ADA, "")
        self.world.level = str(level)

    def request(self, level: Level) -> None:
        """An operator asks for a rollback, which is refused while a run is under way."""
        with suppress(NotPossible):
            self.by_hand.add(self.stage.operators.request_rollback("qrl", level, ADA))

    def answer(self, word: Answer, which: int) -> None:
        """An operator answers one of the questions that are open."""
        with self.stage.database.read() as tx:
            asked = escalations.find(tx, only_open=True)
        if asked:
            self.stage.operators.answer(asked[which % len(asked)].id, word, ADA, "")
            self.world.latched |= word is Answer.GIVE_UP

    def clear(self) -> None:
        """An operator lifts the latch."""
        if self.world.latched:
            self.stage.operators.clear("qrl", ADA, "mended")
            self.world.latched = False

    def let_go(self, which: int) -> None:
        """An operator lets a held release be deployed again; to be a target it has to prove good anew."""
        held = sorted(self.world.held)
        if held:
            release = held[which % len(held)]
            self.stage.operators.release_hold("qrl", release, ADA, "")
            self.world.held.discard(release)

    def observe(self) -> None:
        """The agent looks at the releases."""
        world = self.world
        observe(self.stage.world, self.stage.prometheus)
        is_quiet = world.telemetry is not Told.NOTHING and not world.firing
        is_proved = self.stage.clock() - world.live_since >= PROVES_GOOD
        if is_quiet and is_proved and world.live not in world.held:
            world.good.add(world.live)

    @contextmanager
    def _recording(self, is_recorded: bool) -> Iterator[list[bool]]:
        """What is done meanwhile may be refused, and is where it cannot be recorded."""
        if not is_recorded:
            self.stage.interrupt(Interruption(1, frozenset({Moment.RECORD}), fail_to_record))
        with suppress(NotPossible, AuditError):
            yield []
        self.stage.interrupt(None)
