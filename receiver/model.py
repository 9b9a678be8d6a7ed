"""The words of the project as types; nothing here reads or writes anything."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")

SHORT_HASH = 8
"""How many characters of a plan's hash a person types to confirm it."""


class Autonomy(StrEnum):
    """What the agent may do without being asked."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"


class Action(StrEnum):
    """What a branch asks for."""

    ROLLBACK = "rollback"
    WATCH = "watch"
    ASK = "ask"


class Level(StrEnum):
    """How much is rolled back: the code, or the code and the database."""

    FAST = "fast"
    FULL = "full"


class Trigger(StrEnum):
    """Who began a run."""

    ALERT = "alert"
    OPERATOR = "operator"


class Verdict(StrEnum):
    """What verification found."""

    RESTORED = "restored"
    NO_EFFECT = "no_effect"
    WORSE = "worse"
    INCONCLUSIVE = "inconclusive"


class Result(StrEnum):
    """How a run ended."""

    RESTORED = "restored"
    NO_EFFECT = "no_effect"
    WORSE = "worse"
    INCONCLUSIVE = "inconclusive"
    NOT_NEEDED = "not_needed"
    RECORDED = "recorded"
    ASKED = "asked"
    MISSING_DATA = "missing_data"
    REFUSED = "refused"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    UPGRADED = "upgraded"
    FAILED = "failed"
    UNKNOWN = "unknown"


class EscalationReason(StrEnum):
    """Why a human is needed."""

    ROLLBACK_FAILED = "rollback_failed"
    VERIFICATION_FAILED = "verification_failed"
    LIMIT_REACHED = "limit_reached"
    DATABASE_OR_FULL = "database_or_full"
    SAFETY_CHECK_FAILED = "safety_check_failed"
    UNKNOWN_PATTERN = "unknown_pattern"
    LOW_CONFIDENCE = "low_confidence"
    MISSING_DATA = "missing_data"
    APPROVAL_EXPIRED = "approval_expired"
    UNKNOWN_RESULT = "unknown_result"
    BRANCH_ASKS = "branch_asks"
    AGENT_FAILED = "agent_failed"


MOST_DEMANDING_FIRST = (Action.ROLLBACK, Action.ASK, Action.WATCH)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a firing branch asks for; the same branch may ask for more later, which is then another demand."""

    branch: str
    action: Action


@dataclass(frozen=True, slots=True)
class Branch:
    """One firing alert of the tree, as Prometheus tells it."""

    alert: str
    branch: str
    rank: int
    action: Action
    level: Level | None
    confidence: float | None
    service: str | None
    labels: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)
    """All of the alert's labels, those above too."""

    @property
    def precedence(self) -> tuple[bool, int, int, str]:
        """The least decides: the lowest rank, and of two with the same the more demanding.

        A watch goes on whoever decides, so it yields to any that wants more: missing data, of the last rank, must not
        wait for a human until a watch above it ends.
        """
        demanding = MOST_DEMANDING_FIRST.index(self.action)
        return self.action is Action.WATCH, self.rank, demanding, self.service or ""


@dataclass(frozen=True, slots=True)
class Signal:
    """The newest sample of a recorded series; `value` is None where there is none or it is NaN."""

    name: str
    service: str | None
    value: float | None
    at: float

    @property
    def series(self) -> str:
        """The signal's name with its service, as a person would write it."""
        return f'{self.name}{{service="{self.service}"}}' if self.service else self.name

    @property
    def reading(self) -> str:
        """The value, as a person would write it."""
        return "no data" if self.value is None else f"{self.value:.4g}"


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What Prometheus said about one deployment at one moment (Unix seconds)."""

    read_at: float
    firing: tuple[Branch, ...]
    unreadable: tuple[str, ...]
    """Firing alerts of the deployment that claim to be a branch but lack its labels."""
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class Storm:
    """What fires beyond one deployment: those that ask for a rollback, and alerts about what they share."""

    deployments: frozenset[str]
    dependencies: frozenset[str]


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence of Alertmanager; `ends_at` is in Unix seconds."""

    id: str
    created_by: str
    comment: str
    ends_at: float


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """An alert as Alertmanager is told of it; it fires until `ends_at` (Unix seconds, as all times)."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: float
    ends_at: float
    link: str | None
    """Where people see what it is about."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Which branch decided, what for, and why; `signals` are the facts that were read."""

    branch: str
    alert: str
    action: Action
    level: Level | None
    confidence: float | None
    reason: str
    also_firing: tuple[str, ...]
    signals: tuple[Signal, ...]
    rank: int | None = None
    """The branch's place in the tree, the least first; None where a person asked."""

    def outranks(self, other: Decision) -> bool:
        """Whether this branch stands before the other one in the tree."""
        return self.rank is not None and other.rank is not None and self.rank < other.rank


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a deployment, with what the journal knows of it (Unix seconds, or None)."""

    id: str
    commit: str | None
    live_since: float | None = None
    good_at: float | None = None
    held_at: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What exactly would be done; `hash` is what a person approves."""

    deployment: str
    level: Level
    live_release: str
    live_commit: str | None
    target_release: str | None
    target_commit: str | None
    command: tuple[str, ...]
    timeout: float

    @property
    def hash(self) -> str:
        """SHA-256 over the plan's canonical JSON, in hexadecimal."""
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A guardrail's "no": who, why, and when it is worth asking again (Unix seconds; None: a person must act)."""

    guardrail: str
    reason: str
    retry_at: float | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """Who let the plan pass: a person, or the autonomy level."""

    by: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Backup:
    """A complete backup, read back and matching its manifest."""

    directory: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Execution:
    """What became of the command; `exit_code` is None where nobody can know it."""

    started_at: float
    finished_at: float
    exit_code: int | None
    output: str
    """Path of the file that holds what the command printed."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The verdict, with the signals after the rollback."""

    verdict: Verdict
    reason: str
    at: float
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class CheckedHealth:
    """What one health check found; `detail` says why it failed, and is empty where it did not."""

    service: str
    check: str
    kind: str
    success: bool
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RecentRelease:
    """A release that was live not long ago, with what a pipeline said of it (None: nobody said)."""

    id: str
    commit: str | None
    author: str | None
    live_since: float
    migration: str | None


@dataclass(frozen=True, slots=True)
class ErrorLines:
    """The last lines of an access log whose request was answered with 5xx, oldest first, without secrets."""

    path: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a person would look at first, collected at one moment (Unix seconds)."""

    at: float
    checks: tuple[CheckedHealth, ...]
    signals: tuple[Signal, ...]
    releases: tuple[RecentRelease, ...]
    """Newest first."""
    error_lines: tuple[ErrorLines, ...]
    gaps: tuple[str, ...]
    """What could not be collected and why, a sentence each."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a run has established so far; each phase adds its own part."""

    decision: Decision | None = None
    plan: Plan | None = None
    refusals: tuple[Refusal, ...] = ()
    permission: Permission | None = None
    claimed_at: float | None = None
    backup: Backup | None = None
    execution: Execution | None = None
    verification: Verification | None = None
    diagnosis: Diagnosis | None = None

    def require_decision(self) -> Decision:
        """The decision; raises ValueError in a phase that comes before it."""
        return _required(self.decision, "decision")

    def require_plan(self) -> Plan:
        """The plan; raises ValueError in a phase that comes before it."""
        return _required(self.plan, "plan")

    def require_execution(self) -> Execution:
        """The execution; raises ValueError in a phase that comes before it."""
        return _required(self.execution, "execution")


@dataclass(frozen=True, slots=True)
class Run:
    """One pass of the workflow for an incident; `token` is the fencing token of this life."""

    id: str
    incident: str
    deployment: str
    trigger: Trigger
    wanted_level: Level | None
    requested_by: str | None
    created_at: float
    notified_at: float | None
    token: int
    lives: int
    """How often it was taken up since it last waited or began; high only where it ends its process."""
    wakes: int
    findings: Findings = Findings()


@dataclass(frozen=True, slots=True)
class Proceed:
    """The phase is done; the run goes on with these findings."""

    findings: Findings
    summary: str


@dataclass(frozen=True, slots=True)
class Wait:
    """The phase cannot end yet; it is called again at `until`, or earlier when something happens."""

    until: float
    summary: str
    findings: Findings | None = None
    """What the phase has established so far, where it has; it meets it again when it is called again."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The run ends here and is reported; `escalation` says whether and why a human is needed."""

    result: Result
    reason: str
    findings: Findings
    escalation: EscalationReason | None = None
    latch: bool = False


Outcome = Proceed | Wait | Stop


def _required(finding: T | None, name: str) -> T:
    if finding is None:
        raise ValueError(f"the run has no {name} yet")
    return finding
