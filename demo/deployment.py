"""Runs the sample deployment's three services from its live release, under supervisor."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

from demo.places import Places, Ports
from demo.processes import Process
from demo.releases import Fault, Release, Releases

SERVICES = ("fastapi", "flask", "gradio")
_BIN = Path(sys.executable).parent

_SUPERVISORD = """\
[supervisord]
nodaemon=true
logfile={logs}/supervisord.log
pidfile={root}/supervisord.pid
childlogdir={logs}
[unix_http_server]
file={socket}
chmod=0600
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{socket}
[group:qrl]
programs=fastapi,flask,gradio
"""

# setpriv: services end even when supervisor is killed.
_PROGRAM = """\
[program:{service}]
command=/usr/bin/setpriv --pdeathsig TERM -- {command}
directory={current}
environment={environment}
stdout_logfile={stdout}
stderr_logfile={logs}/{service}.log
stdout_logfile_maxbytes=0
autostart=false
stopasgroup=true
killasgroup=true
stopwaitsecs=5
"""


class Deployment:
    """The sample deployment `qrl` below `places`; a started one has to be stopped."""

    def __init__(self, places: Places, ports: Ports) -> None:
        self._places = places
        self._ports = ports
        self._supervisor: Process | None = None
        self._socket_directory: tempfile.TemporaryDirectory[str] | None = None
        self._configuration = places.root / "supervisord.conf"
        self.releases = Releases(places)

    @property
    def restart_command(self) -> tuple[str, ...]:
        """What restarts the services; the rollback uses the same command."""
        return self._control("restart", "*")

    @property
    def health_urls(self) -> dict[str, str]:
        """A page of each service that answers 200 as soon as the service is up."""
        return {
            "fastapi": f"http://127.0.0.1:{self._ports.fastapi}/",
            "flask": f"http://127.0.0.1:{self._ports.flask}/health",
            "gradio": f"http://127.0.0.1:{self._ports.gradio}/health",
        }

    def revisions(self) -> dict[str, str | None]:
        """The commit that each service says it runs; None where it does not answer."""
        return {service: _revision(url) for service, url in self.health_urls.items()}

    def services_up(self) -> dict[str, bool]:
        """Which services answer now, whatever they run."""
        return {service: revision is not None for service, revision in self.revisions().items()}

    def start(self) -> None:
        """Start supervisor, with no service yet; the first `ship` starts them."""
        for directory in (self._places.logs, self._places.shared / "log", self._places.shared / "config"):
            directory.mkdir(parents=True, exist_ok=True)
        # A Unix socket's path is limited to 107 bytes, which a checkout or a test directory can exceed.
        self._socket_directory = tempfile.TemporaryDirectory(prefix="qrl-")
        socket = Path(self._socket_directory.name) / "supervisor.sock"
        self._configuration.write_text(self._supervisor_configuration(socket))
        self._supervisor = Process(
            (_BIN / "supervisord", "-c", self._configuration), self._places.logs / "supervisord.out"
        )
        self._supervisor.await_ready(socket.exists)

    def ship(self, fault: Fault | None = None) -> Release:
        """Make a release, good or with a fault, and put it live as a pipeline without health checks would."""
        release = self.releases.make(fault)
        self.put_live(release)
        return release

    def put_live(self, release: Release) -> bool:
        """Migrate, switch, and restart the services, whether or not they then start; returns whether it migrated."""
        migrated = subprocess.run(
            (_BIN / "python", "-m", "qrl.migrate"),
            cwd=self.releases.path(release),
            env={"PATH": os.defpath, **self._environment()},
            check=False,
            capture_output=True,
        )
        self.releases.switch(release)
        subprocess.run(self.restart_command, check=False, capture_output=True)
        return migrated.returncode == 0

    def control(self, what: str, service: str) -> None:
        """Stop or start one service, whichever release is live; one that is so already stays so."""
        subprocess.run(self._control(what, service), check=False, capture_output=True)

    def _control(self, what: str, service: str) -> tuple[str, ...]:
        return (str(_BIN / "supervisorctl"), "-c", str(self._configuration), what, f"qrl:{service}")

    def stop(self) -> None:
        """Stop the services and supervisor."""
        if self._supervisor is not None:
            self._supervisor.stop(grace=15.0)
        if self._socket_directory is not None:
            self._socket_directory.cleanup()

    def _supervisor_configuration(self, socket: Path) -> str:
        commands = {
            "fastapi": self._uvicorn("qrl.api:app", self._ports.fastapi),
            "flask": f"{_BIN}/gunicorn --config gunicorn.conf.py",
            "gradio": self._uvicorn("qrl.ui:app", self._ports.gradio),
        }
        environment = ",".join(f'{name}="{value}"' for name, value in self._environment().items())
        logs = self._places.logs
        text = _SUPERVISORD.format(logs=logs, root=self._places.root, socket=socket)
        for service, command in commands.items():
            text += _PROGRAM.format(
                service=service,
                command=command,
                current=self._places.deployment / "current",
                environment=environment,
                # uvicorn writes its access log, and nothing else, to standard output.
                stdout=logs / "flask.out" if service == "flask" else self._places.access_log(service),
                logs=logs,
            )
        return text

    def _uvicorn(self, app: str, port: int) -> str:
        return f"{_BIN}/python -m uvicorn {app} --host 127.0.0.1 --port {port}"

    def _environment(self) -> dict[str, str]:
        return {
            "QRL_DATABASE": str(self._places.database),
            "QRL_SELF_TEST_USER": str(self._places.self_test_user),
            "QRL_FLASK_PORT": str(self._ports.flask),
            "QRL_FLASK_ACCESS_LOG": str(self._places.access_log("flask")),
            "GRADIO_ANALYTICS_ENABLED": "False",
            # Not beside the sources: a release is exactly its commit. Without any, Gradio takes twice as long to start.
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(self._places.root / "pycache"),
        }


def _revision(url: str) -> str | None:
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.get(url, timeout=1)
            answer.raise_for_status()
            return str(answer.json()["revision"])
        except requests.RequestException:
            return None
