"""The audit trail's key is made once, whole, for its owner only, and is never shown."""

from __future__ import annotations

import hmac
from pathlib import Path

from receiver.audit_key import AuditKey


def test_it_is_made_once(tmp_path: Path) -> None:
    """Each key is another one, nothing else is left behind, and one that is there stays."""
    files = [tmp_path / "one.key", tmp_path / "two.key"]
    for file in files:
        AuditKey(file).make()
    first, second = (file.read_bytes() for file in files)
    assert first != second
    AuditKey(files[0]).make()
    assert files[0].read_bytes() == first
    assert sorted(tmp_path.iterdir()) == files


def test_what_a_kill_left_of_one_is_none(tmp_path: Path) -> None:
    """A process that was killed while it made the key does not keep the next one from making it."""
    (tmp_path / "audit.key.partial").write_text("half a k")
    AuditKey(tmp_path / "audit.key").make()
    assert len((tmp_path / "audit.key").read_text()) == 64


def test_signature_is_hmac_sha256(tmp_path: Path) -> None:
    """A key that people made may be of any bytes; what an editor put after it does not count."""
    file = tmp_path / "audit.key"
    file.write_bytes(b"\xff" * 32 + b"\n")
    file.chmod(0o600)
    assert AuditKey(file).sign(b"text").decode() == hmac.new(b"\xff" * 32, b"text", "sha256").hexdigest()


def test_it_is_never_shown(tmp_path: Path) -> None:
    """Printed, it says only what it is."""
    key = AuditKey(tmp_path / "audit.key")
    key.make()
    key.sign(b"")
    assert {f"{key}", f"{key!r}"} == {"<secret>"}
