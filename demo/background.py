"""Keeps a demonstration running between `up` and `down`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from demo.deployment import Deployment
from demo.places import COMMAND, REPOSITORY, Places, Ports
from demo.processes import Process, wait_until
from demo.stack import Stack

ROOT = REPOSITORY / ".demo" / "up"
_STATE = ROOT / "state.json"
_START_WITHIN = 150.0
_STOP_WITHIN = 45.0


class NotRunningError(Exception):
    """There is no demonstration to act on."""


def start(ports: Ports, autonomy: str) -> None:
    """Start the program that holds everything; raises NotReadyError with its last words if it does not."""
    shutil.rmtree(ROOT, ignore_errors=True)
    environment = os.environ | {f"DEMO_{name.upper()}_PORT": str(port) for name, port in asdict(ports).items()}
    holder = Process(
        (sys.executable, "-m", "demo", "hold", autonomy),
        ROOT / "hold.log",
        env=environment,
        cwd=REPOSITORY,
        die_with_parent=False,
    )
    try:
        holder.await_ready(_STATE.exists, _START_WITHIN)
    except BaseException:
        holder.stop(grace=_STOP_WITHIN)
        raise


def hold(ports: Ports, autonomy: str) -> None:
    """Run a stack until TERM; the state file says that it is up, and who holds it."""
    with Stack(Places(ROOT), ports) as stack:
        good = stack.start()
        stack.watch(ROOT, autonomy)
        try:
            new = _STATE.with_suffix(".new")
            new.write_text(json.dumps({"pid": os.getpid(), "ports": asdict(ports), "good": good.id}))
            new.replace(_STATE)
            threading.Event().wait()
        finally:
            _STATE.unlink(missing_ok=True)


def stop() -> bool:
    """Stop it and wait until everything has ended; returns whether it ran. Raises NotRunningError if it stays."""
    try:
        pid = _holder()
    except NotRunningError:
        return False
    os.kill(pid, signal.SIGTERM)
    if not wait_until(lambda: not _is_holder(pid), _STOP_WITHIN, every=0.2):
        raise NotRunningError(f"process {pid} does not end; its log is {ROOT / 'hold.log'}")
    return True


def deployment() -> Deployment:
    """The running sample deployment, to ship to; raises NotRunningError."""
    _holder()
    return Deployment(Places(ROOT), Ports(**json.loads(_STATE.read_text())["ports"]))


def describe() -> str:
    """Where everything is, and what can be done with it."""
    state = json.loads(_STATE.read_text())
    ports = Ports(**state["ports"])
    python, config = Path(sys.executable), ROOT / "receiver.yml"
    return f"""\
Running, with {state["good"]} live (it counts as good 40 s from now):
  services      http://127.0.0.1:{ports.fastapi}  http://127.0.0.1:{ports.flask}/health  http://127.0.0.1:{ports.gradio}
  Prometheus    http://127.0.0.1:{ports.prometheus}/alerts
  Alertmanager  http://127.0.0.1:{ports.alertmanager}
  exporter      http://127.0.0.1:{ports.exporter}/metrics
  receiver      http://127.0.0.1:{ports.receiver}/metrics
Ship a bad release:
  {python} -m demo ship broken_start          (--help lists them)
See what the agent does, and confirm its plan (`status` says how):
  export ROLLBACK_AGENT_CONFIG={config}
  {COMMAND} status
  {COMMAND} show INCIDENT
  {COMMAND} approve INCIDENT --plan HASH --as YOU
Its logs, reports and audit trail are in {ROOT / "rollback" / "logs"}. Stop everything with: make down"""


def _holder() -> int:
    try:
        pid = int(json.loads(_STATE.read_text())["pid"])
    except FileNotFoundError:
        raise NotRunningError("no demonstration is running; `make up` starts one") from None
    if not _is_holder(pid):
        raise NotRunningError("the demonstration that `make up` started has ended; `make up` starts a new one")
    return pid


def _is_holder(pid: int) -> bool:
    """Whether the process is the one that `up` started; its number could be anybody's by now."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return words[1:4] == [b"-m", b"demo", b"hold"]
