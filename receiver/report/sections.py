"""The report as Markdown: a stopped run is told as fully as one that went through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from receiver import links
from receiver.command_output import last_output
from receiver.durations import clock_time, in_words
from receiver.markdown import code, plain, printable
from receiver.model import SPEAKS, Signal, Verification
from receiver.report.diagnosis import diagnosis_section
from receiver.report.facts import affected_services, data_loss, next_actions, people
from receiver.report.told import Told

_LAST_LINES = 20


def as_markdown(told: Told, drawing: str | None) -> Iterator[str]:
    """The report's lines; `drawing` is the file name of its chart."""
    yield from _head(told)
    yield from _decision_path(told)
    yield from _alike(told)
    yield from _metrics(told, drawing)
    yield from diagnosis_section(told.run.findings.diagnosis)
    yield from _details(told)
    yield from _verification(told)
    yield from _refusals(told)
    yield from _timeline(told)
    yield from _people(told)
    yield from _hotfixes(told)
    yield from _output(told)
    yield from ("", "## Next actions", "")
    yield from (f"- [ ] {_action(action)}" for action in next_actions(told))
    yield from _links(told)
    yield from _checkpoint(told)


def _head(told: Told) -> Iterator[str]:
    run, plan = told.run, told.run.findings.plan
    trigger = f"requested by {code(run.requested_by)}" if run.requested_by else "Prometheus, through Alertmanager"
    yield "# Automated Rollback Incident"
    yield ""
    yield f"**Status**: {told.result.replace('_', ' ')}: {plain(told.reason)}  "
    yield f"**Timestamp**: {clock_time(told.at)}  "
    yield f"**Deployment**: {code(run.deployment)}  "
    yield f"**Trigger**: {trigger}  "
    yield f"**Rollback level**: {plan.level if plan else 'none'}  "
    yield f"**Duration**: {in_words(told.at - run.created_at)}  "
    yield f"**Incident**: {code(run.incident)}, run {code(run.id)}"


def _decision_path(told: Told) -> Iterator[str]:
    yield from ("", "## Decision", "")
    decision = told.run.findings.decision
    if decision is None:
        yield "No branch of the tree decided."
        return
    confidence = "" if decision.confidence is None else f", confidence {decision.confidence}"
    yield f"{plain(decision.reason)}: action `{decision.action}`{confidence}."
    if decision.also_firing:
        yield f"Also firing: {', '.join(code(name) for name in decision.also_firing)}."
    if decision.attribution is not None:
        yield from ("", f"Does the live release explain the fault? {decision.attribution.summary}:", "")
        yield from (f"- {SPEAKS[clue.fits]}: {plain(clue.sentence)}" for clue in decision.attribution.clues)
    if told.why and told.why["nearest"]:
        yield from ("", "What would have changed it, the nearest first:", "")
        yield from (f"- {plain(one['sentence'])}" for one in told.why["nearest"])


def _alike(told: Told) -> Iterator[str]:
    if not told.alike:
        return
    yield from ("", "## Past incidents that look alike", "")
    for one in told.alike:
        which = f"incident {code(one['incident'])}" if one["incident"] else "a missed incident"
        pattern = f", pattern {code(one['pattern'])}" if one["pattern"] else ""
        necessary = f"rollback necessary: {one['necessary']}"
        likeness = f"{one['likeness']:.0%} in common"
        yield f"- {which} of {code(one['deployment'])}{pattern}: {plain(one['cause'])} ({likeness}, {necessary})"


def _metrics(told: Told, drawing: str | None) -> Iterator[str]:
    decision, verification = told.run.findings.decision, told.run.findings.verification
    if decision is not None and decision.signals:
        yield from ("", "## Detection metrics", "")
        yield from _comparison(decision.signals, verification)
    if drawing:
        yield from ("", f"![Availability and errors around the incident]({drawing})")
    elif told.history_unknown:
        yield from ("", f"No chart: {plain(told.history_unknown)}")


def _comparison(before: tuple[Signal, ...], verification: Verification | None) -> Iterator[str]:
    worst = {signal.series: signal for signal in verification.worst} if verification else {}
    after = {signal.series: signal for signal in verification.signals} if verification else {}
    yield from ("| signal | when decided | at its worst meanwhile | when verified |", "|---|---|---|---|")
    for signal in before:
        values = (signal, worst.get(signal.series), after.get(signal.series))
        yield f"| {code(signal.series)} | {' | '.join(map(_value, values))} |"


def _details(told: Told) -> Iterator[str]:
    findings = told.run.findings
    plan, backup, execution = findings.plan, findings.backup, findings.execution
    yield from ("", "## Rollback details", "")
    services = ", ".join(map(code, affected_services(told))) or "none by its own checks and errors"
    if plan is None:
        yield "- No rollback was planned."
        yield f"- Services affected: {services}"
        return
    yield f"- Previous release: {code(plan.live_release)}, commit {code(plan.live_commit or 'unknown')}"
    yield f"- Target release: {code(plan.target_release or 'none')}, commit {code(plan.target_commit or 'unknown')}"
    yield f"- Plan: {code(plan.hash)}"
    yield f"- Services affected: {services}"
    if findings.permission:
        by, why = code(findings.permission.by), plain(findings.permission.reason)
        yield f"- Allowed by: {by} ({why}), {clock_time(findings.permission.at)}"
    if backup:
        where = f"{code(backup.directory)}{f' on {code(backup.replica)}' if backup.replica else ''}"
        yield f"- Backup: {where}, {backup.files} files, {backup.bytes} bytes, read back"
    if execution is None:
        yield "- Nothing was executed."
    elif not execution.output:
        yield f"- Carried out by hand within {in_words(execution.finished_at - execution.started_at)}"
    else:
        exit_code = "unknown" if execution.exit_code is None else execution.exit_code
        yield f"- Command: exit code {exit_code} after {execution.finished_at - execution.started_at:.1f} s"
    yield f"- Data loss: {data_loss(told)}"


def _verification(told: Told) -> Iterator[str]:
    verification = told.run.findings.verification
    if verification is None:
        return
    yield from ("", "## Verification results", "")
    verdict = verification.verdict.replace("_", " ")
    yield f"**{verdict}**: {plain(verification.reason)}, {clock_time(verification.at)}"


def _refusals(told: Told) -> Iterator[str]:
    if not told.view.get("refusals"):
        return
    yield from ("", "## Refusals", "")
    for refusal in told.view["refusals"]:
        retry = f", ask again from {clock_time(refusal['retry_at'])}" if refusal["retry_at"] else ""
        yield f"- {code(refusal['guardrail'])}: {plain(refusal['reason'])}{retry}"


def _timeline(told: Told) -> Iterator[str]:
    yield from ("", "## Timeline", "", "| phase | began | took | outcome |", "|---|---|---|---|")
    if told.view.get("notified_at"):
        yield f"| notification received | {clock_time(told.view['notified_at'])} | | |"
    for step in told.view.get("steps", ()):
        if step["name"] == "report":
            continue
        took = "" if step["finished_at"] is None else f"{step['finished_at'] - step['started_at']:.2f} s"
        outcome = plain(step["summary"] or step["state"])
        yield f"| {step['name']} | {clock_time(step['started_at'])} | {took} | {outcome} |"


def _people(told: Told) -> Iterator[str]:
    found = people(told)
    if not found:
        return
    yield from ("", "## People", "")
    yield from (f"- {code(str(one['person']))} {one['did']}, {clock_time(float(one['at']))}" for one in found)


def _hotfixes(told: Told) -> Iterator[str]:
    if not told.hotfixes:
        return
    yield from ("", "## Hotfixes", "")
    for hotfix in told.hotfixes:
        comment = f": {plain(hotfix['comment'])}" if hotfix["comment"] else ""
        times = f"from {clock_time(hotfix['started_at'])}, due {clock_time(hotfix['deadline'])}"
        yield f"- By {code(hotfix['started_by'])} {times}, {hotfix['state']}{comment}"


def _output(told: Told) -> Iterator[str]:
    execution = told.run.findings.execution
    if execution is None or not execution.output:
        return
    yield from ("", "## The command's last lines", "")
    lines = last_output(Path(execution.output)).splitlines()[-_LAST_LINES:]
    yield from (f"    {printable(line)}" for line in lines or ["(it printed nothing)"])


def _links(told: Told) -> Iterator[str]:
    """Addresses of the configuration with our own names in them; on lines of their own, since they are long."""
    deployment, decision = told.run.deployment, told.run.findings.decision
    yield from ("", "## Links", "")
    if told.page:
        yield f"- [The incident on the page]({told.page})"
    if decision is not None and decision.alert:
        branch = links.alerts(deployment, decision.branch)
        yield f"- [The branch in Prometheus]({links.graph(told.prometheus, branch, told.at)})"
    yield f"- [The signals in Prometheus]({links.graph(told.prometheus, links.signals(deployment), told.at)})"


def _checkpoint(told: Told) -> Iterator[str]:
    yield from ("", "## Audit trail", "")
    if told.checkpoint is None:
        yield f"It could not be read when this was written: {plain(told.checkpoint_unknown or '')}"
        return
    yield f"Record {told.checkpoint.records} was the last one when this was written."
    if told.checkpoint.records:
        yield from ("Whether it is still there:", "", f"    rollback-agent audit verify --checkpoint {told.checkpoint}")


def _action(text: str) -> str:
    """One action; what stands between backticks is a command of ours with names of ours in it."""
    parts = (code(part) if number % 2 else plain(part) for number, part in enumerate(text.split("`")))
    return " ".join(filter(None, parts))


def _value(signal: Signal | None) -> str:
    return "-" if signal is None else signal.reading
