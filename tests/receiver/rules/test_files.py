"""The rules come with the agent, in a checkout as in an installed package."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from configfile import ConfigError
from receiver.rules.files import SHIPPED, TREE, read_rule_files

REPOSITORY = Path(__file__).parents[3]
RULES = REPOSITORY / "alert-rules"


def texts(directory: Path) -> dict[str, str]:
    """The rule files below a directory, by their place in it."""
    return {str(path.relative_to(directory)): path.read_text() for path in sorted(directory.rglob("*.rules.yml"))}


def test_a_checkout_uses_its_own_files() -> None:
    """What is compared in a checkout is the directory that is edited there."""
    assert RULES == SHIPPED
    names = {file.name: file.is_optional for file in read_rule_files(SHIPPED)}
    assert names.keys() == texts(RULES).keys()
    assert not names[TREE]
    assert {name for name, is_optional in names.items() if is_optional} == {
        name for name in names if name.startswith("sources/")
    }


def test_an_installed_package_holds_the_same_files(tmp_path: Path) -> None:
    """Installed as the README says, from a copy that is gone afterwards, the package has every rule file and script."""
    source, target = tmp_path / "source", tmp_path / "target"
    for package in ("receiver", "exporters", "alert-rules"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / package, source / package, symlinks=True, ignore=ignored)
    for file in ("configfile.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / file, source)
    offline = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "-q")
    pip = (sys.executable, "-m", "pip", "install", *offline, "--target", target, source)
    subprocess.run(pip, check=True, capture_output=True, timeout=120)
    shutil.rmtree(source)

    asked = "from receiver.rules.files import SHIPPED; print(SHIPPED)"
    done = subprocess.run(
        (sys.executable, "-c", asked), env={"PYTHONPATH": str(target)}, cwd=tmp_path, check=True, capture_output=True
    )

    installed = Path(done.stdout.decode().strip())
    assert installed.is_relative_to(target)
    assert texts(installed) == texts(RULES)
    scripts = {file.name for file in (REPOSITORY / "receiver" / "scripts").iterdir()}
    assert {file.name for file in (target / "receiver" / "scripts").iterdir()} == scripts


@pytest.mark.parametrize(
    "content",
    ["groups: " + "[" * 3000, "groups: " + "{a: " * 3000, "groups: [\xff]", "groups: 1"],
    ids=["deep lists", "deep mappings", "not UTF-8", "a number"],
)
def test_what_is_no_file_of_rules_is_told(content: str, tmp_path: Path) -> None:
    """A file that YAML cannot read, however deep it is nested, is an error that names it on one line."""
    file = tmp_path / "a.rules.yml"
    file.write_text(content, encoding="latin-1")
    with pytest.raises(ConfigError) as refusal:
        read_rule_files(tmp_path)
    assert str(refusal.value).startswith(f"{file}: is no file of rules: ")
    assert str(refusal.value).isprintable()
