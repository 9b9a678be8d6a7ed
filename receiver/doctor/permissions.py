"""Whether the agent can write where it has to, and nobody else can."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from receiver.config import Config
from receiver.doctor.checked import NotYet

_OTHERS_WRITE = 0o002


def permissions(config: Config, config_path: Path | None, is_serving: bool) -> str | NotYet | None:
    """What is wrong, as one sentence or several; what `serve` has yet to make is not wrong before it runs."""
    wrong = (*_of_root(config, is_serving), *_of_others((config_path, config.root)))
    if wrong or is_serving:
        return "; ".join(wrong) or None
    gone = next((one for one in _directories(config) if not one.exists()), None)
    return None if gone is None else NotYet(f"{gone} is not there yet; `rollback-agent serve` makes it")


def _directories(config: Config) -> tuple[Path, ...]:
    return (config.root, config.logs, config.backups, config.commands)


def _of_root(config: Config, is_serving: bool) -> Iterator[str]:
    try:
        owner = config.root.stat().st_uid
    except FileNotFoundError as error:
        if is_serving:
            yield f"{config.root}: {error.strerror}"
        return
    except OSError as error:
        yield f"{config.root}: {error.strerror}"
        return
    if owner != os.geteuid():
        # What root may write says nothing of who serves, and what root leaves in the journal's directory bars them.
        agent, here = _user(owner), _user(os.geteuid())
        yield f"{config.root} belongs to {agent}, and this is run by {here}: run it as {agent}, with sudo -u {agent}"
        return
    for directory in _directories(config):
        if not directory.is_dir():
            if is_serving or directory.exists():
                yield f"{directory} is no directory; `rollback-agent serve` makes it where nothing else is in its place"
        elif not os.access(directory, os.W_OK | os.X_OK):
            yield f"{directory} cannot be written by {_user(os.geteuid())}: chmod u+rwx {directory}"


def _of_others(paths: tuple[Path | None, ...]) -> Iterator[str]:
    """Who may write the configuration, or where the plans lie, runs commands as the agent."""
    for path in paths:
        if path is not None and path.exists() and path.stat().st_mode & _OTHERS_WRITE:
            yield f"{path} can be written by everybody: chmod o-w {path}"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
