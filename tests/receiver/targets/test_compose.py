"""The `compose` target: a script stands for docker, tells of containers and records its calls."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from receiver.config.targets import ComposeTarget
from receiver.errors import TargetError
from receiver.model import Level, Release
from receiver.target_check import faults
from receiver.targets.act_if_live import CHANGED
from receiver.targets.compose import ComposeProject

IMAGES = ("registry.example:5000/qrl-api", "registry.example:5000/qrl-web")
CREATED, SINCE = "2026-11-20 12:00:00 +0000 UTC", 1795176000.0
# `up` makes the containers anew from what the file says then.
DOCKER = """\
#!/bin/sh
echo "$@" >> {directory}/called
case "$*" in
  *" ps "*) cat {directory}/containers ;;
  "image ls "*) cat {directory}/images ;;
  *" up "*)
    release=$(sed -n s/^QRL_RELEASE=//p {directory}/.env)
    sed -i "s/:r[0-9]*\\"/:$release\\"/" {directory}/containers ;;
esac
"""


class Host:
    """A project of two services at r2, with the images of r1 and r2 on the machine."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.env = directory / ".env"
        self.env.write_text("# of qrl\nPORT=80\nQRL_RELEASE=r2\nQRL_RELEASES=5\n")
        self.docker = directory / "docker"
        self.docker.write_text(DOCKER.format(directory=directory))
        self.docker.chmod(0o755)
        self.run_containers(*(f"{image}:r2" for image in IMAGES), "postgres:16")
        tags = [f"{image} r{number}" for image in IMAGES for number in (1, 2)]
        self.images(*tags, f"{IMAGES[0]} r3", "postgres 16", f"{IMAGES[0]} <none>", f"{IMAGES[1]} <none>")

    def run_containers(self, *images: str, as_list: bool = False) -> None:
        """What `docker compose ps` tells."""
        told = [{"Image": image, "Service": "any", "State": "running", "CreatedAt": CREATED} for image in images]
        text = json.dumps(told) if as_list else "\n".join(map(json.dumps, told))
        (self.directory / "containers").write_text(text + "\n")

    def images(self, *lines: str) -> None:
        """What `docker image ls` tells."""
        (self.directory / "images").write_text("\n".join(lines) + "\n")

    def target(self, **changes: Any) -> ComposeProject:
        config = {"directory": self.directory, "variable": "QRL_RELEASE", "images": IMAGES, "docker": self.docker}
        return ComposeProject(ComposeTarget.model_validate(config | changes))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


R1, R2 = Release("r1", None), Release("r2", None)


def run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("as_list", [True, False], ids=["until 2.20", "since 2.21"])
def test_live_is_what_the_file_names_and_containers_run(host: Host, as_list: bool) -> None:
    """Both ways in which docker writes its list are read; containers of other images do not count."""
    host.run_containers(*(f"{image}:r2" for image in IMAGES), "postgres:16", as_list=as_list)
    assert host.target().live() == Release("r2", None, SINCE)


def test_known_are_the_releases_of_which_all_images_are_here(host: Host) -> None:
    """A release of which an image is missing would have to be fetched first, from who knows what registry."""
    assert host.target().known() == (R1, R2)


def test_writes_the_release_and_makes_the_containers_anew(host: Host) -> None:
    """Only that line of the file changes, no image is built or fetched, and the new release is live."""
    host.env.chmod(0o640)
    target = host.target()
    done = run(target.command(Level.FAST, R2, R1))
    assert done.returncode == 0, done.stdout
    assert host.env.read_text() == "# of qrl\nPORT=80\nQRL_RELEASE=r1\nQRL_RELEASES=5\n"
    assert host.env.stat().st_mode & 0o777 == 0o640
    project = f"--project-directory {host.directory} --env-file {host.env}"
    assert (host.directory / "called").read_text() == f"compose {project} up --detach --no-build --pull never\n"
    assert target.live().id == "r1"


def test_only_from_the_release_of_the_plan(host: Host) -> None:
    """Where a deploy has written another release meanwhile, nothing is changed."""
    command = host.target().command(Level.FAST, R2, R1)
    host.env.write_text("QRL_RELEASE=r3\n")
    done = run(command)
    assert (done.returncode, host.env.read_text()) == (CHANGED, "QRL_RELEASE=r3\n")
    assert not (host.directory / "called").exists()


def test_file_and_containers_that_differ_are_no_live_release(host: Host) -> None:
    """Between writing and `up`, or where one service was left behind, nothing is planned."""
    host.run_containers(f"{IMAGES[0]}:r2", f"{IMAGES[1]}:r1")
    with pytest.raises(TargetError, match=f"says r2, but of the containers {IMAGES[1]} is r1$"):
        host.target().live()
    host.run_containers(f"{IMAGES[0]}:r2")
    with pytest.raises(TargetError, match=f"says r2, but of the containers {IMAGES[1]} is not there$"):
        host.target().live()


@pytest.mark.parametrize("text", ["", "QRL_RELEASE='r2'\n", "QRL_RELEASE=r1\nQRL_RELEASE=r2\n", "QRL_RELEASE=../r2\n"])
def test_file_without_one_plain_line_is_an_error(host: Host, text: str) -> None:
    """Nothing is guessed: the line has to be there once, as a plain name."""
    host.env.write_text(text)
    with pytest.raises(TargetError, match="needs one line QRL_RELEASE=RELEASE, without quotes"):
        host.target().live()
    with pytest.raises(TargetError, match=r"cannot be read: .*No such file"):
        host.target(env_file=host.directory / "absent").live()


@pytest.mark.parametrize("answer", ["no json", "{}", "[1]", '{"Image": "a:1", "CreatedAt": "yesterday"}', "null"])
def test_odd_answer_is_an_error(host: Host, answer: str) -> None:
    """Whatever docker prints, what is not understood is told and never taken for a container."""
    (host.directory / "containers").write_text(f"{answer}\n")
    with pytest.raises(TargetError, match="told of containers what cannot be understood"):
        host.target().live()


def test_docker_that_does_not_answer_is_told(host: Host) -> None:
    """Without its server docker gives no answer, and its words are the reason, also beforehand."""
    host.docker.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    said = f"{host.docker} ended with exit code 1: Cannot connect to the Docker daemon"
    with pytest.raises(TargetError, match=said):
        host.target().known()
    assert faults(host.target()) == (said,)


def test_full_rollback_is_not_offered(host: Host) -> None:
    """Containers know nothing of a database, so a person is named as the way."""
    with pytest.raises(TargetError, match="a full rollback of the compose target is not configured; a person must"):
        host.target().command(Level.FULL, R2, R1)


@pytest.mark.parametrize("changes", [{"variable": "A=B"}, {"variable": "a/b"}, {"images": []}, {"images": ["-x"]}])
def test_name_that_is_none_is_no_configuration(host: Host, changes: dict[str, Any]) -> None:
    """What could change the expression, or be an option, is refused when the configuration is read."""
    with pytest.raises(ValidationError):
        host.target(**changes)
