"""Draws the tree for people: a table a deployment, or every condition of one deployment."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from receiver.commands.terminal import plain
from receiver.durations import in_words
from receiver.tree.branches import BranchRule, BranchState, DeploymentState, State
from receiver.tree.conditions import Condition
from receiver.tree.readings import Measured, Reading
from receiver.tree.words import limit_in_words, value_in_words

WIDE = 100
"""From as many columns on everything stands on one line."""
NO_DATA, NO_TRAFFIC = Text("no data", "yellow"), Text("no traffic", "dim")


def overview(found: Sequence[DeploymentState], now: float, width: int) -> RenderableType:
    """A table for each deployment with a line for each branch."""
    return Group(*(part for one in found for part in _deployment(one, now, width)))


def details(found: Sequence[DeploymentState], now: float) -> RenderableType:
    """Each branch with all that it compares."""
    return Group(*(part for one in found for part in _details(one, now)))


def fitted(console: Console, drawn: RenderableType, footer: Text) -> RenderableType:
    """As much as the terminal is high, and a last line that says so."""
    lines = console.render_lines(drawn, pad=False)
    room = console.height - 1
    if len(lines) > room:
        left = len(lines) - room
        footer = Text(f"{left} lines more, name a DEPLOYMENT  ", "yellow") + footer
    return Group(*(Text.assemble(*((part.text, part.style or "") for part in line)) for line in lines[:room]), footer)


def _deployment(one: DeploymentState, now: float, width: int) -> Iterator[RenderableType]:
    yield _title(one)
    if not one.is_known:
        yield Text()
        return
    is_wide = width >= WIDE
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("branch", no_wrap=True)
    table.add_column("action", no_wrap=True)
    table.add_column(
        "value", justify="right", overflow="fold", min_width=13
    )  # what does not fit folds, so that the others need not
    table.add_column("limit", no_wrap=True, min_width=7)
    table.add_column("state", no_wrap=True)
    for branch in one.branches:
        rank = "?" if branch.rule.rank is None else str(branch.rule.rank)
        style = "bold" if branch.state in (State.PENDING, State.FIRING) else ""
        name = Text(plain(branch.rule.branch), style)
        table.add_row(rank, name, _action(branch.rule, is_wide), *_deciding(branch), _state(branch, now, is_wide))
    yield table
    yield Text()


def _title(one: DeploymentState) -> Text:
    title = Text(plain(one.name), "bold")
    if not one.is_configured:
        title.append("  not configured", "yellow")
    if not one.is_known:
        return title.append("  no data: Prometheus knows nothing of it", "yellow")
    worst = next(iter(one.firing), None)
    blind = sum(branch.deciding is not None and not branch.deciding.readings for branch in one.branches)
    unknown = sum(branch.state is State.UNKNOWN for branch in one.branches)
    if worst is None:
        title.append("  nothing fires", "" if blind or unknown else "green")
    elif worst.rule.demand is None:
        title.append(f"  {plain(worst.rule.branch)} fires, and its labels cannot be read", "red")
    else:
        title.append(f"  {plain(worst.rule.branch)} decides: {_action(worst.rule, True)}", _colour(worst.rule))
    if blind:
        title.append(f"  {blind} of {len(one.branches)} without data", "yellow")
    if unknown:
        title.append(f"  {unknown} not evaluated", "magenta")
    return title


def _action(rule: BranchRule, is_wide: bool) -> str:
    """What the branch asks for; where there is little room, a level says that it is a rollback."""
    confidence = None if rule.confidence is None else f"{rule.confidence:.2f}"
    action = None if rule.level and not is_wide else rule.action
    return plain(" ".join(part for part in (action, rule.level, confidence) if part))


def _colour(rule: BranchRule) -> str:
    return "red" if rule.action == "rollback" else "yellow"


def _state(branch: BranchState, now: float, is_wide: bool) -> Text:
    match branch.state:
        case State.FIRING:
            return Text(f"firing {in_words(now - (branch.since or now))}", f"bold {_colour(branch.rule)}")
        case State.PENDING:
            left = in_words((branch.fires_at or now) - now)
            between = ", " if is_wide else "\n"
            return Text(f"pending {in_words(now - (branch.since or now))}{between}fires in {left}", "yellow")
        case State.UNKNOWN:
            return Text("not evaluated", "magenta")
        case State.INACTIVE if branch.held_back_by is not None:
            return Text(f"held back by {branch.held_back_by}", "cyan")
        case State.INACTIVE:
            return Text("inactive", "dim")


def _deciding(branch: BranchState) -> tuple[Text, Text]:
    """The value and the limit of what the branch is about."""
    if branch.deciding is None:
        return Text(f"{branch.series} found" if branch.series else "none found"), Text()
    value, limit = _sides(branch.deciding, branch.service)
    return (Text(value.plain, "red") if _is_up(branch) else value), limit


def _is_up(branch: BranchState) -> bool:
    """Whether what it looks for is there, so that its values are no longer harmless."""
    return branch.state in (State.PENDING, State.FIRING) or branch.held_back_by is not None


def _sides(measured: Measured, service: str | None) -> tuple[Text, Text]:
    condition, reading = measured.condition, measured.of(service)
    literal = condition.right.literal
    if reading is None:
        return NO_DATA, Text(limit_in_words(condition, literal) if literal is not None else "")
    if reading.threshold is None:
        return _value(condition, reading), Text.assemble(f"{condition.operator} ", NO_DATA)
    return _value(condition, reading), Text(limit_in_words(condition, reading.threshold))


def _value(condition: Condition, reading: Reading) -> Text:
    if math.isnan(reading.value):
        return NO_TRAFFIC
    service = "" if reading.service is None else f"{plain(reading.service)} "
    return Text.assemble((service, "dim"), value_in_words(condition, reading))


def _details(one: DeploymentState, now: float) -> Iterator[RenderableType]:
    yield _title(one)
    tables = [[_row(measured, branch) for measured in branch.measured] for branch in one.branches]
    widths = [max((row[column].cell_len for rows in tables for row in rows), default=0) for column in range(3)]
    for branch, rows in zip(one.branches, tables, strict=True):
        yield Text()
        rank = "?" if branch.rule.rank is None else str(branch.rule.rank)
        heading = Text.assemble((f"{rank:>2}  {plain(branch.rule.branch)}", "bold"))
        yield heading.append(f"  {_action(branch.rule, True)}  ", "dim") + _state(branch, now, True)
        if branch.rule.fault:
            yield Text(f"    {plain(branch.rule.fault)}", "magenta")
        if rows:
            yield _conditions(branch, rows, widths)
        elif one.is_known:
            yield Text(f"    {_deciding(branch)[0].plain}", "dim")


def _row(measured: Measured, branch: BranchState) -> tuple[Text, Text, Text]:
    value, limit = _sides(measured, branch.service)
    if not measured.holds_of(branch.service):
        return value, limit, Text()
    style = "red" if _is_up(branch) else "bold"
    return Text(value.plain, style), limit, Text("holds", style)


def _conditions(branch: BranchState, rows: Sequence[tuple[Text, Text, Text]], widths: Sequence[int]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(width=2)
    table.add_column(width=widths[0], justify="right")
    table.add_column(width=widths[1])
    table.add_column(width=widths[2])
    table.add_column(overflow="fold")
    for measured, row in zip(branch.measured, rows, strict=True):
        words = Text(_words(measured.condition))
        table.add_row("", *row, Padding(words, (0, 0, 0, 2 * measured.condition.depth)))
    return table


def _words(condition: Condition) -> str:
    right = f" {condition.operator} {condition.right.name}" if condition.right.literal is None else ""
    joined = f"{condition.joined} " if condition.joined else ""
    return plain(f"{joined}{condition.left.name}{right}")
