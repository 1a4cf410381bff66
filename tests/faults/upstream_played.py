"""An upstream that plays what the test of the moment wants, to any number of connections."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.upstream.played import LONGEST_WAIT, Played, Script, read_head

if TYPE_CHECKING:
    import ssl

PLANTED: Final = "Plantedson-Synthetic"
"""A name in every record and in every other body, to be found where it must not be."""

_RECORD: Final = f"0001{PLANTED}".encode().ljust(900, b".") + b"\r\n"
_RESET: Final = struct.pack("ii", 1, 0)
"""``SO_LINGER`` with no time at all: closing sends RST."""


def records(count: int) -> bytes:
    """So many records, of 902 bytes each."""
    return _RECORD * count


@dataclass(frozen=True)
class Drip(Script):
    """Played so many bytes at a time, with a pause after each.

    Attributes:
        fast: Bytes that come at once before.
        piece: Bytes at a time.
        pause: Seconds.
    """

    fast: int = 0
    piece: int = 100
    pause: float = 0.1


class _Part:
    """What is played to some of the requests, and those that came."""

    def __init__(self, scripts: Sequence[Script] = ()) -> None:
        self.scripts = scripts
        self.requests: list[bytes] = []
        self.over = threading.Event()


class Upstream(Played):
    """Plays its scripts to the requests in their order, and the last one to all that follow.

    Scripts may end in ``reset`` besides: the connection is broken off, without what was sent last.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tls: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._parts = {b"": _Part()}

    def plays(self, *scripts: Script, to: str = "") -> None:
        """Take other scripts, and count anew; whoever waits in silence is let go.

        Args:
            scripts: What is played.
            to: To requests with these words in their head; by default to all that no others are for.
        """
        with self._lock:
            self._parts.get(to.encode(), _Part()).over.set()
            self._parts[to.encode()] = _Part(scripts)
        if not to:
            self.requests = self._parts[b""].requests
            self.connections = 0

    def seen(self, to: str) -> int:
        """How many requests with these words came."""
        return len(self._parts[to.encode()].requests)

    def _serve(self) -> None:
        try:
            while not self._stopped.is_set():
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._meet, args=(connection,), daemon=True).start()
        except OSError:
            for part in self._parts.values():
                part.over.set()

    def _meet(self, connection: socket.socket) -> None:
        connection.settimeout(LONGEST_WAIT)
        with connection, contextlib.suppress(OSError):
            if self.tls is None:
                self._converse(connection)
            else:
                with self.tls.wrap_socket(connection, server_side=True) as secured:
                    self._converse(secured)

    def _converse(self, connection: socket.socket) -> None:
        while head := read_head(connection):
            with self._lock:
                part = self._parts[next((words for words in self._parts if words and words in head), b"")]
                script = part.scripts[min(len(part.requests), len(part.scripts) - 1)]
                part.requests.append(head)
            _send(connection, script, part.over)
            if script.then == "hold":
                part.over.wait(LONGEST_WAIT)
            elif script.then == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            if script.then != "keep":
                return


def _send(connection: socket.socket, script: Script, over: threading.Event) -> None:
    if not isinstance(script, Drip):
        connection.sendall(script.data)
        return
    connection.sendall(script.data[: script.fast])
    for start in range(script.fast, len(script.data), script.piece):
        if over.is_set():
            return
        connection.sendall(script.data[start : start + script.piece])
        time.sleep(script.pause)
