"""What takes too long is cut off, what does not is left alone, and one thread is enough for both."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from receiver.deadlines import Deadlines

LONG = 60.0


def test_what_takes_too_long_is_cut_off() -> None:
    """Once, also while a later deadline was set before, and the block goes on."""
    deadlines, cut = Deadlines(), threading.Event()
    calls: list[str] = []

    def cut_off() -> None:
        calls.append("cut")
        cut.set()

    with deadlines.within(LONG, lambda: calls.append("never")), deadlines.within(0.01, cut_off):
        assert cut.wait(LONG)
    assert calls == ["cut"]


def test_what_ends_in_time_is_left_alone() -> None:
    """Its deadline is past when a later one is cut off, and nothing was done about it."""
    deadlines, cut = Deadlines(), threading.Event()
    calls: list[str] = []
    with deadlines.within(0.5, lambda: calls.append("cut")):
        pass
    called = len(calls)  # 1 on a machine that took half a second for it
    with deadlines.within(1.0, cut.set):
        assert cut.wait(LONG)
    assert len(calls) == called


def test_fifty_threads_need_one_more() -> None:
    """However many blocks there are at once, one thread watches them."""
    deadlines = Deadlines()
    inside, leave = threading.Barrier(51), threading.Event()

    def work() -> None:
        with deadlines.within(LONG, leave.set):
            inside.wait(LONG)
            leave.wait(LONG)

    before = threading.active_count()
    with ThreadPoolExecutor(50) as pool:
        for _ in range(50):
            pool.submit(work)
        inside.wait(LONG)
        count = threading.active_count()
        leave.set()
    assert count - before == 51
