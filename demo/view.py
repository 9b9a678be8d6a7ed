"""Shows a scenario as it happens: a live table on a terminal, timestamped lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.box import SIMPLE
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from demo.timeline import Moment, Timeline

_STYLES = {Moment.FAULT: "red", Moment.GOOD: "green", Moment.VERIFIED: "green"}


@dataclass(frozen=True, slots=True)
class Status:
    """How the deployment does right now."""

    services: dict[str, bool]
    failed_share: float | None
    doing: str


class View:
    """Where a demonstration is shown; `update` redraws or prints what is new."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._title = ""
        self._printed: set[Moment] = set()

    def say(self, text: str) -> None:
        """One line between scenarios, with the time of day."""
        line = Text.assemble((f"{_clock(datetime.now(UTC).timestamp())}  ", "dim"), text)
        self._console.print(line, soft_wrap=not self._console.is_terminal)

    def print(self, what: RenderableType) -> None:
        """Show something as it is."""
        self._console.print(what)

    @contextmanager
    def scenario(self, title: str) -> Iterator[None]:
        """Show one scenario; what is drawn last stays."""
        self._title = title
        self._printed = set()
        if not self._console.is_terminal:
            self.say(title)
            yield
            return
        with Live(console=self._console, auto_refresh=False) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def update(self, timeline: Timeline, status: Status) -> None:
        """Show the scenario as it stands."""
        if self._live is not None:
            self._live.update(Group(_table(self._title, timeline), _status_line(status)), refresh=True)
            return
        news = [(at, moment) for moment in set(Moment) - self._printed if (at := timeline.at(moment)) is not None]
        for at, moment in sorted(news):
            self._printed.add(moment)
            since = _since(timeline.since_fault(moment))
            line = f"{_clock(at)}  {since:>8}  {moment:<28}  {timeline.note(moment)}"
            self._console.print(line, soft_wrap=True, highlight=False, markup=False)


def _table(title: str, timeline: Timeline) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE, expand=True, padding=(0, 1, 0, 0))
    table.add_column("what", no_wrap=True)
    table.add_column("time", no_wrap=True)
    table.add_column("after", justify="right", no_wrap=True)
    table.add_column("", ratio=1, no_wrap=True, overflow="ellipsis")
    for moment in timeline.expected():
        at = timeline.at(moment)
        style = "dim" if at is None else _STYLES.get(moment, "")
        clock = "" if at is None else _clock(at)
        table.add_row(moment, clock, _since(timeline.since_fault(moment)), Text(timeline.note(moment)), style=style)
    return table


def _status_line(status: Status) -> Text:
    line = Text(" ")
    for service, is_up in status.services.items():
        line.append(f"{service} ")
        line.append("up    " if is_up else "DOWN  ", "green" if is_up else "bold red")
    share = status.failed_share
    line.append("failed in 5 s ")
    line.append("none yet" if share is None else f"{share:.0%}", "bold red" if share else "green")
    line.append(f"  {status.doing}", "dim")
    return line


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%H:%M:%S.%f")[:-5]


def _since(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:+.1f} s"
