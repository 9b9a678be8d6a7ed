"""A port that passes on to a server what its clients say, and back what it answers, until a test disturbs it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Address = tuple[str, int] | Path


class Wire:
    """The way between clients and the server that `choose` gives for each connection (a port, or a Unix socket)."""

    def __init__(self, choose: Callable[[], Address]) -> None:
        self._choose = choose
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self._last_words: bytes | None = None
        self._spared = 0
        self.cuts = 0
        """How many connections were cut by what a client said."""
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """Pass nothing on any more, in either direction, and close nothing: what is beyond seems to hang."""
        self._flows.clear()

    def release(self) -> None:
        """Pass on what was held, and all else."""
        self._flows.set()

    def cut_after(self, word: bytes, nth: int = 1) -> None:
        """Pass on the next message that holds `word`, or the `nth`, and cut its connection before the answer."""
        self._last_words, self._spared = word, nth - 1

    def close(self) -> None:
        """Cut everything, and take no more."""
        self._listener.close()
        self._flows.set()
        with self._lock:
            for end in self._open:
                _hang_up(end)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = _connect(self._choose())
        except OSError:
            client.close()
            return
        with self._lock:
            self._open |= {client, server}
        back = threading.Thread(target=self._pass_on, args=(server, client, False), daemon=True)
        back.start()
        self._pass_on(client, server, True)
        back.join()
        with self._lock:
            self._open -= {client, server}
        client.close()
        server.close()

    def _is_last(self, said: bytes) -> bool:
        with self._lock:
            if not self._last_words or self._last_words not in said:
                return False
            self._spared -= 1
            if self._spared >= 0:
                return False
            self._last_words = None
            return True

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_client: bool) -> None:
        with suppress(OSError):
            while said := source.recv(1 << 16):
                self._flows.wait()
                if is_client and self._is_last(said):
                    _hang_up(source)  # first, so that no answer gets through
                    sink.sendall(said)
                    self.cuts += 1
                    sink.shutdown(socket.SHUT_WR)  # the server reads the message, and then that nobody is there
                    return
                sink.sendall(said)
        _hang_up(sink)


def _connect(address: Address) -> socket.socket:
    if isinstance(address, tuple):
        return socket.create_connection(address, timeout=30)
    server = socket.socket(socket.AF_UNIX)
    server.connect(str(address))
    return server


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire(choose: Callable[[], Address] | Address) -> Iterator[Wire]:
    """A wire that is closed when the block ends."""
    made = Wire(choose if callable(choose) else lambda: choose)
    try:
        yield made
    finally:
        made.close()
