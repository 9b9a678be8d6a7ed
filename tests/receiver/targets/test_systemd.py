"""The `systemd` target: a real systemctl enables and disables below a directory; what it would start is recorded."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from receiver.config.targets import SystemdTarget
from receiver.errors import TargetError
from receiver.model import Level, Release
from receiver.target_check import faults
from receiver.targets.act_if_live import CHANGED
from receiver.targets.systemd import Units

UNITS = ("qrl-web@.service", "qrl-api@.service")
UNIT = "[Service]\nExecStart=/srv/qrl/releases/%i/bin/run\n[Install]\nWantedBy=multi-user.target\n"
# systemd is not process 1 where tests run, so `--now` is taken out and written down.
SYSTEMCTL = """\
#!/bin/sh
echo "$@" >> {directory}/called
[ ! -e {directory}/refuse ] || {{ echo "Access denied" >&2; exit 4; }}
for argument; do shift; [ "$argument" = --now ] || set -- "$@" "$argument"; done
[ "$1" = cat ] && exec cat {directory}/etc/systemd/system/qrl-web@.service
exec /usr/bin/systemctl --root={directory} "$@"
"""


class Host:
    """A machine with two template units, r1 and r2 complete, and r2 enabled."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.enabled_in = directory / "etc" / "systemd" / "system"
        self.enabled_in.mkdir(parents=True)
        for unit in UNITS:
            (self.enabled_in / unit).write_text(UNIT)
        self.systemctl = directory / "systemctl"
        self.systemctl.write_text(SYSTEMCTL.format(directory=directory))
        self.systemctl.chmod(0o755)
        for number in ("1", "2"):
            (directory / "srv" / "releases" / f"r{number}").mkdir(parents=True)
            (directory / "srv" / "releases" / f"r{number}" / "REVISION").write_text(number * 40)
        self.enable("r2")
        (directory / "called").unlink()

    def enable(self, release: str, *units: str) -> None:
        """As a deploy would."""
        names = [unit.replace("@", f"@{release}") for unit in units or UNITS]
        subprocess.run([self.systemctl, "enable", *names], check=True, capture_output=True)

    def target(self, **changes: Any) -> Units:
        config = {"path": self.directory / "srv", "units": UNITS, "enabled_in": self.enabled_in}
        return Units(SystemdTarget.model_validate(config | {"systemctl": self.systemctl} | changes))

    def called(self) -> list[str]:
        """With which arguments systemctl was called."""
        return (self.directory / "called").read_text().splitlines()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


R1, R2 = Release("r1", "1" * 40), Release("r2", "2" * 40)


def run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)


def test_live_is_what_is_enabled(host: Host) -> None:
    """The release whose instances are enabled, since the last of them was; whether they run, the checks say."""
    live = host.target().live()
    assert (live.id, live.commit) == ("r2", "2" * 40)
    assert live.live_since is not None
    assert time.time() - 60 < live.live_since < time.time() + 1
    assert host.target().known() == (R1, R2)


def test_stops_the_live_instances_and_starts_the_others(host: Host) -> None:
    """All old instances are disabled and stopped before the new ones are enabled and started."""
    target = host.target()
    done = run(target.command(Level.FAST, R2, R1))
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.called() == [
        "is-enabled qrl-web@r2.service qrl-api@r2.service",
        "disable --now qrl-web@r2.service qrl-api@r2.service",
        "enable --now qrl-web@r1.service qrl-api@r1.service",
    ]
    assert target.live().id == "r1"


def test_only_from_the_release_of_the_plan(host: Host) -> None:
    """Where a deploy has enabled another release meanwhile, nothing is stopped."""
    command = host.target().command(Level.FAST, R2, R1)
    subprocess.run([host.systemctl, "disable", "qrl-api@r2.service"], check=True, capture_output=True)
    done = run(command)
    assert done.returncode == CHANGED
    assert done.stdout == (
        "the live release is 'enabled disabled', not 'enabled enabled' as planned; nothing was touched\n"
    )
    assert [call for call in host.called() if "--now" in call] == []


def test_systemctl_that_refuses_ends_it(host: Host) -> None:
    """Without permission the first command fails, and nothing follows."""
    command = host.target().command(Level.FAST, R2, R1)
    wrapper = host.systemctl.read_text().replace("[ ! -e", '[ "$1" = is-enabled ] || [ ! -e')
    host.systemctl.write_text(wrapper)
    (host.directory / "refuse").touch()
    done = run(command)
    assert (done.returncode, done.stderr) == (4, "Access denied\n")
    assert [call.split()[0] for call in host.called()] == ["is-enabled", "disable"]
    assert host.target().live().id == "r2"


def test_not_one_release_is_an_error(host: Host) -> None:
    """Two instances of a unit, none, and units of different releases are told with what is enabled."""
    host.enable("r1", UNITS[0])
    with pytest.raises(
        TargetError, match=r"one instance of qrl-web@.service has to be enabled in .*, here are: r1, r2"
    ):
        host.target().live()
    for release in ("r1", "r2"):
        subprocess.run([host.systemctl, "disable", f"qrl-web@{release}.service"], check=True, capture_output=True)
    with pytest.raises(TargetError, match="here are: none"):
        host.target().live()
    host.enable("r1", UNITS[0])
    with pytest.raises(TargetError, match=r"no one release is enabled \(qrl-web@.service: r1, qrl-api@.service: r2\)"):
        host.target().live()


def test_faults_are_sentences(host: Host) -> None:
    """All is well, or it is said that there is no systemctl, or what it says of the template units."""
    assert faults(host.target()) == ()
    (host.directory / "refuse").touch()
    assert faults(host.target()) == (f"{host.systemctl} ended with exit code 4: Access denied",)
    assert faults(host.target(systemctl="/absent/systemctl"))[0] == "/absent/systemctl: No such file or directory"


def test_full_rollback_is_not_offered(host: Host) -> None:
    """A unit knows nothing of a database, so a person is named as the way."""
    with pytest.raises(TargetError, match="a full rollback of the systemd target is not configured; a person must"):
        host.target().command(Level.FULL, R2, R1)


@pytest.mark.parametrize(
    "unit", ["qrl.service", "qrl@r1.service", "--now@.service", "qrl@.timer", "../qrl@.service", ""]
)
def test_only_template_units_are_configured(host: Host, unit: str) -> None:
    """What has no instances, or could be an option or a path, is refused when the configuration is read."""
    with pytest.raises(ValidationError):
        host.target(units=[unit])
