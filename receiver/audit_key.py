"""The key that signs the audit trail: made before the first record, and never replaced by itself."""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

from receiver.errors import AuditError
from receiver.secret import SecretFile, make_secret_file

_SHORTEST = 32
"""Characters of a key: 128 bits at least where they are hexadecimal; ours has 64."""


class AuditKey:
    """The key in a file, which is read when it is first needed; raises AuditError where it cannot be used."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._secret: bytes | None = None

    def __repr__(self) -> str:
        return "<secret>"

    def make(self) -> None:
        """Make a key where there is none. Only for a trail without a record: no other key fits one that has any."""
        try:
            if not self._file.exists():
                make_secret_file(self._file, secrets.token_hex(32).encode())
        except OSError as error:
            raise AuditError(f"{self._file}: no key can be made for the audit trail: {error.strerror}") from error

    def fault(self) -> str | None:
        """Why the key that is there cannot be used; None also where there is none yet."""
        try:
            SecretFile(self._file, _SHORTEST).read()
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"{self._file}: {error.strerror}"
        except ValueError as error:
            return str(error)
        return None

    def sign(self, text: bytes) -> bytes:
        """The signature of `text`: HMAC-SHA256, hexadecimal."""
        if self._secret is None:
            self._secret = self._read()
        return hmac.digest(self._secret, text, "sha256").hex().encode()

    def _read(self) -> bytes:
        try:
            return SecretFile(self._file, _SHORTEST).read()
        except FileNotFoundError:
            raise AuditError(
                f"{self._file}: the key of the audit trail is gone; bring it back, "
                "or move the trail away, and the next record begins a new one with a new key"
            ) from None
        except OSError as error:
            raise AuditError(f"{self._file}: the key of the audit trail cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise AuditError(str(error)) from error
