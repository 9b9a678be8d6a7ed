"""The words that a run is described in: each is a closed set, and its values are what is stored and shown."""

from __future__ import annotations

from enum import StrEnum

SHORT_HASH = 8
"""How many characters of a plan's hash a person types to confirm it."""
NO_RELEASE = "no known good release"
"""What is shown where a plan has no target."""


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
    """How much is rolled back: the code, or the code and the database; or a person does it, as they are told."""

    FAST = "fast"
    FULL = "full"
    MANUAL = "manual"


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


class Found(StrEnum):
    """A person's answer to a question about a past incident."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


class Worth(StrEnum):
    """How what was decided compares with what a person found necessary."""

    RIGHT_ROLLBACK = "right_rollback"
    NEEDLESS_ROLLBACK = "needless_rollback"
    MISSED = "missed"
    RIGHT_RESTRAINT = "right_restraint"
    UNSURE = "unsure"


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


class DrillEnding(StrEnum):
    """How a drill has to end: rolled back and verified, put to a person, or simply left alone."""

    RESTORED = "restored"
    ASKED = "asked"
    UNTOUCHED = "untouched"


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
    BY_HAND = "by_hand"
    AGENT_FAILED = "agent_failed"
    AUTONOMY_CHANGED = "autonomy_changed"


MOST_DEMANDING_FIRST = (Action.ROLLBACK, Action.ASK, Action.WATCH)
