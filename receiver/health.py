"""Runs the command that checks a deployment's health (`rollback-agent health --json`) and reads what it found."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress

from pydantic import BaseModel, ValidationError

from receiver.errors import HealthError
from receiver.model import CheckedHealth
from receiver.redact import redact

MAX_OUTPUT = 1 << 20
"""Bytes; thousands of checks take less."""
LONGEST_DETAIL = 300
_BLOCK = 1 << 16


class _Check(BaseModel):
    deployment: str
    service: str
    check: str
    kind: str
    success: bool
    reason: str | None
    detail: str
    seconds: float


class _Answer(BaseModel):
    checks: tuple[_Check, ...]


def check_health(argv: tuple[str, ...], timeout: float, deployment: str) -> tuple[CheckedHealth, ...]:
    """What the checks of `deployment` find now; raises HealthError. A check that fails is an answer, not an error."""
    output, complaint = _output_of(argv, time.monotonic() + timeout)
    if len(output) >= MAX_OUTPUT:
        raise HealthError(f"{argv[0]} printed {MAX_OUTPUT} bytes or more")
    try:
        answer = _Answer.model_validate_json(output)
    except ValidationError:
        said = str(redact(complaint.decode(errors="replace").strip()))[-LONGEST_DETAIL:]
        raise HealthError(f"{argv[0]} printed no such JSON as `rollback-agent health --json`; {said}") from None
    checked = tuple(_checked(one) for one in answer.checks if one.deployment == deployment)
    if not checked:
        raise HealthError(f"{argv[0]} ran no check of {deployment}")
    return checked


def _checked(one: _Check) -> CheckedHealth:
    detail = "" if one.success else f"{one.reason}: {redact(one.detail)}"[:LONGEST_DETAIL]
    return CheckedHealth(one.service, one.check, one.kind, one.success, detail, one.seconds)


def _output_of(argv: tuple[str, ...], deadline: float) -> tuple[bytes, bytes]:
    """What the command prints, and what it complains of; when this returns, its process group is gone."""
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env={},
            start_new_session=True,
        )
    except OSError as error:
        raise HealthError(f"{argv[0]} cannot be started: {error.strerror}") from error
    with process:
        try:
            return _read(process, deadline)
        except TimeoutError:
            raise HealthError(f"{argv[0]} did not end within its time") from None
        finally:
            # The leader is not reaped yet, so the number of its group cannot have been given to another one.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _read(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bytes]:
    """Both pipes up to their ends, of each the first MAX_OUTPUT bytes; raises TimeoutError."""
    pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe is not None]
    read = {pipe.fileno(): bytearray() for pipe in pipes}
    with selectors.DefaultSelector() as open_pipes:
        for pipe in read:
            open_pipes.register(pipe, selectors.EVENT_READ)
        while open_pipes.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            for key, _ in open_pipes.select(left):
                block = os.read(key.fd, _BLOCK)
                if not block:
                    open_pipes.unregister(key.fd)
                read[key.fd] += block[: MAX_OUTPUT - len(read[key.fd])]
    output, complaint = read.values()
    return bytes(output), bytes(complaint)
