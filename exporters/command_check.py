"""Probes a service by running a command and looking at its exit code."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess

from exporters.config import CommandCheck
from exporters.deadline import Deadline
from exporters.outcome import Outcome, Reason

LEAVE = 0.2
"""Seconds before the deadline at which a command is told to end, before it is made to."""

# Built from nothing, so that a check gives the same answer wherever the exporter was started from.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}


def probe_command(check: CommandCheck, deadline: Deadline) -> Outcome:
    """Run the command in a session of its own; when this returns, its process group is gone."""
    try:
        process = subprocess.Popen(
            check.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
        )
    except OSError as error:
        return Outcome(Reason.ERROR, f"cannot be started: {error.strerror}")
    try:
        finished = _ends_in_time(process, deadline)
    except TimeoutError:
        finished = False
    finally:
        # The leader is not reaped yet, so the number of its group cannot have been given to another one.
        _signal_group(process, signal.SIGKILL)
        process.wait()
    if not finished:
        return Outcome(Reason.TIMEOUT, "still running at the deadline")
    if process.returncode != check.expected_exit_code:
        return Outcome(Reason.EXIT_CODE, f"exit code {process.returncode}, expected {check.expected_exit_code}")
    return Outcome()


def _ends_in_time(process: subprocess.Popen[bytes], deadline: Deadline) -> bool:
    """Wait for the leader without reaping it; tell the group to end shortly before the deadline."""
    time_left = deadline.remaining()
    leave = min(LEAVE, time_left / 4)
    exit_notice = os.pidfd_open(process.pid)
    try:
        finished = _exits_within(time_left - leave, exit_notice)
        if not finished:
            _signal_group(process, signal.SIGTERM)
            _exits_within(leave, exit_notice)
        return finished
    finally:
        os.close(exit_notice)


def _exits_within(seconds: float, exit_notice: int) -> bool:
    poller = select.poll()
    poller.register(exit_notice, select.POLLIN)
    return bool(poller.poll(seconds * 1000))


def _signal_group(process: subprocess.Popen[bytes], signal_number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal_number)
