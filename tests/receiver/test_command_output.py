"""What a command printed last can be shown, whatever it is."""

from __future__ import annotations

from pathlib import Path

from receiver.command_output import last_output
from receiver.redact import REDACTED


def test_output_is_text_whatever_was_printed(tmp_path: Path) -> None:
    """Of a long or binary output the end is shown, and of one that is gone, why it cannot be (T16)."""
    output = tmp_path / "output"
    output.write_bytes(b"x" * 5000 + b"\nlast line \xff\n")
    assert last_output(output, size=12) == "last line \\xff"[-12:]
    assert last_output(tmp_path / "absent") == "(the output cannot be read: No such file or directory)"


def test_secret_is_hidden_before_the_output_is_cut(tmp_path: Path) -> None:
    """A secret of which only the end would be shown is recognised by its beginning."""
    output = tmp_path / "output"
    output.write_text(f"token={'a' * 3000}\ndone\n")
    assert last_output(output) == f"token={REDACTED}\ndone"
    output.write_text("-----BEGIN PRIVATE KEY-----\n" + "abcd\n" * 1000 + "-----END PRIVATE KEY-----\ndone\n")
    assert last_output(output) == f"{REDACTED}\ndone"


def test_only_the_end_of_a_huge_output_is_read(tmp_path: Path) -> None:
    """A gigabyte that was printed costs no gigabyte of memory."""
    output = tmp_path / "output"
    with output.open("wb") as file:
        file.truncate(1 << 30)
        file.seek(0, 2)
        file.write(b"\nlast line\n")
    assert last_output(output).endswith("\nlast line")
