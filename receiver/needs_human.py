"""The alert `RollbackNeedsHuman`: all that a person needs who is called at night and has only the pager."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.durations import clock_time
from receiver.journal.escalations import Escalation
from receiver.journal.views import View
from receiver.markdown import printable
from receiver.model import NO_RELEASE, EscalationReason, RaisedAlert, Signal
from receiver.next_steps import ADVICE, next_steps
from receiver.redact import redact_text

NAME = "RollbackNeedsHuman"
_BY_GUARDRAILS = (EscalationReason.SAFETY_CHECK_FAILED, EscalationReason.LIMIT_REACHED)
_LONGEST = 2000
"""Characters of an annotation: pagers cut, and what was cut stands on the page."""


def needs_human(
    asked: Escalation, incident: View | None, latched: bool, page: str | None, runbook: str | None
) -> RaisedAlert:
    """The alert of an escalation, without its end; `page` is where people reach the agent.

    Its labels stay the same as long as it is open, and on every replica, so that Alertmanager sees one alert.
    """
    run = next((one for one in incident["runs"] if one["id"] == asked.run), None) if incident else None
    link = page and (f"{page}/incidents/{asked.incident}" if asked.incident else f"{page}/")
    words = ADVICE[asked.reason].words
    annotations = {
        "summary": f"{asked.deployment} needs a human: {words}",
        "description": asked.summary,
        "facts": "\n".join(_facts(asked, run)),
        "done": "\n".join(_done(asked, run, latched)),
        "next_steps": "\n".join(f"{n}. {step}" for n, step in enumerate(next_steps(asked, run, latched), 1)),
        "link": link,
        "runbook_url": runbook,
    }
    labels = {
        "alertname": NAME, "deployment": asked.deployment, "reason": asked.reason.value,
        "severity": "warning" if asked.reason is EscalationReason.AUTONOMY_CHANGED else "critical",
        "escalation": asked.id, "incident": asked.incident,
    }  # fmt: skip
    return RaisedAlert(
        labels={name: value for name, value in labels.items() if value},
        annotations={name: _shown(text) for name, text in annotations.items() if text},
        starts_at=asked.opened_at,
        ends_at=asked.opened_at,
        link=link,
    )


def _shown(text: str) -> str:
    """The text without secrets and without what a terminal would act on; its lines stay lines."""
    shown = "\n".join(map(printable, redact_text(text).splitlines()))  # a secret may be of several lines
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."


def _facts(asked: Escalation, run: View | None) -> Iterator[str]:
    """What was known when it was decided, and again when it was verified."""
    if asked.reason is EscalationReason.AUTONOMY_CHANGED:
        yield "Reviews and the ends of runs decide it, as the configuration says."
        return
    decision, verification = (run or {}).get("decision"), (run or {}).get("verification")
    if decision is None:
        yield "No branch of the tree decided."
        return
    confidence = "" if decision["confidence"] is None else f", confidence {decision['confidence']}"
    yield f"{decision['reason']}: action {decision['action']}{confidence}"
    after = {signal.series: signal for signal in _signals(verification)}
    for signal in _signals(decision):
        then = f", when verified {after[signal.series].reading}" if signal.series in after else ""
        yield f"{signal.series}: {signal.reading}{then}"


def _signals(found: View | None) -> Iterator[Signal]:
    return (Signal(**one) for one in (found or {}).get("signals", ()))


def _done(asked: Escalation, run: View | None, latched: bool) -> Iterator[str]:
    """What the agent did, which may be nothing."""
    run = run or {}
    for refusal in run.get("refusals", ()):
        retry = f", ask again from {clock_time(refusal['retry_at'])}" if refusal["retry_at"] else ""
        yield f"Refused by {refusal['guardrail']}: {refusal['reason']}{retry}"
    plan, backup, execution, verification = (run.get(name) for name in ("plan", "backup", "execution", "verification"))
    if plan:
        yield f"Planned: {plan['level']} rollback of {plan['live_release']} to {plan['target_release'] or NO_RELEASE}"
    if backup:
        yield f"Backed up to {backup['directory']}"
    if execution:
        code = "unknown" if execution["exit_code"] is None else execution["exit_code"]
        yield f"Ran the rollback from {clock_time(execution['started_at'])}, exit code {code}"
    elif asked.reason not in _BY_GUARDRAILS and any(step["name"] == "execute" for step in run.get("steps", ())):
        yield "The rollback may have begun; how far it came is not known."
    else:
        yield "Nothing was changed."
    if verification:
        yield f"Verification: {verification['verdict'].replace('_', ' ')}: {verification['reason']}"
    if latched:
        yield f"{asked.deployment} is latched: nothing more is done to it until a person clears it."
