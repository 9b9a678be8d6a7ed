"""A real MariaDB on a Unix socket of its own, for tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from demo.processes import Process, wait_until

PASSWORD = "planted-hunter2"


class Mariadb:
    """A running server without network; root needs no password, and the user `keeper` does.

    `stop` ends it and removes everything that it kept.
    """

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="my-"))  # a socket's path must be short
        self.socket = self._directory / "socket"
        user = pwd.getpwuid(os.geteuid()).pw_name
        data = self._directory / "data"
        # Two servers that share /tmp take each other's temporary tables away.
        own = ("--no-defaults", f"--datadir={data}", f"--tmpdir={self._directory}", f"--user={user}")
        install = ("mariadb-install-db", *own, "--auth-root-authentication-method=normal", "--skip-test-db")
        subprocess.run(install, check=True, capture_output=True, cwd="/")
        self._process = Process(
            ("mariadbd", *own, f"--socket={self.socket}", "--skip-networking", "--innodb-flush-log-at-trx-commit=0"),
            self._directory / "log",
            cwd=Path("/"),
        )
        self._process.await_ready(self._answers)
        self.ask(f"create user keeper@localhost identified by '{PASSWORD}'; grant all on *.* to keeper@localhost")

    @staticmethod
    def is_installed() -> bool:
        """Whether Debian's package mariadb-server is here."""
        return shutil.which("mariadbd") is not None and shutil.which("mariadb-install-db") is not None

    def ask(self, statement: str, database: str = "") -> str:
        """What the client prints for a statement."""
        argv = ("mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", "--batch", "--skip-column-names")
        done = subprocess.run((*argv, f"--execute={statement}", database), check=True, capture_output=True, text=True)
        return done.stdout

    def options_file(self, directory: Path) -> Path:
        """A file as its own clients read it."""
        file = directory / "my.cnf"
        file.write_text(f"[client]\nsocket={self.socket}\nuser=keeper\npassword={PASSWORD}\n")
        file.chmod(0o600)
        return file

    def stop(self) -> None:
        """End the server at once, whoever is still connected."""
        self._process.signal(signal.SIGKILL)
        wait_until(lambda: not self._process.running, 60)
        self._process.stop()
        shutil.rmtree(self._directory)

    def _answers(self) -> bool:
        try:
            self.ask("select 1")
        except subprocess.CalledProcessError:
            return False
        return True
