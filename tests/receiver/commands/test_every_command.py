"""Every command explains itself with an example, and says in a sentence what was wrong, whatever is wrong."""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from receiver.cli import COMMANDS, OURS, cli
from tests.receiver.commands.in_process import run_command
from tests.receiver.commands.journaled import Journaled

AGENT = Path(sys.executable).parent / "rollback-agent"


def walk(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command with what is typed for it, groups before what is in them."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from walk(below, *path, name)


EVERY = dict(walk(cli))
LEAVES = {name: command for name, command in EVERY.items() if not isinstance(command, click.Group)}


def example_of(command: click.Command) -> str:
    """The first line under "Example:" at the end of its help; a new command is given one by `epilog=example(...)`."""
    found = re.search(r"Example:\n +(rollback-agent .+)", f"{command.help}\n{command.epilog}")
    assert found, f"{command.name} has no example; give it epilog=example(...) of receiver.commands.groups"
    return found[1]


def typed(name: str) -> list[str]:
    """What the example types after the command's name, without what is for the shell."""
    return shlex.split(re.split(" > | && ", example_of(LEAVES[name]))[0])[1 + len(name.split()) :]


def arguments_of(name: str) -> list[str]:
    """The same without a configuration, and without what lets it go on for ever."""
    words = typed(name)
    if "--config" in words:
        del words[words.index("--config") : words.index("--config") + 2]
    return [word for word in words if word not in ("--watch", "--follow")]


@pytest.mark.parametrize("name", EVERY)
def test_help_has_an_example_that_is_right(name: str) -> None:
    """It is printed whole, calls this command, and its options and arguments are ones that the command takes."""
    command = EVERY[name]
    line = example_of(command)
    code, said = run_command(*name.split(), "--help")
    assert (code, line in said) == (0, True)
    assert line.startswith(f"rollback-agent {name}".rstrip())
    if name in LEAVES:
        assert command.help
        try:
            command.make_context(name, typed(name))
        except click.BadParameter as error:
            if "does not exist" not in error.message:  # the directory of the example
                raise


@dataclass(frozen=True)
class Wrong:
    """One kind of what can be wrong around a command: what makes it, and what is then said, with which code."""

    make: Callable[[Journaled], object]
    code: int | None = None
    says: str = ""


def write(here: Journaled, **changes: object) -> None:
    here.config.write_text(json.dumps(here.content | changes))


def on_postgresql(here: Journaled) -> None:
    url = here.root / "journal.url"
    url.write_text(f"postgresql://agent@/none?host={here.root}")
    url.chmod(0o600)
    write(here, journal={"postgresql": {"url_file": str(url)}})


def garbage(here: Journaled) -> None:
    here.database.close()
    for file in here.root.glob("state.db*"):
        file.unlink()
    (here.root / "state.db").write_bytes(b"this is no database" * 1000)


def root_that_is_a_file(here: Journaled) -> None:
    (here.root.parent / "file").touch()
    write(here, root=str(here.root.parent / "file"))


SURROUNDINGS = {
    "no_configuration": Wrong(lambda here: here.config.unlink(), 2, "agent.json: cannot be read: No such file"),
    "unknown_key": Wrong(lambda here: write(here, autonomi="L3"), 2, "agent.json:1: autonomi: unknown key"),
    "no_yaml": Wrong(lambda here: here.config.write_text("a: [1"), 2, "agent.json:1: not valid YAML"),
    "empty": Wrong(lambda here: here.config.write_text(""), 2, "agent.json: the file is empty"),
    "never_served": Wrong(lambda here: (here.root / "state.db").unlink()),
    "no_root": Wrong(lambda here: write(here, root=str(here.root / "gone"))),
    "root_that_is_a_file": Wrong(root_that_is_a_file),
    "no_database": Wrong(garbage),
    "postgresql_that_is_gone": Wrong(on_postgresql),
    "audit_trail_that_is_a_directory": Wrong(lambda here: (here.root / "logs" / "audit-trail.jsonl").mkdir()),
    "nothing_but_a_journal": Wrong(lambda _: None),
}
OWN = {"exporter", "health"}
"""They read the exporter's configuration."""
WITH_CONFIG = [name for name in LEAVES if any("--config" in one.opts for one in LEAVES[name].params)]
FOR_EVER = {"serve", "exporter"}
"""With a good configuration they run until they are ended."""


@pytest.mark.parametrize("wrong", SURROUNDINGS)
def test_what_is_wrong_around_a_command_is_said(here: Journaled, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By each of them in a sentence, with 1 or 2; one that needs nothing of it may do its work."""
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody answers a question
    kind = SURROUNDINGS[wrong]
    kind.make(here)
    for name in WITH_CONFIG:
        if kind.code is None and name in FOR_EVER | OWN:
            continue
        code, said = run_command(*name.split(), *arguments_of(name), "--config", here.config)
        where = f"{name}: {code}: {said}"
        assert OURS not in said, where
        if kind.code is None:
            assert code in (0, 1, 2), where
        elif not (name in OWN and wrong == "unknown_key"):
            assert (code, kind.says in said) == (kind.code, True), where
        if code:
            assert said.strip(), where


def test_who_has_no_configuration_is_told_how_to_get_one(here: Journaled) -> None:
    """How one is named, and what begins one, by each command that reads the receiver's."""
    here.config.unlink()
    for name in sorted({*WITH_CONFIG} - OWN):
        _, said = run_command(*name.split(), *arguments_of(name), "--config", here.config)
        hints = ("--config", "ROLLBACK_AGENT_CONFIG", "`rollback-agent init DIRECTORY`")
        assert [hint for hint in hints if hint not in said] == [], f"{name}: {said}"


@pytest.mark.parametrize("name", LEAVES)
def test_wrong_usage_is_said(name: str) -> None:
    """An unknown option, too many arguments, and what is required and missing: 2, with a sentence that names it."""
    for arguments, named in (([*arguments_of(name), "--no-such-option"], "--no-such-option"), (["a"] * 9, "")):
        code, said = run_command(*name.split(), *arguments)
        assert (code, "Error: " in said, named in said) == (2, True, True), said
    required = [one for one in LEAVES[name].params if one.required]
    if required:
        code, said = run_command(*name.split())
        assert (code, "Error: Missing " in said) == (2, True), said


def test_who_names_no_plan_is_told_where_it_stands(here: Journaled) -> None:
    """Nobody approves what they have not read."""
    code, said = run_command("approve", "5c2e73c0", "--config", here.config)
    assert code == 2
    assert "--plan" in said
    assert "`rollback-agent show 5c2e73c0`" in said


def _takes_a_deployment(command: click.Command) -> bool:
    return any(one.name == "deployment" and "--dry-run" not in one.opts for one in command.params)


OF_A_DEPLOYMENT = [name for name, one in LEAVES.items() if _takes_a_deployment(one)]
CHECKS = "deployments: {qrl: {services: {a: {checks: [{name: b, kind: ui, command: {argv: [/bin/true]}}]}}}}"


@pytest.mark.parametrize("name", sorted({*OF_A_DEPLOYMENT} - {"tree"}))  # which asks Prometheus what there is
def test_a_deployment_that_is_not_there_is_said(here: Journaled, name: str) -> None:
    """With its name, and 1 or 2."""
    arguments = [{"qrl": "qrx", "--all": "qrx"}.get(word, word) for word in arguments_of(name)]
    if name == "health":
        here.config.write_text(CHECKS)
    code, said = run_command(*name.split(), *arguments, "--config", here.config)
    assert code in (1, 2)
    assert "qrx" in said
    assert OURS not in said


def test_a_command_that_is_not_there_is_said() -> None:
    """With one that is alike, where there is one."""
    code, said = run_command("aprove")
    assert (code, "No such command 'aprove'" in said) == (2, True)


def test_a_reader_that_has_had_enough_is_no_error(here: Journaled) -> None:
    """As `head` is: nothing is complained of."""
    command = f"set -o pipefail; {AGENT} --help | true; {AGENT} status --config {here.config} | true"
    done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""


def test_a_fault_of_our_own_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which says how to see where; what nobody expected is the only thing that it is said of."""
    monkeypatch.setitem(COMMANDS, "status", "receiver.commands.status:nothing_of_that_name")
    code, said = run_command("status")
    assert code == 1
    assert said.startswith(f"Error: {OURS}: AttributeError: ")
    monkeypatch.setenv("ROLLBACK_AGENT_TRACEBACK", "1")
    with pytest.raises(AttributeError):
        run_command("status")
