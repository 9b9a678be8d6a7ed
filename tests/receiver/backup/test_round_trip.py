"""What was kept comes back as it was."""

from __future__ import annotations

import os
import shutil
import stat
import string
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.backup.manifest import read_back
from receiver.backup.paths import PathSource
from receiver.backup.trees import look, remove
from receiver.config.deployment import Backups
from receiver.errors import BackupError, RestoreError
from tests.receiver.backup.kept import NAME, keep

NAMES = st.one_of(
    st.text(string.ascii_letters + "-. \n\"'$*", min_size=1, max_size=12),
    st.binary(min_size=1, max_size=8).map(os.fsdecode),
    st.just("x" * 255),
).filter(lambda name: name not in {".", ".."} and "/" not in name and "\0" not in name)
FILES = st.tuples(st.binary(max_size=300), st.sampled_from([0o600, 0o644, 0o755, 0o400, 0o4755]))
LINKS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TREES = st.recursive(
    st.one_of(FILES, LINKS), lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=15
).filter(lambda tree: isinstance(tree, dict))


def grow(at: Path, tree: object) -> None:
    """Make what the example says."""
    if isinstance(tree, dict):
        at.mkdir()
        for name, inner in tree.items():
            grow(at / name, inner)
    elif isinstance(tree, str):
        at.symlink_to(tree)
    elif isinstance(tree, tuple):
        at.write_bytes(tree[0])
        at.chmod(tree[1])


def told(root: Path) -> dict[Path, tuple[object, ...]]:
    """Everything of a tree that a restore has to bring back."""
    return {
        path.relative_to(root): (
            seen.mode,
            seen.leads_to,
            path.read_bytes() if stat.S_ISREG(seen.mode) else None,
            seen.modified,
        )
        for path, seen in look(root).items()
    }


@settings(max_examples=150, deadline=None)
@given(tree=TREES, ruined=st.sampled_from(["gone", "emptied", "left"]))
def test_any_tree_of_files_comes_back(tree: dict[str, object], ruined: str) -> None:
    """Names of any bytes, links, modes, times: kept, ruined and put back they are as before, the ruins aside."""
    with TemporaryDirectory() as place:
        shared, into = Path(place, "shared"), Path(place, "backups")
        grow(shared, tree)
        before = told(shared)
        keep(Backups(paths=(shared,)), into)
        read_back(into / NAME)
        if ruined != "left":
            shutil.rmtree(shared)
        if ruined == "emptied":
            shared.mkdir()

        said = PathSource(shared).restore(into / NAME / "paths" / "0", "now")

        assert told(shared) == before
        aside = Path(place, "shared.before-restore-now")
        assert (str(aside) in said, aside.exists()) == ((False, False) if ruined == "gone" else (True, True))
        assert sorted(path.name for path in Path(place).iterdir() if path != aside) == ["backups", "shared"]
        remove(into / NAME)


@settings(max_examples=50, deadline=None)
@given(tree=TREES, up=st.integers(1, 3), name=NAMES)
def test_no_tree_with_a_link_out_of_it_is_kept(tree: dict[str, object], up: int, name: str) -> None:
    """Wherever such a link stands, nothing is kept."""
    with TemporaryDirectory() as place:
        shared = Path(place, "shared")
        grow(shared, tree)
        (shared / "out-of-here").symlink_to("../" * up + name)
        try:
            keep(Backups(paths=(shared,)), Path(place, "backups"))
        except BackupError as error:
            assert "leads out of" in str(error)  # noqa: PT017 - that it is raised is asserted below
        else:
            assert os.path.realpath(shared / "out-of-here").startswith(f"{shared}")


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_what_was_put_aside_before_is_not_overwritten(tmp_path: Path, kind: str) -> None:
    """Where the name is taken under which what is there would be kept, nothing is touched."""
    shared = tmp_path / "shared"
    grow(shared, (b"1", 0o600) if kind == "file" else {"one": (b"1", 0o600)})
    keep(Backups(paths=(shared,)), tmp_path / "backups")
    aside = tmp_path / "shared.before-restore-now"
    aside.write_text("precious")
    before = told(shared)

    with pytest.raises(RestoreError, match=rf"^{shared} is as it was: {aside} is there already$"):
        PathSource(shared).restore(tmp_path / "backups" / NAME / "paths" / "0", "now")

    assert (aside.read_text(), told(shared)) == ("precious", before)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backups", "shared", aside.name]
