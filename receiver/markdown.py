"""Puts text from outside into Markdown so that it stays text."""

from __future__ import annotations

from receiver.redact import redact_text


def printable(text: str) -> str:
    """The text without secrets, with a space for each character that is none to be printed."""
    # Before anything is escaped, which would make a secret look like another text.
    return "".join(char if char.isprintable() else " " for char in redact_text(text))


def plain(text: str) -> str:
    """Text from outside on one line, with what Markdown and HTML would act on made harmless."""
    line = " ".join(printable(text).split())
    for char in "\\`*_[]<>|~&":
        line = line.replace(char, f"\\{char}")
    return line


def code(text: str) -> str:
    """Text from outside in the type of code, or a dash where there is none."""
    line = "".join(char if char.isprintable() and char not in "`|" else "?" for char in redact_text(text))
    return f"`{line}`" if line else "-"
