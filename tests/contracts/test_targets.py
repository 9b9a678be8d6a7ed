"""A target is a file, a section of the configuration and a page, all of one name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from receiver.config.deployment import Deployment
from receiver.config.targets import Target

REPOSITORY = Path(__file__).parents[2]
PAGES = REPOSITORY / "docs" / "targets"
NAMES = tuple(Target.model_fields)


def test_every_target_has_its_page() -> None:
    """Each section has a page, each page a section, and the overview links all of them."""
    assert {page.stem for page in PAGES.glob("*.md")} == {"README", *NAMES}
    assert set(re.findall(r"^\| \[`(\w+)`\]", (PAGES / "README.md").read_text(), re.MULTILINE)) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_target_is_one_file_and_its_page_says_everything(name: str) -> None:
    """The adapter stands in a file of that name, and the page has the same parts as every other."""
    assert (REPOSITORY / "receiver" / "targets" / f"{name}.py").exists()
    parts = re.findall(r"^## (.+)$", (PAGES / f"{name}.md").read_text(), re.MULTILINE)
    expected = ["Configuration", "What it does", "What it needs", "What can go wrong", "How it is tested"]
    assert [part for part in parts if part in expected] == expected


@pytest.mark.parametrize("name", NAMES)
def test_example_of_the_page_is_a_good_configuration(name: str) -> None:
    """The first example of the page can be loaded, and is of the page's target."""
    example = re.findall(r"```yaml\n(.*?)```", (PAGES / f"{name}.md").read_text(), re.DOTALL)[0]
    deployment = Deployment.model_validate(yaml.safe_load(example))
    assert getattr(deployment.target, name) is not None
