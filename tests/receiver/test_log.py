"""The agent's log is the guide's: one JSON object a line, whatever is logged, and the same as text on the console."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from receiver.redact import REDACTED

REPOSITORY = Path(__file__).parents[2]
SET_UP = """
import logging, sys
from pathlib import Path
import structlog
from receiver.log import get_log, set_up_log
file = Path(sys.argv[1])
set_up_log(file)
"""


def logged(file: Path, statements: str) -> tuple[list[dict[str, Any]], list[str]]:
    """What a process of its own writes into the log and onto the console."""
    program = [sys.executable, "-W", "error", "-c", SET_UP + statements, str(file)]
    done = subprocess.run(program, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return [json.loads(line) for line in file.read_text(encoding="ascii").split("\n")[:-1]], done.stderr.split("\n")[
        :-1
    ]


def test_line_has_the_guides_fields(tmp_path: Path) -> None:
    """Timestamp, level, agent, message and context, in this order, and nothing else."""
    [line], [text] = logged(tmp_path / "agent.log", "get_log().warning('guard: refused', run='a1', free=0.5)")
    assert list(line) == ["timestamp", "level", "agent", "message", "context"]
    assert (line["level"], line["agent"], line["message"]) == ("WARNING", "rollback_agent", "guard: refused")
    assert line["context"] == {"run": "a1", "free": 0.5}
    assert text == f'[{line["timestamp"]}] [WARNING] guard: refused run="a1" free=0.5'


def test_timestamp_is_utc_with_milliseconds(tmp_path: Path) -> None:
    """The time is of now, in UTC, and says so."""
    [line], _ = logged(tmp_path / "agent.log", "get_log().info('hello')")
    at = datetime.fromisoformat(line["timestamp"])
    assert at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
    assert len(line["timestamp"]) == len("2026-11-23T15:04:05.123+00:00")


def test_line_stays_one_line_whatever_it_says(tmp_path: Path) -> None:
    """Newlines, terminal escapes and line separators in a message or in its context are escaped in both outputs
    (T14).
    """
    statements = (
        "for text in ('a\\nb', 'a\\r\\nb', '\\x1b[31mred', 'a\\u2028b', 'a\\x85b', '\\x9b31m', '\\ud800', '\\x00'):\n"
        "    get_log().info(text, label=text)"
    )
    lines, console = logged(tmp_path / "agent.log", statements)
    texts = ["a\nb", "a\r\nb", "\x1b[31mred", "a\u2028b", "a\x85b", "\x9b31m", "\ud800", "\x00"]
    assert [line["message"] for line in lines] == texts
    assert [line["context"] for line in lines] == [{"label": text} for text in texts]
    assert len(console) == len(texts)
    assert all(text.isprintable() and text.isascii() for text in console)


def test_secrets_in_the_context_are_hidden(tmp_path: Path) -> None:
    """A secret that is given as context is in neither output."""
    lines, [text] = logged(tmp_path / "agent.log", "get_log().info('x', token='hunter2', env={'api_key': 'hunter2'})")
    assert lines[0]["context"] == {"token": REDACTED, "env": {"api_key": REDACTED}}
    assert "hunter2" not in text + (tmp_path / "agent.log").read_text()


def test_exception_is_in_the_context(tmp_path: Path) -> None:
    """An unexpected error is logged with its traceback, on the same one line."""
    statements = "try:\n    1 / 0\nexcept ZeroDivisionError:\n    get_log().exception('evaluate: failed unexpectedly')"
    [line], console = logged(tmp_path / "agent.log", statements)
    assert (line["level"], line["message"]) == ("ERROR", "evaluate: failed unexpectedly")
    assert line["context"]["exception"].endswith("ZeroDivisionError: division by zero")
    assert len(console) == 1


def test_context_of_the_run_is_on_each_line(tmp_path: Path) -> None:
    """What is bound while a run is worked on is on all lines of that time and on no other."""
    statements = (
        "with structlog.contextvars.bound_contextvars(run='a1'):\n"
        "    get_log().info('within', x=1)\n"
        "get_log().info('after')"
    )
    lines, _ = logged(tmp_path / "agent.log", statements)
    assert [line["context"] for line in lines] == [{"x": 1, "run": "a1"}, {}]


def test_libraries_log_in_the_same_format(tmp_path: Path) -> None:
    """What a library logs through the standard library is in the file too; the chatty ones from warnings on."""
    statements = (
        "logging.getLogger('werkzeug').info('said %s', 'this\\nand that')\n"
        "for chatty in ('alembic', 'urllib3', 'cheroot'):\n"
        "    logging.getLogger(chatty).info('every detail')\n"
        "    logging.getLogger(chatty).warning('from ' + chatty)\n"
        "get_log().debug('not shown')"
    )
    lines, _ = logged(tmp_path / "agent.log", statements)
    messages = [line["message"] for line in lines]
    assert messages == ["said this\nand that", "from alembic", "from urllib3", "from cheroot"]
    assert all(list(line) == ["timestamp", "level", "agent", "message", "context"] for line in lines)


def test_rotated_file_is_left_and_a_new_one_begun(tmp_path: Path) -> None:
    """After logrotate has renamed the file, what follows is in a new file of the old name."""
    statements = (
        "get_log().info('before')\nfile.rename(file.with_suffix('.1'))\nget_log().info('after')\n"
        "set_up_log(file)\nget_log().info('set up twice')"
    )
    lines, _ = logged(tmp_path / "agent.log", statements)
    assert [line["message"] for line in lines] == ["after", "set up twice"]
    assert json.loads((tmp_path / "agent.1").read_text())["message"] == "before"


def test_a_log_file_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    """Where the file cannot be opened again, logging raises nothing; once it can, it goes on."""
    statements = (
        "file.parent.rename(file.parent.with_name('away'))\n"
        "get_log().error('lost')\n"
        "file.parent.mkdir()\n"
        "get_log().error('kept')"
    )
    (tmp_path / "logs").mkdir()
    lines, console = logged(tmp_path / "logs" / "agent.log", statements)
    assert [line["message"] for line in lines] == ["kept"]
    assert any("[ERROR] lost" in text for text in console)


def test_secret_in_the_message_or_an_exception_is_hidden(tmp_path: Path) -> None:
    """What has the form of a secret is in neither output, whether it was said or raised."""
    statements = (
        "get_log().info('asked http://ada:hunter2@db/')\n"
        "try:\n    raise ValueError('password=' + 'hunter2')\n"
        "except ValueError as error:\n    get_log().exception('no', error=error)\n"
        "logging.getLogger('werkzeug').warning('sent %s', 'Authorization: Bearer hunter2')"
    )
    lines, console = logged(tmp_path / "agent.log", statements)
    assert lines[0]["message"] == f"asked http://{REDACTED}@db/"
    assert lines[1]["context"]["error"] == f"password={REDACTED}"
    assert lines[1]["context"]["exception"].endswith(f"ValueError: password={REDACTED}")
    assert lines[2]["message"] == f"sent Authorization: {REDACTED}"
    assert "hunter2" not in "".join(console)


def test_line_that_cannot_be_written_is_told_without_what_it_holds(tmp_path: Path) -> None:
    """Where the log file cannot be opened again, the console says why, once, and shows no argument of the line."""
    statements = (
        "file.parent.rename(file.parent.with_name('away'))\n"
        "get_log().error('lost', password='hunter2')\n"
        "file.parent.mkdir()\n"
        "get_log().error('kept')"
    )
    (tmp_path / "logs").mkdir()
    _, console = logged(tmp_path / "logs" / "agent.log", statements)
    said = f"{tmp_path / 'logs' / 'agent.log'}: a line of level ERROR is missing: No such file or directory"
    assert console[0] == said
    assert len(console) == 3
    assert "hunter2" not in "".join(console)


def test_full_file_is_kept_under_a_number_and_no_line_is_lost(tmp_path: Path) -> None:
    """The file is turned over once it is full; together with as many full ones as are kept it holds all lines."""
    statements = "set_up_log(file, 'INFO', 1000, 9)\nfor number in range(60):\n    get_log().info(f'line {number}')"
    logged(tmp_path / "agent.log", statements)
    files = sorted(tmp_path.iterdir(), key=lambda file: int(file.suffix[1:]) if file.suffix != ".log" else 0)
    lines = [json.loads(line)["message"] for file in reversed(files) for line in file.read_text().splitlines()]
    assert lines == [f"line {number}" for number in range(60)]
    assert 5 < len(files) <= 10
    assert all(file.stat().st_size < 1200 for file in files)

    logged(tmp_path / "agent.log", statements.replace("9)", "2)").replace("range(60)", "range(90)"))
    kept = {file.name for file in tmp_path.iterdir()} & {"agent.log", "agent.log.1", "agent.log.2"}
    assert len(kept) == 3
    assert json.loads((tmp_path / "agent.log").read_text().splitlines()[-1])["message"] == "line 89"


def test_file_that_cannot_be_turned_over_is_written_on(tmp_path: Path) -> None:
    """Where a full file cannot be renamed, the lines go on into it."""
    (tmp_path / "agent.log.1" / "in the way").mkdir(parents=True)
    statements = "set_up_log(file, 'INFO', 1000, 1)\nfor number in range(30):\n    get_log().info(f'line {number}')"
    lines, _ = logged(tmp_path / "agent.log", statements)
    assert [line["message"] for line in lines] == [f"line {number}" for number in range(30)]


@pytest.mark.parametrize(("level", "count"), [("DEBUG", 5), ("INFO", 4), ("WARNING", 3), ("ERROR", 2), ("CRITICAL", 1)])
def test_each_level_logs_what_is_at_least_as_grave(tmp_path: Path, level: str, count: int) -> None:
    """Of one line a level those from the wanted one on are logged."""
    statements = (
        f"set_up_log(file, '{level}')\n"
        "for name in ('debug', 'info', 'warning', 'error', 'critical'):\n    getattr(get_log(), name)(name)"
    )
    lines, console = logged(tmp_path / "agent.log", statements)
    assert [line["level"] for line in lines] == ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"][5 - count :]
    assert len(console) == count
