"""Serves TLS and verifies client certificates; certificates are read again when their files change."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cheroot.makefile import MakeFile
from cheroot.ssl import Adapter

from receiver.log import get_log
from receiver.web_config import ClientAuth, TlsServer, TlsVersion

_VERSIONS = {TlsVersion.TLS12: ssl.TLSVersion.TLSv1_2, TlsVersion.TLS13: ssl.TLSVersion.TLSv1_3}
_VERIFY = {
    ClientAuth.NONE: ssl.CERT_NONE,
    ClientAuth.IF_GIVEN: ssl.CERT_OPTIONAL,
    ClientAuth.REQUIRED: ssl.CERT_REQUIRED,
}
Stamp = tuple[tuple[int, int, int], ...]


class TlsError(Exception):
    """The certificates cannot be used; the text begins with the key that names the file."""


class Tls:
    """What one configuration says of TLS; raises TlsError where that cannot be used."""

    def __init__(self, settings: TlsServer) -> None:
        self._settings = settings
        self._files = [file for file in (settings.cert_file, settings.key_file, settings.client_ca_file) if file]
        self._lock = threading.Lock()
        self._stamp = self._stamps()
        self._context = make_context(settings)

    def context(self) -> ssl.SSLContext:
        """For the next connection: by the files as they are, or as they last were good."""
        with self._lock:
            stamp = self._stamps()
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._context = make_context(self._settings)
                    get_log().info("the certificates were read again")
                except TlsError as error:
                    get_log().error("the new certificates cannot be used; the old ones stay", error=str(error))
            return self._context

    def _stamps(self) -> Stamp:
        return tuple(_stamp(file) for file in self._files)


class TlsAdapter(Adapter):
    """Puts TLS around the server's connections, by the context that `context` gives for each."""

    def __init__(self, context: Callable[[], ssl.SSLContext]) -> None:
        self._next_context = context

    def bind(self, sock: Any) -> Any:
        """The listening socket stays as it is."""
        return sock

    def wrap(self, sock: Any) -> tuple[ssl.SSLSocket, dict[str, Any]]:
        """The connection, without its handshake: that is the reading thread's, as this one accepts all others."""
        wrapped = self._next_context().wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, self.get_environ()

    def get_environ(self) -> dict[str, Any]:
        """What the application is told of the connection before anything was read."""
        return {"wsgi.url_scheme": "https", "HTTPS": "on"}

    def makefile(self, sock: ssl.SSLSocket, mode: str = "r", bufsize: int = -1) -> Any:
        """A reader or a writer on the connection."""
        return MakeFile(sock, mode, bufsize)


def make_context(settings: TlsServer) -> ssl.SSLContext:
    """The context; raises TlsError with the key and what is wrong with its file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[settings.min_version]
    key = settings.key_file
    try:
        if key.stat().st_mode & 0o007:
            raise TlsError(f"key_file: {key}: others may read it; run: chmod 600 {key}")
        settings.cert_file.open("rb").close()
        context.load_cert_chain(settings.cert_file, key, password=_no_password)
    except ssl.SSLError as error:
        raise TlsError(f"cert_file, key_file: not a certificate and its key: {error.reason or error}") from error
    except ValueError as error:
        raise TlsError(f"key_file: {key}: {error}") from error
    except OSError as error:
        raise TlsError(f"{error.filename}: {error.strerror}") from error
    if settings.client_ca_file:
        try:
            context.load_verify_locations(settings.client_ca_file)
        except ssl.SSLError as error:
            raise TlsError(f"client_ca_file: {settings.client_ca_file}: holds no certificate") from error
        except OSError as error:
            raise TlsError(f"client_ca_file: {settings.client_ca_file}: {error.strerror}") from error
        context.verify_mode = _VERIFY[settings.client_auth_type]
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted, and nobody is there to type its password")


def _stamp(file: Path) -> tuple[int, int, int]:
    try:
        found = file.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
