"""Schemathesis makes requests of the OpenAPI document, good and bad ones, to a running agent, as each role."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.acceptance.stand import BAD, OPERATOR, TOKEN, Stand, stand
from tests.receiver.test_passwords import hashed

SCHEMATHESIS = Path(sys.executable).parent / "st"
NOT_ASKED = (
    "ignored_auth",  # takes the 429 of too many wrong tokens for a token that was not looked at
    "positive_data_acceptance",  # a JSON schema cannot say that a duration ends within 15 minutes
)
CREDENTIALS = {
    "nobody": (),
    "webhook": ("--header", f"Authorization: Bearer {TOKEN}"),
    "pipeline": ("--header", "Authorization: Bearer another-token-that-only-pipelines-use"),
    "viewer": ("--auth", "carol:carols-password"),
    "operator": ("--header", f"Authorization: Bearer {OPERATOR}"),
}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """An agent that asks whether a bad release may be rolled back."""
    with ExitStack() as stack:
        found = stack.enter_context(stand(tmp_path_factory.mktemp("openapi"), autonomy="L3"))
        pipeline = found.write_token("pipeline", "another-token-that-only-pipelines-use")
        users = found.directory / "web.yml"
        users.write_text(json.dumps({"basic_auth_users": {"carol": hashed("carols-password")}}))
        tokens = {"operator": {"file": str(found.operator_token), "role": "operator"}}
        web = {"config_file": str(users), "roles": {"carol": "viewer"}, "tokens": tokens}
        found.write_config(autonomy="L3", web=web, pipeline={"token_file": str(pipeline)})
        found.start_prometheus()
        found.start_agent()
        found.await_good()
        found.ship(BAD)
        found.await_firing()
        found.notify()
        found.await_run(state="waiting")
        yield found


def document(here: Stand) -> dict[str, Any]:
    """The agent's document, in which names are those that there are, and one that there is not."""
    described: dict[str, Any] = requests.get(f"{here.url}/api/v1/openapi.json", timeout=30).json()
    parameters = described["components"]["parameters"]
    parameters["deployment"]["schema"] = {"type": "string", "enum": ["qrl", "nobody"]}
    parameters["incident"]["schema"] = {"type": "string", "enum": [here.incidents()[0]["id"], "nobody"]}
    return described


@pytest.mark.parametrize("who", CREDENTIALS)
def test_every_answer_is_documented(here: Stand, tmp_path: Path, who: str) -> None:
    """No request makes the agent fail, and none gets a status, a type or a body that the document does not have."""
    described = tmp_path / "openapi.json"
    described.write_text(json.dumps(document(here)))

    done = subprocess.run(
        (
            SCHEMATHESIS, "run", described, "--url", here.url, *CREDENTIALS[who],
            "--max-examples", "20", "--seed", "20261124", "--generation-database", "none",
            "--exclude-checks", ",".join(NOT_ASKED), "--warnings", "off", "--no-color",
        ),
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert requests.get(f"{here.url}/-/ready", timeout=30).status_code == 200
