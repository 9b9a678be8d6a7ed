"""How adapters deal with programs outside: ask one, and make a command that acts only while a release is live."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from receiver.errors import TargetError
from receiver.model import Release
from receiver.targets import act_if_live

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")

Argv = tuple[str, ...]


def is_release_id(text: str) -> bool:
    """Whether it is a plain name, which is neither an option nor a path nor more than one word."""
    return _ID.fullmatch(text) is not None


def commit_of(text: str) -> str | None:
    """The text where it is a commit, else None."""
    return text if _COMMIT.fullmatch(text) else None


def require_ids(*releases: Release) -> None:
    """Raise TargetError where the id of a release is no plain name: it is about to become an argument."""
    for release in releases:
        if not is_release_id(release.id):
            raise TargetError(f"{release.id!r} is no release id")


def ask(argv: Argv, timeout: float) -> str:
    """What a program of the configuration prints; raises TargetError."""
    try:
        return act_if_live.ask(argv, timeout)
    except act_if_live.NoAnswer as error:
        raise TargetError(str(error)) from error


def ask_json(argv: Argv, timeout: float) -> Any:
    """The JSON document that a program of the configuration prints; raises TargetError."""
    answer = ask(argv, timeout)
    try:
        return json.loads(answer)
    except ValueError as error:
        raise TargetError(f"{argv[0]} printed what is no JSON: {error}") from error


def only_if_live(live: str, question: Argv, actions: tuple[Argv, ...]) -> Argv:
    """The command that runs `actions` if what `question` prints begins with `live` then; raises TargetError."""
    command = [sys.executable, "-I", "-S", act_if_live.__file__, live, act_if_live.ASK, *question]
    for action in actions:
        command += [act_if_live.THEN, *action]
    separators = command.count(act_if_live.ASK) + command.count(act_if_live.THEN)
    if separators != 1 + len(actions):
        raise TargetError(f"neither {act_if_live.ASK} nor {act_if_live.THEN} can be an argument of a target's command")
    return tuple(command)
