"""What each reason for asking a human means, and the three things to do about it, as commands to copy."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.journal.escalations import Escalation
from receiver.journal.views import View
from receiver.model import SHORT_HASH, EscalationReason


@dataclass(frozen=True, slots=True)
class Advice:
    """A reason in words, what to look at, and what to do then; the third step, the answer, is the same for all."""

    words: str
    look: str
    act: str


_SHOW = "rollback-agent show {incident}"
_DRY_RUN = "rollback-agent rollback {deployment} --level {level} --dry-run"
_TREE = "rollback-agent tree {deployment}"

ADVICE = {
    EscalationReason.ROLLBACK_FAILED: Advice(
        "the rollback failed",
        f"See what the command printed, and which release is live: {_SHOW}",
        "Bring {deployment} to a good release with its own tools; what the agent sees live: rollback-agent status",
    ),
    EscalationReason.VERIFICATION_FAILED: Advice(
        "the rollback is done, but nothing shows that it helped",
        f"See what was expected and what was measured: {_SHOW}",
        f"Look for another cause than the release; the tree with live values: {_TREE}",
    ),
    EscalationReason.LIMIT_REACHED: Advice(
        "the limit of rollbacks is reached",
        f"See which limit, and when the agent may roll back again: {_SHOW}",
        f"Until then roll back with the deployment's own tools; what the agent would do: {_DRY_RUN}",
    ),
    EscalationReason.DATABASE_OR_FULL: Advice(
        "the database is concerned, or a full rollback is needed",
        f"See what fires, and why the agent does not go on by itself: {_SHOW}",
        f"Restore the database by hand; what the agent could plan: {_DRY_RUN}",
    ),
    EscalationReason.SAFETY_CHECK_FAILED: Advice(
        "a safety check forbids the rollback",
        f"See which guardrail refused, why, and when it is worth asking again: {_SHOW}",
        f"Remove its reason, then ask all guardrails without changing anything: {_DRY_RUN}",
    ),
    EscalationReason.UNKNOWN_PATTERN: Advice(
        "an alert came that the agent cannot read",
        f"See which alert, and what else waits: {_SHOW}",
        "Mend its labels, or the configuration; how the loaded rules differ from the shipped ones: "
        "rollback-agent check-config --against-prometheus",
    ),
    EscalationReason.LOW_CONFIDENCE: Advice(
        "the agent is not sure enough to roll back by itself",
        f"See what it would do, and why: {_SHOW}",
        f"See how near each branch is to its threshold: {_TREE}",
    ),
    EscalationReason.MISSING_DATA: Advice(
        "Prometheus cannot say enough to decide",
        f"See what could not be read: {_SHOW}",
        f"Bring Prometheus or the missing signal back; which values there are: {_TREE}",
    ),
    EscalationReason.APPROVAL_EXPIRED: Advice(
        "nobody confirmed the plan in time, so it was not carried out",
        f"See the plan, and what led to it: {_SHOW}",
        f"See whether it would still be the plan, and what the guardrails say: {_DRY_RUN}",
    ),
    EscalationReason.UNKNOWN_RESULT: Advice(
        "the rollback was interrupted, and nobody knows how far it came",
        f"See what the command printed: {_SHOW}",
        "Look at the deployment itself: which release is live, and is it whole? What the agent sees: "
        "rollback-agent status",
    ),
    EscalationReason.BRANCH_ASKS: Advice(
        "what fires is for a person to judge",
        f"See what fires, and the diagnosis: {_SHOW}",
        f"Follow the runbook of that alert; the tree with live values: {_TREE}",
    ),
    EscalationReason.BY_HAND: Advice(
        "a rollback is to be carried out by hand",
        f"See the plan, its command and the backup: {_SHOW}",
        "Run that command, then see whether all is well: rollback-agent verify {deployment}",
    ),
    EscalationReason.AGENT_FAILED: Advice(
        "the agent itself failed",
        f"See at which step, and whether anything was touched: {_SHOW}",
        "Mend what its log logs/agent.log says; how everything stands: rollback-agent status",
    ),
    EscalationReason.AUTONOMY_CHANGED: Advice(
        "what a branch may do without asking has changed",
        "See which branch, by which reviews, and how far the others are: rollback-agent autonomy show {deployment}",
        "Be asked before each rollback whatever was earned: rollback-agent autonomy set L3 {deployment}",
    ),
}
"""One for each reason; the braces are filled with ids and names of ours only, never with text from outside."""


def next_steps(asked: Escalation, run: View | None, latched: bool) -> tuple[str, str, str]:
    """What to do now, in this order; `run` is the one that asked."""
    advice = ADVICE[asked.reason]
    plan = (run or {}).get("plan") or {}
    approval = (run or {}).get("approval") or {}
    names = {"deployment": asked.deployment, "incident": asked.incident, "level": plan.get("level", "fast")}
    look, act = (
        step.replace(_SHOW, "rollback-agent status") if asked.incident is None else step
        for step in (advice.look, advice.act)
    )
    if approval.get("state") == "pending":
        act = f"Go ahead: rollback-agent approve {asked.incident} --plan {approval['plan_hash'][:SHORT_HASH]}"
        return look.format_map(names), act, f"Or refuse: rollback-agent deny {asked.incident} --comment WHY"
    return look.format_map(names), act.format_map(names), _answer(asked, latched)


def _answer(asked: Escalation, latched: bool) -> str:
    answer = f"rollback-agent answer {asked.id}"
    if latched:
        lift = f"rollback-agent clear {asked.deployment} --comment WHAT"
        return f"When it is whole again, let the agent act on it: {lift}; then end this alert: {answer} --done"
    if asked.incident is None:
        return f"End this alert: {answer} --done"
    return f"Answer: {answer} --retry to let the agent look again, --done where it is dealt with, --give-up to latch it"
