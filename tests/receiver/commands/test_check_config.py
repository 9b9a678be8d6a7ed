"""`check-config` looks at the files that the configuration names, too."""

from __future__ import annotations

import json

import pytest

from configfile import ConfigError
from tests.receiver.commands.journaled import Journaled


def test_the_pipelines_token_is_checked(here: Journaled) -> None:
    """A token file that is missing or that others may read is a fault of its key; a good one is none."""
    token = here.root / "pipeline.token"
    here.config.write_text(json.dumps(here.content | {"pipeline": {"token_file": str(token)}}))
    with pytest.raises(ConfigError, match=r"pipeline\.token_file: .*No such file"):
        here.says("check-config")
    token.write_text("another-token-that-only-pipelines-use")
    token.chmod(0o644)
    with pytest.raises(ConfigError, match=r"pipeline\.token_file: .*others may read it"):
        here.says("check-config")
    token.chmod(0o600)

    assert "the configuration is good" in here.says("check-config")


def test_the_audit_trails_key_is_checked(here: Journaled) -> None:
    """One that others may read, or that is too short, is a fault of its key; one that is still to be made is none."""
    key = here.root / "elsewhere.key"
    here.config.write_text(json.dumps(here.content | {"audit": {"key_file": str(key)}}))
    assert "the configuration is good" in here.says("check-config")
    key.write_text("f" * 31)
    key.chmod(0o604)
    with pytest.raises(ConfigError, match=r"audit\.key_file: .*others may read it"):
        here.says("check-config")
    key.chmod(0o600)
    with pytest.raises(ConfigError, match=r"audit\.key_file: .*shorter than 32 characters"):
        here.says("check-config")
    key.write_text("f" * 32)

    assert "the configuration is good" in here.says("check-config")


def test_the_configured_key_is_the_one_that_signs(here: Journaled) -> None:
    """What people do is signed with it, and no other is made."""
    key = here.root / "elsewhere.key"
    here.config.write_text(json.dumps(here.content | {"audit": {"key_file": str(key)}}))
    here.says("kill-switch", "on", "--as", "ada")
    assert "holds up to record 1: each is signed" in here.says("audit", "verify")
    assert (key.exists(), (here.root / "audit.key").exists()) == (True, False)
