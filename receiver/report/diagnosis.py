"""Writes the diagnosis into the incident report."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.durations import clock_time, in_words
from receiver.markdown import code, plain, printable
from receiver.model import Diagnosis


def diagnosis_section(diagnosis: Diagnosis | None) -> Iterator[str]:
    """The section's lines; none where nothing was diagnosed."""
    if diagnosis is None:
        return
    yield from ("", "## Diagnosis", "", f"Collected {clock_time(diagnosis.at)}.")
    yield from _gaps(diagnosis)
    yield from _checks(diagnosis)
    yield from _signals(diagnosis)
    yield from _releases(diagnosis)
    yield from _error_lines(diagnosis)


def _gaps(diagnosis: Diagnosis) -> Iterator[str]:
    if diagnosis.gaps:
        yield ""
        yield from (f"- Missing: {plain(gap)}" for gap in diagnosis.gaps)


def _checks(diagnosis: Diagnosis) -> Iterator[str]:
    if not diagnosis.checks:
        return
    yield from ("", "### Health checks", "", "| service | check | kind | result | took |", "|---|---|---|---|---|")
    for check in diagnosis.checks:
        result = "good" if check.success else f"**failed**: {plain(check.detail)}"
        yield f"| {code(check.service)} | {code(check.check)} | {code(check.kind)} | {result} | {check.seconds:.2f} s |"


def _signals(diagnosis: Diagnosis) -> Iterator[str]:
    if not diagnosis.signals:
        return
    yield from ("", "### Signals", "", "| signal | value |", "|---|---|")
    yield from (f"| {code(signal.series)} | {signal.reading} |" for signal in diagnosis.signals)


def _releases(diagnosis: Diagnosis) -> Iterator[str]:
    if not diagnosis.releases:
        return
    yield from ("", "### Recent releases", "")
    yield from ("| release | live since | age | commit | author | migration |", "|---|---|---|---|---|---|")
    for release in diagnosis.releases:
        age = in_words(max(diagnosis.at - release.live_since, 0.0))
        told = (code(text or "") for text in (release.commit, release.author, release.migration))
        yield f"| {code(release.id)} | {clock_time(release.live_since)} | {age} | {' | '.join(told)} |"


def _error_lines(diagnosis: Diagnosis) -> Iterator[str]:
    for log in diagnosis.error_lines:
        yield from ("", f"### Last failed requests in {code(log.path)}", "")
        yield from (f"    {printable(line)}" for line in log.lines or ["(none)"])
