"""Plays the agent against the model: each effect must have been allowed, and each run must end as the model says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from receiver.journal.views import View
from receiver.workflow import LEASE
from tests.receiver.agent import Killed
from tests.receiver.promises.kept import check_at_rest, check_end, check_told
from tests.receiver.promises.model import (
    ACTS,
    ANSWER_WITHIN,
    ASKS,
    NOT_RESTORED,
    TREE,
    Command,
    Ends,
    Leaf,
    Planned,
    Question,
    World,
)
from tests.receiver.promises.stage import Effect, Interruption, Stage, kill

BY_HAND = Leaf(0, "rollback", "fast", 1.0)


class Play:
    """One agent, what is true of its world, and what people were asked and have said."""

    def __init__(self, root: Path, level: str, people: int) -> None:
        self.stage = Stage(root, self.seen, autonomy=level, approval={"people": people})
        now = self.stage.clock()
        self.world = World(level, serving_since=now, watchdog=now, live_since=now)
        self.people = people
        self.question: Question | None = None
        self.by_hand: set[str] = set()
        self.effects: dict[str, Effect] = {}
        self.concluded: dict[str, str] = {}
        self._sure = self._alone = False
        self._deaths = 0
        self.tell()
        self.stage.use_command(self.world.command)

    def tell(self) -> None:
        """Let Prometheus tell what is true, or what it tells of it."""
        self.stage.tell(self.world.firing, self.world.telemetry)

    def passes(self, seconds: float, *, watchdog: bool = True) -> None:
        """Time passes, in which a Watchdog comes, or none."""
        self.stage.clock.advance(seconds)
        if watchdog:
            self.stage.hear_watchdog()
            self.world.watchdog = self.stage.clock()

    # What is seen while the agent works.

    def seen(self) -> None:
        """Called at each moment: whatever was done since the last one was allowed, as the world is now."""
        if not hasattr(self, "world"):
            return  # the agent is only being put together
        leaf = self.world.deciding()
        self._sure |= leaf is not None and leaf.level == "fast" and (leaf.confidence or 0.0) > 0.90
        self._alone |= self.world.level == "L4"
        found = self.stage.effects()
        assert len({effect.run for effect in found}) == len(found), "a command was started twice for one run"
        for effect in found[len(self.effects) :]:
            self._check_allowed(effect)
            self.effects[effect.run] = effect
            self._becomes_true(effect)

    def _check_allowed(self, effect: Effect) -> None:
        plan = {name: value for name, value in effect.plan.items() if name != "hash"}
        canonical = json.dumps(plan, sort_keys=True, separators=(",", ":"))
        plan_hash = hashlib.sha256(canonical.encode()).hexdigest()
        by_hand = effect.run in self.by_hand
        planned = Planned(BY_HAND, plan["live_release"], plan["target_release"], by_hand)
        assert not self.world.said_no(planned, self.stage.clock()), f"executed in spite of {effect}"
        asked = self.question
        if asked is not None and asked.run == effect.run:
            assert not asked.denied, "executed what was denied"
            assert len(set(asked.yes)) >= self.people, "executed without enough people"
            assert asked.hash == plan_hash, "executed another plan than was approved"
        else:
            assert self._sure, "executed without asking though no branch was sure enough"
            assert self._alone, "executed without asking though not at L4"
            assert plan["level"] == "fast", "a full rollback without asking"
            assert not by_hand, "a rollback by hand that nobody has confirmed"
        record = effect.last_record
        assert (record["decision"], record["run"]) == ("execute", effect.run), "executed without its record"
        assert record["metrics_used"]["plan_hash"] == plan_hash, "another plan is on the audit trail"

    def _becomes_true(self, effect: Effect) -> None:
        now = self.stage.clock()
        if effect.how in (Command.SWITCHES, Command.HELPS_NOT, Command.FAILS_LATE, Command.LOST_LATE):
            self.world.held.add(self.world.live)
            self.world.goes_live(effect.plan["target_release"], now, by_rollback=True)
        if effect.how in (Command.SWITCHES, Command.LOST_LATE):
            self.world.firing.clear()
            self.tell()

    # What becomes of runs.

    def work(self, interruption: Interruption | None = None, lives: int = 1) -> None:
        """Let the agent work on all that is due, perhaps interrupted, and check what came of it."""
        now = self.stage.clock()
        self._sure = self._alone = False
        asked = self.question.run if self.question else None
        expected = self.world.next_look(self.question, now) if self.question else None
        fresh = self.world.first_look(now)
        acting = {run for run, end in self.concluded.items() if end == ACTS}
        is_exact = not self._interrupted(interruption, lives)
        over = {run for run, end in self.concluded.items() if end not in (ASKS, ACTS)}
        for run in self.stage.begun(but=over):
            view = self.stage.view(run)
            if view["id"] in acting:
                ends = self.world.verified(helps=not self.world.wants_rollback())
            else:
                ends = expected if view["id"] == asked and expected else self._first(view, fresh, now)
            self._conclude(view, ends if is_exact else None)
        self.world.claims = list(self.stage.claims().values())
        check_at_rest(self.stage, self.world, self.concluded)

    def _first(self, view: View, of_alert: Ends, now: float) -> Ends:
        if view["id"] not in self.by_hand:
            return of_alert
        return self.world.guarded(self.world.plan(BY_HAND, by_person=True), now)

    def _interrupted(self, interruption: Interruption | None, lives: int) -> bool:
        """Work; where the process dies, let others take over, which may die too; returns whether it went on oddly."""
        self._deaths = 0
        for _ in range(lives):
            self.stage.interrupt(interruption)
            try:
                self.stage.bring_on()
            except Killed:
                self._deaths += 1
                self.stage.new_process()
                self.passes(LEASE + 5)
                interruption = interruption and Interruption(interruption.at, interruption.kinds, kill)
            else:
                break
        self.stage.interrupt(None)
        if self._deaths:
            self.stage.bring_on()
        return bool(self._deaths) or (interruption is not None and interruption.has_happened)

    def _conclude(self, view: View, ends: Ends | None) -> None:
        run = view["id"]
        is_new = run not in self.concluded
        result = _result(view)
        if ends is not None:
            refused = frozenset(one["guardrail"] for one in view["refusals"])
            assert result in ends.results, f"{result}, not {ends}: {view['reason']}"
            assert result != "refused" or refused == ends.refusals, f"{refused}, not {ends}"
        self.concluded[run] = result
        plan = view["plan"]
        if is_new and plan and run not in self.by_hand:
            self.world.good.discard(plan["live_release"])
        if result == ASKS and (self.question is None or self.question.run != run):
            self.question = self._asked(view)
        if self.question and self.question.run == run and result != ASKS:
            self.question = None
        if result not in (ASKS, ACTS):
            self._check_result(view, result)
            check_end(self.stage, view, self._deaths, is_recorded=ends is not None or bool(self._deaths))

    def _asked(self, view: View) -> Question:
        plan, decision, approval = view["plan"], view["decision"], view["approval"]
        leaf = BY_HAND if view["id"] in self.by_hand else TREE[decision["branch"]]
        planned = Planned(leaf, plan["live_release"], plan["target_release"], view["id"] in self.by_hand)
        if not planned.by_person and (leaf.level == "full" or (leaf.confidence or 0.0) <= 0.90):
            check_told(self.stage, view["id"])
        until = approval["opened_at"] + ANSWER_WITHIN
        return Question(view["id"], view["incident"], planned, plan["hash"], until, self.people)

    def _check_result(self, view: View, result: str) -> None:
        """What the command did and what became of the run belong together, whatever came between."""
        effect, latch = self.effects.get(view["id"]), self.stage.latch()
        if result == "denied":
            self.world.latched = True
        if effect is None:
            assert result not in {"restored", "unknown", *NOT_RESTORED}, f"{result} without an effect"
            # Not knowing whether the command was begun latches, and so does an agent that dies and dies.
            self.world.latched |= latch is not None and result == "failed"
            return
        if effect.how in (Command.SWITCHES, Command.HELPS_NOT):
            assert result in {"restored", "failed", *NOT_RESTORED}, f"{result} though the command switched"
        else:
            bad = {Command.LOST: {"unknown", "failed"}, Command.LOST_LATE: {"restored", "failed", *NOT_RESTORED}}
            assert result in bad.get(effect.how, {"failed"}), f"{result} though the command {effect.how}"
        if result == "restored":
            plan = effect.plan
            assert self.stage.target.lines()[-1] == plan["target_release"], "restored, but the target is not live"
            assert not self.world.wants_rollback(), "restored, but a branch fires"
        if result == "no_effect":  # so the release was not to blame
            self.world.held.discard(effect.plan["live_release"])
        if result not in ("restored", "no_effect") or effect.how == Command.LOST_LATE:
            self.world.latched = True


def _result(view: View) -> str:
    if view["state"] == "finished":
        return str(view["result"])
    assert view["state"] == "waiting", f"nobody works on the run: {view}"
    return ASKS if view["phase"] == "approve" else ACTS
