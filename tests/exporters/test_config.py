"""The exporter's configuration is read strictly, and each fault names its file, line and key."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from configfile import ConfigError, load
from exporters.config import Config
from exporters.log_formats import Format

Run = Callable[..., "CompletedProcess[str]"]

BAD = sorted(Path(__file__).with_name("bad_configurations").glob("*.yaml"))

GOOD = """\
listen: 127.0.0.1:0
deployments: {qrl: {services: {fastapi: {access_logs: [{path: logs/x.log, format: combined}]}}}}
"""


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_configuration_is_refused_with_its_message(path: Path) -> None:
    """Each file of bad_configurations is refused with the line and the text that its first line gives."""
    expected = path.read_text().splitlines()[0].removeprefix("# ")
    with pytest.raises(ConfigError) as refusal:
        load(path, Config)
    assert str(refusal.value) == f"{path}:{expected}"


def test_defaults_are_loopback_and_plain(tmp_path: Path) -> None:
    """What is not given is the default, and a relative path is meant from the file's directory."""
    path = tmp_path / "exporter.yaml"
    path.write_text(GOOD.replace("listen: 127.0.0.1:0\n", ""))
    config = load(path, Config)
    assert config.address == ("127.0.0.1", 9196)
    [(deployment, name, service)] = config.services()
    [access_log] = service.access_logs
    assert (deployment, name) == ("qrl", "fastapi")
    assert (access_log.path, access_log.format, access_log.user_field) == (
        tmp_path / "logs/x.log",
        Format.COMBINED,
        None,
    )


def test_check_accepts_a_good_file(tmp_path: Path, run_command: Run) -> None:
    """`--check` of a good file says so and exits 0 without listening."""
    path = tmp_path / "exporter.yaml"
    path.write_text(GOOD)
    done = run_command("--config", path, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{path}: the configuration is valid\n"


def test_bad_file_ends_the_program_with_2(run_command: Run) -> None:
    """A bad file is told on standard error, with exit code 2 and no traceback."""
    path = Path(__file__).with_name("bad_configurations") / "no_services.yaml"
    done = run_command("--config", path)
    assert done.returncode == 2
    assert done.stderr == f"{path}:3: deployments.qrl.services: is required and missing\n"


def test_missing_file_ends_the_program_with_2(tmp_path: Path, run_command: Run) -> None:
    """A file that is not there is named, with exit code 2."""
    path = tmp_path / "none.yaml"
    done = run_command("--config", path)
    assert done.returncode == 2
    assert done.stderr == f"{path}: cannot be read: No such file or directory\n"


def test_taken_port_ends_the_program_with_2(tmp_path: Path, run_command: Run) -> None:
    """A port in use is named with the key that gives it, with exit code 2."""
    path = tmp_path / "exporter.yaml"
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/x.log").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path.write_text(GOOD.replace(":0", f":{port}"))
        done = run_command("--config", path)
    assert done.returncode == 2
    reason = f"cannot listen on 127.0.0.1:{port}: Address already in use"
    assert done.stderr == f"{path}: listen: {reason}; end what has this port, or name another address there\n"
