"""The report tells a stopped run as fully as a finished one, and text from outside stays text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from receiver.journal import escalations, runs
from receiver.model import (
    Backup,
    EscalationReason,
    Execution,
    Findings,
    History,
    Permission,
    Proceed,
    Refusal,
    Result,
    Signal,
    Stop,
    Verdict,
    Verification,
)
from receiver.report.writer import ReportWriter
from tests.receiver.report.desk import NOW, RATIO, Desk, decided

SECTIONS = ["Decision", "Detection metrics", "Rollback details", "Timeline", "Next actions", "Links", "Audit trail"]
OURS = {"https://rollback.example/incidents", "http://127.0.0.1:1/graph"}
"""Where links may lead."""

HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=y> [click](http://evil.example) ![x](http://evil.example/x)"
    " <http://evil.example> `code` | cell *bold* __bold__ ~~gone~~ &lt;b&gt; \\<b\\>"
    "\n# Heading\n\n- [x] done\n\n---\n\x1b[31mred\u2028line"
)


def headings(text: str) -> list[str]:
    """The headings of the second level."""
    return re.findall(r"^## (.*)$", text, flags=re.MULTILINE)


def test_restored_run_is_told_from_detection_to_verification(desk: Desk) -> None:
    """Facts before and after, plan, permission, backup, command, its output, verdict and times are all there."""
    output = desk.directory / "rollback.log"
    output.write_text("\n".join(f"line {number}" for number in range(30)))
    findings = replace(
        decided(),
        permission=Permission("ada", "looks right", NOW + 2),
        backup=Backup("/var/backups/state-1", 4, 5000),
        execution=Execution(NOW + 3, NOW + 4.5, 0, str(output)),
        verification=Verification(
            Verdict.RESTORED,
            "every check is good and no branch fires",
            NOW + 60,
            (Signal(RATIO, None, 1.0, NOW + 60),),
            (Signal(RATIO, None, 0.25, NOW + 3),),
        ),
    )
    desk.past = (History(RATIO, None, ((NOW, 0.25), (NOW + 60, 1.0))),)
    desk.step("evaluate", 0, Proceed(decided(), "roll back r2 to r1"))
    desk.approve("ada", NOW + 1)
    desk.step("verify", 6, Stop(Result.RESTORED, "r1 is live", findings))
    text = desk.report(Result.RESTORED, "r1 is live")
    assert headings(text) == [
        *SECTIONS[:3], "Verification results", "Timeline", "People", "The command's last lines", *SECTIONS[4:],
    ]  # fmt: skip
    for line in (
        "**Status**: restored: r1 is live  ",
        "**Timestamp**: 2026-11-23 15:04:09Z  ",
        "**Deployment**: `qrl`  ",
        "**Trigger**: Prometheus, through Alertmanager  ",
        "**Rollback level**: fast  ",
        "**Duration**: 0:00:04  ",
        f"**Incident**: `{desk.run.incident}`, run `{desk.run.id}`",
        "ServiceDown fires on fastapi in Prometheus (rank 1): action `rollback`, confidence 0.99.",
        "Also firing: `high_error_rate`.",
        f"| `{RATIO}` | 0.3333 | 0.25 | 1 |",
        '| `service:availability:ratio{service="fastapi"}` | 0 | - | - |',
        f"- Previous release: `r2`, commit `{'2' * 40}`",
        f"- Target release: `r1`, commit `{'1' * 40}`",
        f"- Plan: `{decided().require_plan().hash}`",
        "- Services affected: `fastapi`",
        "- Allowed by: `ada` (looks right), 2026-11-23 15:04:07Z",
        "- Backup: `/var/backups/state-1`, 4 files, 5000 bytes, read back",
        "- Command: exit code 0 after 1.5 s",
        "- Data loss: none by this rollback, it changed code only",
        "**restored**: every check is good and no branch fires, 2026-11-23 15:05:05Z",
        "- `ada` approved the plan, 2026-11-23 15:04:06Z",
        "![Availability and errors around the incident](incident-20261123-150409.svg)",
        f"- [The incident on the page](https://rollback.example/incidents/{desk.run.incident})",
        "| notification received | 2026-11-23 15:04:04Z | | |",
        "| evaluate | 2026-11-23 15:04:05Z | 2.00 s | roll back r2 to r1 |",
        "| verify | 2026-11-23 15:04:07Z | 2.00 s | r1 is live |",
        "    line 10",
        "    line 29",
        "- [ ] Find the fault of r2, which is held; then `rollback-agent release-hold qrl r2` or ship another",
        "- [ ] Human review of the incident",
    ):
        assert line in text.splitlines()
    assert "    line 9" not in text.splitlines()


def test_refused_run_is_told_as_fully(desk: Desk) -> None:
    """A run that a guardrail stopped has the same sections, its refusals with when to retry, and how to answer."""
    said_no = (
        Refusal("cooldown", "rolled back 0:03:10 ago", NOW + 110),
        Refusal("kill_switch", "the kill switch is on"),
    )
    desk.step("evaluate", 0, Proceed(decided(), "roll back r2 to r1"))
    stop = Stop(Result.REFUSED, "two guardrails refuse", replace(decided(), refusals=said_no))
    desk.step("guard", 1, stop, EscalationReason.SAFETY_CHECK_FAILED)
    text = desk.report(Result.REFUSED, "two guardrails refuse")
    assert headings(text) == [*SECTIONS[:3], "Refusals", *SECTIONS[3:]]
    with desk.database.read() as tx:
        [escalation] = escalations.find(tx, incident=desk.run.incident)
    for line in (
        "**Status**: refused: two guardrails refuse  ",
        "- `cooldown`: rolled back 0:03:10 ago, ask again from 2026-11-23 15:05:55Z",
        "- `kill_switch`: the kill switch is on",
        "- Nothing was executed.",
        f"| `{RATIO}` | 0.3333 | - | - |",
        "| guard | 2026-11-23 15:04:07Z | 2.00 s | two guardrails refuse |",
        "- [ ] Answer the escalation (safety check failed) with --done, --retry or --give-up: "
        f"`rollback-agent answer {escalation.id}`",
        "- Data loss: none, since nothing was executed",
    ):
        assert line in text.splitlines()
    assert "is held" not in text


def test_run_that_found_nothing_out_is_told_too(desk: Desk) -> None:
    """A run that ended before it decided says what it does not know instead of leaving it out."""
    desk.step("evaluate", 0, Stop(Result.MISSING_DATA, "Prometheus cannot be asked", Findings()))
    text = desk.report(Result.MISSING_DATA, "Prometheus cannot be asked")
    assert headings(text) == ["Decision", "Rollback details", "Timeline", "Next actions", "Links", "Audit trail"]
    for line in (
        "**Status**: missing data: Prometheus cannot be asked  ",
        "**Rollback level**: none  ",
        "No branch of the tree decided.",
        "- No rollback was planned.",
    ):
        assert line in text.splitlines()


def test_unknown_end_is_told_as_unknown(desk: Desk) -> None:
    """An exit code that nobody knows, a missing commit and a signal without data are written as such."""
    findings = decided()
    plan = replace(findings.require_plan(), live_commit=None)
    signals = (Signal(RATIO, None, None, NOW),)
    findings = replace(
        findings,
        plan=plan,
        decision=replace(findings.require_decision(), signals=signals, confidence=None),
        execution=Execution(NOW, NOW + 5, None, str(desk.directory / "absent.log")),
    )
    desk.step("execute", 5, Stop(Result.UNKNOWN, "the command was interrupted", findings))
    text = desk.report(Result.UNKNOWN, "the command was interrupted")
    for line in (
        "- Command: exit code unknown after 5.0 s",
        "- Previous release: `r2`, commit `unknown`",
        "- Services affected: none by its own checks and errors",
        f"| `{RATIO}` | no data | - | - |",
        "    (the output cannot be read: No such file or directory)",
    ):
        assert line in text.splitlines()


def test_text_from_outside_cannot_become_markdown_or_html(desk: Desk) -> None:
    """Whatever a label, a reason, a person, a release or a command says is shown, and is no markup anywhere."""
    output = desk.directory / "rollback.log"
    output.write_text(f"{HOSTILE}\n```\n</code></pre><script>alert(2)</script>\n")
    findings = decided(HOSTILE)
    decision = replace(findings.require_decision(), also_firing=(HOSTILE,), signals=(Signal(RATIO, HOSTILE, 0.0, NOW),))
    findings = replace(
        findings,
        decision=decision,
        plan=replace(findings.require_plan(), live_release=HOSTILE, target_commit=HOSTILE),
        refusals=(Refusal("cooldown", HOSTILE),),
        permission=Permission(HOSTILE, HOSTILE, NOW),
        backup=Backup(HOSTILE, 1, 1),
        execution=Execution(NOW, NOW, 1, str(output)),
        verification=Verification(Verdict.WORSE, HOSTILE, NOW, ()),
    )
    desk.step("evaluate", 0, Proceed(findings, HOSTILE))
    desk.run = replace(desk.run, requested_by=HOSTILE)
    text = desk.report(Result.WORSE, HOSTILE)
    renderer = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = [inner for token in renderer.parse(text) for inner in (token, *(token.children or ()))]
    kinds = {token.type for token in tokens}
    links = [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]
    assert {re.sub(r"/[0-9a-f]{8}$|\?.*", "", link) for link in links} == OURS
    assert kinds.isdisjoint({"html_block", "html_inline", "image", "em_open", "s_open", "hr", "fence"})
    assert headings(text) == [
        *SECTIONS[:3],
        "Verification results",
        "Refusals",
        "Timeline",
        "People",
        "The command's last lines",
        *SECTIONS[4:],
    ]
    assert sum(token.type == "heading_open" for token in tokens) == 1 + len(headings(text))
    assert sum(token.type == "strong_open" for token in tokens) == 8
    rows = [re.sub(r"\\.", "", line).count("|") for line in text.splitlines() if line.startswith("|")]
    assert set(rows) == {5}
    html = renderer.render(text)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "\x1b" not in text
    assert "\u2028" not in text


def test_reports_of_one_second_do_not_meet(desk: Desk) -> None:
    """Another run's report in the same second gets a name of its own, and neither is left half written."""
    desk.step("evaluate", 0, Stop(Result.NOT_NEEDED, "nothing fires", Findings()))
    desk.report(Result.NOT_NEEDED, "nothing fires")
    first, desk.run = desk.run, desk.another_run()
    desk.report(Result.NOT_NEEDED, "nothing fires")
    names = sorted(path.name for path in desk.config.logs.glob("incident-*.md"))
    assert names == [f"incident-20261123-150407-{desk.run.id}.md", "incident-20261123-150407.md"]
    assert f"run `{first.id}`" in (desk.config.logs / names[1]).read_text()


def test_report_that_is_written_again_replaces_itself(desk: Desk) -> None:
    """A run whose agent was killed while it reported has one report in the end."""
    with desk.database.write() as tx:
        runs.begin_step(tx, desk.run, "report", 7, desk.now)
    desk.report(Result.NOT_NEEDED, "nothing fires")
    desk.now += 20
    again = desk.report(Result.NOT_NEEDED, "nothing fires")
    assert [path.read_text() for path in desk.config.logs.glob("incident-*.md")] == [again]


def test_directory_that_is_gone_is_an_error(desk: Desk) -> None:
    """Where the report cannot be written the caller is told."""
    desk.config.logs.rmdir()
    writer = ReportWriter(lambda: desk.config, desk.database, desk.audit, lambda: NOW, desk.told_past)
    with pytest.raises(FileNotFoundError):
        writer.write(desk.run, Result.FAILED, "it failed")
