"""Every seed of the fuzzing, and every input that once broke something, is read again in each run of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, checked_by, inputs


@pytest.mark.parametrize(("target", "file"), [
    pytest.param(target, file, id=f"{target}-{file.name}") for target in TARGETS for file in inputs(target)
])  # fmt: skip
def test_an_input_of_the_corpus_breaks_nothing(target: str, file: Path, tmp_path: Path) -> None:
    """What holds for any input of the target holds for this one."""
    checked_by(target)(file.read_bytes(), tmp_path)
