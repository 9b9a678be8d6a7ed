"""Writes what was found as a commented configuration."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from receiver.inspection.beside import access_logs, databases
from receiver.inspection.found import FittingTarget, Place, Setting, Value

FILL_IN = "FILL IN"
_WIDTH = 118


@dataclass(frozen=True, slots=True)
class Start:
    """What a configuration begins with; paths are as they are to stand in it."""

    name: str
    root: str
    token_file: str
    prometheus: str
    alertmanager: str


def to_do(found: FittingTarget, name: str) -> tuple[str, ...]:
    """What a person has to fill in, as `key: what`."""
    path = f"deployments.{name}.target.{found.target}"
    return tuple(f"{path}.{one.key}: {one.to_do}" for one in found.settings if one.to_do)


def written(place: Place, found: FittingTarget, start: Start) -> str:
    """The text of the file."""
    return "\n".join((*_head(place, start), *_deployment(place, found, start.name), ""))


def _head(place: Place, start: Start) -> Iterator[str]:
    yield from _comment(
        f"The configuration of rollback-agent, begun by `rollback-agent init` for {place.directory}. Every key stands "
        "in docs/configuration.md. `rollback-agent check-config` says whether it can be used, `rollback-agent doctor` "
        "what would keep a rollback from happening."
    )
    yield from ("", *_comment("Where the agent keeps its journal, logs, audit trail, reports and backups."))
    yield f"root: {_text(start.root)}"
    yield from ("", *_comment("Beyond loopback it starts only with users or client certificates: docs/access.md."))
    yield "listen: 127.0.0.1:9195"
    yield from (
        "",
        *_comment("What Alertmanager sends as its bearer token; Alertmanager needs a copy (credentials_file)."),
    )
    yield from ("webhook:", f"  token_file: {_text(start.token_file)}")
    yield from ("", *_comment("Where the truth is read, and where people are called."))
    yield from ("prometheus:", f"  url: {_text(start.prometheus)}")
    yield from ("alertmanager:", f"  url: {_text(start.alertmanager)}")
    yield from ("", *_comment("L1 decides and records, L2 also collects a diagnosis, L3 rolls back once a person has "
                              "confirmed the plan, L4 goes ahead above a confidence of 0.90."))  # fmt: skip
    yield "autonomy: L3"
    yield ""


def _deployment(place: Place, found: FittingTarget, name: str) -> Iterator[str]:
    yield "deployments:"
    yield from _comment("The name is the label `deployment` of the metrics and alerts.", 2)
    yield f"  {_text(name)}:"
    yield from _comment(f"Found: {found.because}.", 4)
    yield from ("    target:", f"      {found.target}:")
    for setting in found.settings:
        yield from _setting(setting)
    yield from ("", *_comment("What is copied, and read back, before anything is touched: docs/backup.md.", 4))
    yield from _files("backup", "sqlite", databases(place.directory))
    logs = access_logs(place.directory)
    if logs:
        yield from ("", *_comment("Whose last failed requests are shown to who is asked.", 4))
        yield from _files("diagnosis", "access_logs", logs)
    yield from ("", *_comment("How long a release is live without a firing branch until it is one to go back to.", 4))
    yield "    good_after: 15m"
    yield from ("", *_comment("How long the signals have to become good again after a rollback.", 4))
    yield from ("    verify:", "      timeout: 10m")


def _files(section: str, key: str, files: tuple[Path, ...]) -> Iterator[str]:
    if files:
        yield from (f"    {section}:", f"      {key}:", *(f"        - {_text(str(file))}" for file in files))
    else:
        yield from _comment("No SQLite file was found. PostgreSQL, MySQL, files and commands are keys of it too.", 4)
        yield f"    {section}: {{}}"


def _setting(setting: Setting) -> Iterator[str]:
    if setting.why:
        yield from _comment(setting.why, 8)
    if setting.to_do:
        yield from _comment(f"{FILL_IN}: {setting.to_do}.", 8)
    yield f"        {setting.key}: {_value(setting.value)}"


def _value(value: Value) -> str:
    return _text(value) if isinstance(value, str) else f"[{', '.join(map(_text, value))}]"


def _text(text: str) -> str:
    """As a YAML scalar: plain where that is read back as the same text, otherwise in quotes."""
    is_plain = text.isascii() and not set(text) & set(" ,:[]{}#&*!|>'\"%@`?")
    is_plain = is_plain or (text.startswith(("http://", "https://")) and not set(text) & set(" ,[]{}#"))
    try:
        if is_plain and yaml.safe_load(text) == text:
            return text
    except yaml.YAMLError:
        pass
    quoted: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=float("inf"))
    return quoted.rstrip("\n")


def _comment(text: str, indent: int = 0) -> list[str]:
    begin = " " * indent + "# "
    # What is quoted from the directory may hold a line end, which would end the comment.
    text = "".join(char if char.isprintable() else "?" for char in text)
    return textwrap.wrap(text, _WIDTH, initial_indent=begin, subsequent_indent=begin, break_long_words=False)
