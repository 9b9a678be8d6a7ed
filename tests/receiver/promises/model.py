"""The promises as a plain model: what is true of the world, and what must come of a run in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tests.receiver.surroundings import BAD, GOOD

COOLDOWN, DAY, BUDGET = 300.0, 86400.0, 3
ANSWER_WITHIN, WATCHDOG_WITHIN, DEPLOY_WITHIN, PROVES_GOOD = 900.0, 300.0, 3600.0, 900.0


class Told(StrEnum):
    """What Prometheus tells."""

    ALL = "all"
    NOTHING = "nothing"
    """It gives no answer."""
    NO_VALUE = "no value"
    OLD = "old values"


class Command(StrEnum):
    """What the rollback command does."""

    SWITCHES = "switches"
    HELPS_NOT = "helps_not"
    """It switches, but the release was not the cause."""
    FAILS = "fails"
    FAILS_LATE = "fails_late"
    """It has switched by then."""
    LIES = "lies"
    """It says that it did what it did not."""
    LOST = "lost"
    """It is killed, with what waits for it."""
    LOST_LATE = "lost_late"


ASKS, ACTS = "asks", "acts"
TOLD = {
    "asked", "missing_data", "refused", "expired", "failed", "unknown", "no_effect", "worse", "inconclusive",
}  # fmt: skip
"""The results of which a human is told."""
NOT_RESTORED = frozenset({"no_effect", "worse", "inconclusive"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """A branch of the tree."""

    rank: int
    action: str
    level: str | None = None
    confidence: float | None = None


TREE = {
    "service_down": Leaf(1, "rollback", "fast", 0.99),
    "high_error_rate": Leaf(2, "rollback", "fast", 0.95),
    "migration_failed": Leaf(5, "rollback", "full", 0.99),
    "just_not_sure": Leaf(9, "rollback", "fast", 0.90),
    "elevated_error_rate": Leaf(10, "rollback", "fast", 0.70),
    "hardly_sure": Leaf(11, "rollback", "fast", 0.69),
    "minor_impact": Leaf(12, "watch"),
    "slow_responses": Leaf(13, "ask"),
}


@dataclass(frozen=True, slots=True)
class Planned:
    """What a run would do, and for what."""

    leaf: Leaf
    live: str
    target: str | None
    by_person: bool = False


@dataclass(slots=True)
class Question:
    """A plan that people were asked about, and what they have said."""

    run: str
    incident: str
    plan: Planned
    hash: str
    until: float
    need: int
    yes: list[str] = field(default_factory=list)
    denied: bool = False

    @property
    def is_open(self) -> bool:
        return not self.denied and len(self.yes) < self.need


@dataclass(frozen=True, slots=True)
class Ends:
    """What must come of a run: one of these results, and exactly these refusals."""

    results: frozenset[str]
    refusals: frozenset[str] = frozenset()


@dataclass(slots=True)
class World:
    """All that decides whether the agent may act; times are Unix seconds."""

    level: str
    serving_since: float
    watchdog: float
    firing: set[str] = field(default_factory=set)
    telemetry: Told = Told.ALL
    obstacles: set[str] = field(default_factory=set)
    """Guardrails that refuse for as long as somebody wants it so."""
    latched: bool = False
    deploying_since: float | None = None
    command: Command = Command.SWITCHES
    live: str = BAD
    live_since: float = 0.0
    live_by_rollback: bool = False
    was_live: list[str] = field(default_factory=lambda: [GOOD, BAD])
    """The releases in the order in which they last went live."""
    good: set[str] = field(default_factory=lambda: {GOOD})
    held: set[str] = field(default_factory=set)
    claims: list[float] = field(default_factory=list)

    def goes_live(self, release: str, now: float, *, by_rollback: bool) -> None:
        """A release was switched to."""
        self.live, self.live_since, self.live_by_rollback = release, now, by_rollback
        self.was_live = [one for one in self.was_live if one != release] + [release]

    def deciding(self) -> Leaf | None:
        """The branch that decides: the lowest rank, where a watch yields to all that want more."""
        leaves = [TREE[name] for name in self.firing]
        return min(leaves, key=lambda leaf: (leaf.action == "watch", leaf.rank), default=None)

    def wants_rollback(self) -> bool:
        return any(TREE[name].action == "rollback" for name in self.firing)

    def target(self) -> str | None:
        """The good release that was live last."""
        good = [one for one in self.was_live if one in self.good - self.held - {self.live}]
        return good[-1] if good else None

    def plan(self, leaf: Leaf, by_person: bool = False) -> Planned:
        """Back to the target."""
        return Planned(leaf, self.live, self.target(), by_person)

    def said_no(self, plan: Planned, now: float) -> frozenset[str]:
        """Every guardrail that must refuse the plan now."""
        of_all = {"kill_switch", "pending_transactions"} & self.obstacles
        checks = {
            "latched": self.latched,
            "plan_stale": plan.live != self.live,
            "target_release_valid": plan.target not in self.good - self.held,
            "release_in_progress": self.deploying_since is not None and now - self.deploying_since < DEPLOY_WITHIN,
            "cooldown": any(now - claim < COOLDOWN for claim in self.claims),
            "daily_limit": sum(now - claim < DAY for claim in self.claims) >= BUDGET,
        }
        if not plan.by_person:
            unknown = self.telemetry == Told.NOTHING
            checks |= {
                "live_by_rollback": self.live_by_rollback,
                "telemetry_fresh": self.telemetry != Told.ALL,
                "alert_still_firing": unknown or not self.wants_rollback(),
                "silenced": unknown or ("silenced" in self.obstacles and self.wants_rollback()),
                "storm": unknown or "storm" in self.obstacles,
                "watchdog": now - max(self.watchdog, self.serving_since) >= WATCHDOG_WITHIN,
            }
        return frozenset(of_all | {name for name, refuses in checks.items() if refuses})

    def first_look(self, now: float) -> Ends:
        """What must come of a run that an alert begins now."""
        leaf = self.deciding()
        if self.telemetry == Told.NOTHING:
            return _ends("missing_data")
        if leaf is None:
            return _ends("not_needed")
        if leaf.action == "ask":
            return _ends("asked")
        if leaf.action == "watch" or (leaf.confidence or 0.0) < 0.70:
            return _ends("recorded")
        return self.guarded(self.plan(leaf), now)

    def guarded(self, plan: Planned, now: float) -> Ends:
        """What must come of a plan that nobody was asked about yet."""
        if no := self.said_no(plan, now):
            return Ends(frozenset({"refused"}), no)
        if self.level in ("L1", "L2") and not plan.by_person:
            return _ends("recorded")
        return self.done() if self.may_act_alone(plan) else _ends(ASKS)

    def may_act_alone(self, plan: Planned) -> bool:
        """Whether nobody need be asked."""
        sure = plan.leaf.level == "fast" and (plan.leaf.confidence or 0.0) > 0.90
        return self.level == "L4" and sure and not plan.by_person

    def next_look(self, asked: Question, now: float) -> Ends:  # noqa: PLR0911 - one line an end, in their order
        """What must come of a run that has asked people."""
        plan = asked.plan
        if asked.denied:
            return _ends("denied")
        if self.level in ("L1", "L2") and not plan.by_person:
            return _ends("recorded")
        if not asked.is_open:
            no = self.said_no(plan, now)
            return Ends(frozenset({"refused"}), no) if no else self.done()
        if "kill_switch" in self.obstacles:
            return Ends(frozenset({"refused"}), frozenset({"kill_switch"}))
        if now >= asked.until:
            return _ends("expired")
        if plan.by_person or self.telemetry == Told.NOTHING:
            return _ends(ASKS)
        deciding = self.deciding()
        if not self.wants_rollback():
            return _ends("withdrawn")
        if deciding and deciding.action == "rollback" and deciding.rank < plan.leaf.rank:
            return _ends("upgraded")
        return _ends(ASKS)

    def done(self) -> Ends:
        """What must come of a plan that is carried out now."""
        if self.command in (Command.SWITCHES, Command.HELPS_NOT, Command.LOST_LATE):
            helps = self.command != Command.HELPS_NOT or not self.wants_rollback()
            return self.verified(helps=helps)
        return _ends("unknown" if self.command == Command.LOST else "failed")

    def verified(self, *, helps: bool) -> Ends:
        """What must come of a run whose command has switched; it may also still be looking."""
        if helps and self.telemetry == Told.ALL:
            return _ends("restored")
        return Ends(NOT_RESTORED | {ACTS})


def _ends(result: str) -> Ends:
    return Ends(frozenset({result}))
