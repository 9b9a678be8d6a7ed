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
