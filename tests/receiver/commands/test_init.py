"""`init` writes a configuration that is good and with which the agent really serves, whatever the directory is."""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path

import pytest

from demo.processes import Process, free_port
from receiver.config import Config, load_config
from receiver.inspection.found import UNFINISHED
from tests.receiver.commands.in_process import run_command
from tests.receiver.inspection.kinds import KINDS, Kind, checkout, file, releases

AGENT = Path(sys.executable).parent / "rollback-agent"
SECRET = "a-token-that-was-there-before"


class Operator:
    """Somebody with a directory `qrl` to watch, and a place for the configuration; systemd's units lie in `units`."""

    def __init__(self, directory: Path) -> None:
        self.app, self.units = directory / "qrl", directory / "units"
        self.written = directory / "etc" / "agent.yml"
        for one in (self.app, self.units):
            one.mkdir()
        self.home = directory

    def run(self, *arguments: str | Path, code: int = 0) -> str:
        """What the command prints, on both outputs, that ends with `code`."""
        ended, said = run_command(*arguments)
        assert ended == code, said
        return said

    def init(self, *more: str | Path, code: int = 0) -> str:
        """`init` of the directory."""
        return self.run("init", self.app, "--output", self.written, "--units", self.units, *more, code=code)

    def take_a_free_port(self) -> int:
        """Let the agent listen there."""
        port, text = free_port(), self.written.read_text()
        assert "listen: 127.0.0.1:9195\n" in text
        self.written.write_text(text.replace("127.0.0.1:9195", f"127.0.0.1:{port}"))
        return port

    def config(self) -> Config:
        """What was written, as the agent reads it."""
        return load_config(self.written)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """An empty directory to watch, by somebody who has nothing else."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return Operator(tmp_path)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, here: Operator) -> Kind:
    """Each kind of directory, made."""
    kind = KINDS[request.param]
    kind.make(here.app, here.units)
    return kind


def test_what_is_found_stands_in_a_good_configuration(here: Operator, kind: Kind) -> None:
    """The target with its keys; what could not be found out is marked in the file and printed, each with its key."""
    said = here.init()
    deployment = here.config().deployments["shop" if kind.target == "helm" else "qrl"]
    adapter = deployment.target.adapter
    assert getattr(deployment.target, kind.target) is adapter
    assert {key: getattr(adapter, key) for key in kind.settings} == kind.settings
    told = re.findall(rf"^FILL IN  deployments\.\w+\.target\.{kind.target}\.(\w+): .+", said, re.MULTILINE)
    assert sorted(set(told) - {"helm", "kubectl"}) == sorted(set(kind.left) - {"helm", "kubectl"})
    text = here.written.read_text()
    assert len(re.findall("# FILL IN: ", text)) == len(told)
    assert max(map(len, text.splitlines())) <= 200
    checked = here.run("check-config", "--config", here.written)
    assert "the configuration is good" in checked
    left = re.findall(
        rf"^FILL IN  deployments\.\w+\.target\.{kind.target}\.(\w+): {UNFINISHED}/", checked, re.MULTILINE
    )
    assert {*left} == {key for key in told if f"{UNFINISHED}/" in str(getattr(adapter, key))}


@pytest.mark.parametrize("kind", ["releases", "template_units", "scripts", "compose", "helm", "kubernetes"])
def test_the_agent_serves_with_what_was_written(here: Operator, kind: str) -> None:
    """For each target a real `serve` becomes ready with the file as it was written, but for the port."""
    KINDS[kind].make(here.app, here.units)
    here.init()
    port = here.take_a_free_port()
    serve = Process((AGENT, "serve", "--config", here.written), here.home / "serve.log")
    with serve:
        serve.await_ready(f"http://127.0.0.1:{port}/-/ready", timeout=120)
    assert (here.written.parent / "rollback" / "state.db").is_file()


def test_databases_and_logs_are_found(here: Operator) -> None:
    """What SQLite wrote is backed up, whatever else bears such a name is not; access logs are shown to who is asked."""
    releases(here.app, here.units)
    here.init()
    deployment = here.config().deployments["qrl"]
    assert deployment.backup.sqlite == (here.app / "shared" / "qrl.db",)
    assert deployment.diagnosis.access_logs == (here.app / "shared" / "log" / "web.access.log",)


@pytest.mark.parametrize("value", ["[", "!!timestamp x", "!!int ''", "!!bool x"])
def test_a_file_that_cannot_be_read_hides_nothing_else(here: Operator, value: str) -> None:
    """What is no YAML is passed over, and what lies beside it is still found."""
    releases(here.app, here.units)
    (here.app / "compose.yml").write_text(f"services: {value}\n")
    here.init()
    assert here.config().deployments["qrl"].target.releases is not None


def test_what_is_left_to_a_person_is_found_by_doctor(here: Operator) -> None:
    """Nobody can forget it: the program that stands in its place is none."""
    releases(here.app, here.units)
    here.init()
    assert f"[{UNFINISHED}/restart]" in here.written.read_text()
    port = here.take_a_free_port()
    serve = Process((AGENT, "serve", "--config", here.written), here.home / "serve.log")
    with serve.await_ready(f"http://127.0.0.1:{port}/-/ready", timeout=120):
        said = here.run("doctor", "--config", here.written, code=1)
    assert re.search(rf"^WRONG  qrl: target: .*{UNFINISHED}/restart is still to be filled in", said, re.MULTILINE)


def test_the_token_is_secret_and_new(here: Operator, tmp_path: Path) -> None:
    """Nobody else can read it, it is another one each time, and it is printed nowhere."""
    said = here.init()
    token = here.written.with_name("webhook.token")
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    secret = token.read_text().strip()
    assert len(secret) >= 32
    assert secret not in said + here.written.read_text()
    here.run("init", here.app, "--output", tmp_path / "second" / "agent.yml", "--units", here.units)
    assert (tmp_path / "second" / "webhook.token").read_text().strip() != secret


def test_nothing_is_ever_overwritten(here: Operator) -> None:
    """Neither a configuration nor a token: the one is refused, the other taken as it is."""
    here.written.parent.mkdir()
    token = here.written.with_name("webhook.token")
    token.write_text(SECRET)
    token.chmod(0o600)
    assert f"left as it was: {token}" in here.init()
    assert token.read_text() == SECRET
    before = here.written.read_text()
    here.written.write_text(before + "# mine\n")
    said = here.init("--name", "other", code=1)
    assert f"{here.written} is there already, and nothing was written; name another one with --output" in said
    assert here.written.read_text() == before + "# mine\n"


def test_a_link_is_not_followed_to_a_file_that_is_there(here: Operator) -> None:
    """A link in the file's place is somebody's, also where it leads to nothing."""
    here.written.parent.mkdir()
    here.written.symlink_to(here.home / "elsewhere.yml")
    here.init(code=1)
    assert not (here.home / "elsewhere.yml").exists()


def test_a_token_that_others_can_read_is_told(here: Operator) -> None:
    """It is left as it is, and what has to be done is said."""
    here.written.parent.mkdir()
    token = here.written.with_name("webhook.token")
    token.write_text(SECRET)
    token.chmod(0o644)
    assert f"others may read it; run: chmod 600 {token}" in here.init(code=2)


def test_one_of_several_can_be_chosen(here: Operator) -> None:
    """What else would be possible is told; what was not found cannot be chosen."""
    releases(here.app, here.units)
    checkout(here.app, here.units)
    file("compose.yaml", "services: {web: {image: 'qrl:${TAG}'}}\n")(here.app, here.units)
    said = here.init("--target", "helm", code=1)
    assert "nothing for the target helm was found there, but for releases, compose, script" in said
    assert "also possible with --target releases: " in here.init("--target", "compose")
    assert here.config().deployments["qrl"].target.compose is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--name", "a b"), "'a b' is no name"),
        (("--prometheus", "localhost:9090"), "is not an http:// or https:// address"),
        (("--alertmanager", "http://me:secret@here"), "an address holds no user name or password"),
        (("--root", ""), "Invalid value for '--root'"),
        (("--target", "ansible"), "'ansible' is not one of 'releases'"),
    ],
)
def test_wrong_arguments_are_told(here: Operator, arguments: tuple[str, ...], said: str) -> None:
    """With the option, before anything is written."""
    assert said in here.init(*arguments, code=2)
    assert not here.written.exists()


def test_a_directory_that_is_not_there_is_told(here: Operator) -> None:
    """And a file is none."""
    assert "does not exist" in here.run("init", here.home / "gone", code=2)
    (here.home / "file").touch()
    assert "is a file" in here.run("init", here.home / "file", code=2)


def test_an_output_that_cannot_be_written_is_told(here: Operator) -> None:
    """A file stands where its directory would be."""
    (here.home / "etc").touch()
    assert f"{here.written}: cannot be written: " in here.init(code=1)


@pytest.mark.parametrize(
    "name", ["a: b #c", "{x}, [y]", "on", "123", "-", "line\nend", "\x7f\x85", "é😀", "'\"\\", "%@`"]
)
def test_any_name_of_a_directory_will_do(here: Operator, name: str) -> None:
    """It is the path as it is called, and the deployment is called like it as far as a name can be so."""
    directory = here.home / "apps" / name
    directory.mkdir(parents=True)
    here.run("init", directory, "--output", here.written, "--units", here.units)
    ((deployment, settings),) = here.config().deployments.items()
    assert settings.target.releases is not None
    assert settings.target.releases.path == directory
    assert re.fullmatch(r"[A-Za-z0-9._-]+", deployment)


def test_a_name_that_is_no_text_will_do(here: Operator) -> None:
    """Linux' names are bytes."""
    directory = os.fsencode(here.home) + b"/\xff\xfe"
    os.mkdir(directory)  # noqa: PTH102 - bytes
    here.run("init", Path(os.fsdecode(directory)), "--output", here.written, "--units", here.units)
    (settings,) = here.config().deployments.values()
    assert settings.target.releases is not None
    assert os.fsencode(settings.target.releases.path) == directory
