"""Sets up the agent's log: JSON lines in a file, the same as short text on the console."""

from __future__ import annotations

import json
import logging
import logging.handlers
import sys
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import structlog

from receiver.redact import redact, redact_text
from receiver.repeats import Repeats

AGENT = "rollback_agent"
_BELONGS_TO_THE_LINE = ("timestamp", "level", "event", "logger", "_record", "_from_structlog")


class _File(logging.handlers.WatchedFileHandler):
    """A log file that cannot be opened again costs its lines, and never the work that is logged.

    Once it holds `max_bytes` it becomes `FILE.1`, and so on up to `FILE.keep`; the oldest is dropped.
    """

    def __init__(self, file: Path, max_bytes: int, keep: int) -> None:
        super().__init__(file, encoding="ascii", errors="backslashreplace")
        self._max_bytes, self._keep = max_bytes, keep

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line; where that fails, say so on standard error."""
        try:
            self.reopenIfNeeded()
            with suppress(OSError):  # what cannot be renamed is written on
                self._rotate_if_full()
            super().emit(record)  # which opens the file anew where its name is gone
        except OSError:
            self.handleError(record)

    def _rotate_if_full(self) -> None:
        file = Path(self.baseFilename)
        if file.stat().st_size < self._max_bytes:
            return
        numbered = [file, *(file.with_name(f"{file.name}.{number}") for number in range(1, self._keep + 1))]
        for older, newer in reversed(list(pairwise(numbered))):
            if older.exists():
                older.replace(newer)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Say that a line is missing, and not what was in it: the line as it was logged may hold a secret."""
        why = sys.exc_info()[1]
        reason = (why.strerror if isinstance(why, OSError) else None) or type(why).__name__
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{self.baseFilename}: a line of level {record.levelname} is missing: {reason}\n")


def set_up_log(file: Path, level: str = "INFO", max_bytes: int = 10_000_000, keep: int = 5) -> None:
    """Send everything from `level` on to `file`, of which `keep` full ones are kept, and to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, Repeats(), _stamp, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    to_file = _File(file, max_bytes, keep)
    to_console = logging.StreamHandler(sys.stderr)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    for handler, render in ((to_file, _as_json), (to_console, _as_text)):
        handler.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                processors=[render], foreign_pre_chain=[*shared, _stamp], use_get_message=True
            )
        )
        root.addHandler(handler)
    root.setLevel(level)
    for chatty in ("alembic", "urllib3", "cheroot"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def get_log() -> structlog.stdlib.BoundLogger:
    """The agent's logger; keywords become the line's context."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(AGENT)
    return logger


def _stamp(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event["timestamp"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    return event


def _context(event: structlog.typing.EventDict) -> Any:
    return redact({name: value for name, value in event.items() if name not in _BELONGS_TO_THE_LINE})


def _as_json(_logger: Any, _method: str, event: structlog.typing.EventDict) -> str:
    line = {
        "timestamp": event["timestamp"],
        "level": event["level"].upper(),
        "agent": AGENT,
        "message": redact_text(str(event["event"])),
        "context": _context(event),
    }
    return json.dumps(line, ensure_ascii=True, default=str)


def _as_text(_logger: Any, _method: str, event: structlog.typing.EventDict) -> str:
    # JSON strings keep a line one line, whatever an alert's labels hold.
    context = " ".join(f"{name}={json.dumps(value, default=str)}" for name, value in _context(event).items())
    message = json.dumps(redact_text(str(event["event"])), ensure_ascii=True)[1:-1]
    return f"[{event['timestamp']}] [{event['level'].upper()}] {message} {context}".rstrip()
