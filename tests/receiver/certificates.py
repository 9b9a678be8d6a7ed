"""An authority of its own for a test, and certificates by it, made with `openssl`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from receiver.web_config import TlsServer


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(("openssl", *arguments), check=True, capture_output=True)


class Authority:
    """Signs certificates; all files lie in its directory."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.key = directory / f"{name}.key"
        self.certificate = directory / f"{name}.crt"
        subject = ("-subj", f"/CN=authority {name}", "-days", "2")
        _openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, "-keyout", self.key, "-out", self.certificate
        )

    def sign(self, name: str, alternative: str = "IP:127.0.0.1", file: str | None = None) -> tuple[Path, Path]:
        """Certificate and key for `name` and an alternative name, as `FILE.crt` and `FILE.key`."""
        stem = file or name or "nameless"
        certificate, key, request = (self.directory / f"{stem}.{end}" for end in ("crt", "key", "csr"))
        extensions = self.directory / f"{stem}.ext"
        extensions.write_text(f"subjectAltName={alternative}\n")
        subject = f"/CN={name}" if name else "/O=nobody"
        _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", key, "-out", request)
        _openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
            "-days", "2", "-extfile", extensions, "-out", certificate,
        )  # fmt: skip
        key.chmod(0o600)
        return certificate, key

    def serve(self, directory: Path, **more: Any) -> TlsServer:
        """What a server in `directory`, whose certificate this authority signs, says of TLS."""
        for file in self.sign("agent", file="server"):
            (directory / file.name).write_bytes(file.read_bytes())
            (directory / file.name).chmod(0o600)
        content = {"cert_file": "server.crt", "key_file": "server.key"} | more
        return TlsServer.model_validate(content, context={"directory": directory})
