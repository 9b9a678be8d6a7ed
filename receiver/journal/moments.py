"""A moment by the wall clock, which can be moved, and by the time since the machine's boot, which cannot."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Moment(float):
    """Unix seconds that also know how long the machine had been up: in which boot, and for how many seconds.

    Both are None where only the wall clock is known, as with a database whose own clock counts. Arithmetic gives plain
    numbers.
    """

    __slots__ = ("boot", "uptime")
    boot: str | None
    uptime: float | None

    def __new__(cls, at: float, boot: str | None = None, uptime: float | None = None) -> Moment:
        moment = super().__new__(cls, at)
        moment.boot, moment.uptime = boot, uptime
        return moment


def since_boot() -> tuple[str, float] | None:
    """This boot's id and the seconds since then, suspended ones included; None where the kernel does not tell."""
    try:
        return _boot(), time.clock_gettime(time.CLOCK_BOOTTIME)
    except OSError:
        return None


@cache
def _boot() -> str:
    """This boot's id, which no process sees change."""
    return _BOOT_ID.read_text().strip()


def measured_between(earlier: float, later: float) -> float | None:
    """Seconds between two moments of one boot, however the wall clock was moved meanwhile; None of others."""
    one, other = as_moment(earlier), as_moment(later)
    if one.boot is None or one.boot != other.boot or one.uptime is None or other.uptime is None:
        return None
    return other.uptime - one.uptime


def as_moment(at: float) -> Moment:
    """The moment itself, or one of which only the wall clock is known."""
    return at if isinstance(at, Moment) else Moment(at)
