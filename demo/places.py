"""Where a demonstration keeps its files and on which ports it listens."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from demo.processes import free_port

REPOSITORY = Path(__file__).resolve().parent.parent
"""The checkout that this demonstration runs from."""
COMMAND = Path(sys.executable).parent / "rollback-agent"


class PortError(Exception):
    """A port that is needed cannot be used; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """One port of 127.0.0.1 for each program; `DEMO_FASTAPI_PORT=8001` and the like change them."""

    fastapi: int = 8000
    flask: int = 5000
    gradio: int = 7860
    exporter: int = 9196
    receiver: int = 9195
    prometheus: int = 9090
    alertmanager: int = 9093

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The usual ports, where the environment does not say otherwise."""
        named = {}
        for name in (field.name for field in fields(cls)):
            variable = f"DEMO_{name.upper()}_PORT"
            value = environment.get(variable)
            if value:
                if not value.isdecimal() or not 0 < int(value) < 65536:
                    raise PortError(f"{variable}={value!r} is no port; write a number from 1 to 65535")
                named[name] = int(value)
        return cls(**named)

    @classmethod
    def free(cls) -> Self:
        """Ports that nobody listens on at this moment."""
        return cls(**{field.name: free_port() for field in fields(cls)})

    def check_free(self) -> None:
        """Raise PortError unless every port can be listened on."""
        for name, port in asdict(self).items():
            with socket.socket() as probe:
                # As servers do: a port whose last connections are still winding down counts as free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as error:
                    raise PortError(
                        f"port {port} of 127.0.0.1, needed for {name}, cannot be used ({error.strerror}): "
                        f"stop what listens there (`ss -ltnp 'sport = :{port}'` shows it, `make down` ends a "
                        f"demonstration), or choose another port with DEMO_{name.upper()}_PORT=..."
                    ) from None


@dataclass(frozen=True, slots=True)
class Places:
    """Directories and files below `root`, which is absolute."""

    root: Path

    @property
    def deployment(self) -> Path:
        """The directory that the `releases` target is pointed at."""
        return self.root / "srv" / "qrl"

    @property
    def shared(self) -> Path:
        """What outlives a release: database, configuration, access logs."""
        return self.deployment / "shared"

    @property
    def database(self) -> Path:
        """The deployment's SQLite database."""
        return self.shared / "qrl.db"

    @property
    def self_test_user(self) -> Path:
        """Name and password of the user that self tests log in as."""
        return self.shared / "config" / "self-test-user.json"

    @property
    def sources(self) -> Path:
        """The Git repository that releases are made from."""
        return self.root / "qrl.git-checkout"

    @property
    def logs(self) -> Path:
        """Output of the programs around the deployment."""
        return self.root / "logs"

    @property
    def configuration(self) -> Path:
        """Configuration files that the demonstration writes."""
        return self.root / "configuration"

    def access_log(self, service: str) -> Path:
        """The access log of a service."""
        return self.shared / "log" / f"{service}-access.log"
