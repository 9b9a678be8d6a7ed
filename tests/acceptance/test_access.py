"""A real agent against who may not: it does not open itself, follows no address, repeats nothing, tells no secret."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest
import requests

from demo.processes import answers, free_port
from tests.acceptance.stand import AGENT, BAD, GOOD, OPERATOR, TOKEN, alert, stand
from tests.receiver.test_passwords import hashed

PASSWORD = "carols-password-that-nobody-sees"


class Trap:
    """A server to which nobody should ever come; `visits` is who came all the same."""

    def __init__(self) -> None:
        self.visits: list[bytes] = []
        visits = self.visits

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                visits.append(self.rfile.readline(1000))

        self.server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def trap() -> Iterator[Trap]:
    """A trap that is open for the length of the block."""
    made = Trap()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()


def baited(url: str) -> dict[str, object]:
    """A notification of the alert that fires, every address of which is the trap's."""
    firing = alert(alertname="ServiceDown", branch="service_down", deployment="qrl", instance=url)
    annotations = {name: f"{url}/{name}" for name in ("runbook_url", "dashboard_url", "summary", "description")}
    return {
        "version": "4", "status": "firing", "receiver": url, "externalURL": f"{url}/alertmanager", "truncatedAlerts": 0,
        "alerts": [firing | {"generatorURL": f"{url}/graph", "annotations": annotations}],
    }  # fmt: skip


def written(root: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file below a directory with what it holds."""
    return ((file, file.read_bytes()) for file in root.rglob("*") if file.is_file())


def test_a_captured_notification_is_worth_nothing(tmp_path: Path) -> None:
    """After its rollback it is posted again, also to a restarted agent: no second run, no visit to its addresses, and
    no secret of the configuration or of a request in anything that was written or shown (T2, T8, T15).
    """
    with stand(tmp_path) as here, trap() as bait:
        users = tmp_path / "web.yml"
        users.write_text(json.dumps({"basic_auth_users": {"carol": hashed(PASSWORD)}}))
        tokens = {"operator": {"file": str(here.operator_token), "role": "operator"}}
        here.write_config(web={"config_file": str(users), "roles": {"carol": "viewer"}, "tokens": tokens})
        here.start()
        here.ship(BAD)
        here.await_firing()
        captured = json.dumps(baited(bait.url)).encode()
        assert here.post(captured).status_code == 202
        assert here.await_run()["result"] == "restored"

        assert here.post(captured).status_code == 202
        assert here.agent is not None
        here.agent.stop()
        here.start_agent()
        assert [here.post(captured).status_code for _ in range(3)] == [202] * 3
        here.stays(lambda: len(here.runs()) == 1, 3)

        assert (here.live(), here.restarts(), bait.visits) == (GOOD, 1, [])
        as_carol = requests.get(f"{here.url}/api/v1/incidents", auth=("carol", PASSWORD), timeout=30)
        assert as_carol.status_code == 200
        requests.get(f"{here.url}/api/v1/incidents", auth=(PASSWORD, OPERATOR), timeout=30)
        shown = as_carol.text + here.metrics() + (tmp_path / "agent.log").read_text() + here.command("status")
        for secret in (TOKEN, OPERATOR, PASSWORD):
            assert secret not in shown
            assert [file for file, content in written(here.root) if secret.encode() in content] == []


@pytest.mark.parametrize("listen", ["0.0.0.0", "[::]"])
def test_it_does_not_open_itself_to_other_machines(tmp_path: Path, listen: str) -> None:
    """Beyond loopback `serve` ends with 2 and says what to do, and nothing ever listens (T1)."""
    with stand(tmp_path) as here:
        port = free_port()
        here.write_config(listen=f"{listen}:{port}")
        done = subprocess.run(
            (AGENT, "serve", "--config", here.config), capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 2
        assert "name a file with basic_auth_users or client_ca_file as web.config_file" in done.stderr
        assert not answers(f"http://127.0.0.1:{port}/-/healthy")
        assert here.command("check-config", code=2).count("can be reached from other machines") == 1


def test_with_users_it_listens_to_other_machines(tmp_path: Path) -> None:
    """Then metrics need one of them, and the state of health does not."""
    with stand(tmp_path) as here:
        users = tmp_path / "web.yml"
        users.write_text(json.dumps({"basic_auth_users": {"carol": hashed(PASSWORD)}}))
        here.write_config(
            listen=f"0.0.0.0:{here.ports['agent']}", web={"config_file": str(users), "roles": {"carol": "viewer"}}
        )
        here.start_agent()
        assert requests.get(f"{here.url}/metrics", timeout=30).status_code == 401
        assert requests.get(f"{here.url}/metrics", auth=("carol", PASSWORD), timeout=30).status_code == 200
