"""docs/exporter.md says what the exporter does: its example loads, and no key or metric is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from configfile import load
from exporters import names
from exporters.config import Config
from exporters.log_formats import Format
from exporters.outcome import Reason
from tests.exporters.running import ROOT
from tests.exporters.test_log_writers import GUNICORN_FORMAT

PAGE = (ROOT / "docs/exporter.md").read_text()
IN_CODE = set(re.findall(r"`([^`\n]+)`", PAGE))


def sections(annotation: object) -> Iterator[type[BaseModel]]:
    """The models that an annotation leads to, itself included."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from sections(field.annotation)
    else:
        for part in get_args(annotation):
            yield from sections(part)


def test_example_loads(tmp_path: Path) -> None:
    """The example of the page is a configuration that the exporter accepts."""
    [example] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "exporter.yaml"
    path.write_text(example)
    assert [name for _, name, _ in load(path, Config).services()] == ["fastapi", "flask", "gradio"]


def test_every_key_is_documented() -> None:
    """Each key of the configuration stands on the page."""
    keys = {key for section in sections(Config) for key in section.model_fields}
    assert len(keys) > 25
    assert keys - IN_CODE == set()


@pytest.mark.parametrize(
    "words",
    [{metric.name for metric in names.ALL}, set(Reason), set(Format)],
    ids=["metrics", "reasons", "formats"],
)
def test_every_word_is_documented(words: set[str]) -> None:
    """Each metric, each reason of a failure and each log format stands on the page."""
    assert words - IN_CODE == set()


def test_log_format_of_the_page_is_the_one_that_is_tested() -> None:
    """The gunicorn format of the page is the one that a real gunicorn writes in the tests."""
    assert f"access_log_format = '{GUNICORN_FORMAT}'" in PAGE
