"""An upstream on a socket of this machine that plays scripted bytes."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

LONGEST_WAIT: Final = 10
"""Seconds after which a test that hangs is given up."""


@dataclass(frozen=True)
class Script:
    """What is played to one request.

    Attributes:
        data: The bytes.
        then: What happens after them: the connection is closed, or kept for the next request, or held open in silence.
    """

    data: bytes
    then: str = "close"


def ok(body: bytes, headers: str = "", *, then: str = "close") -> Script:
    """A whole answer."""
    return Script(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body, then)


def chunked(*chunks: bytes, then: str = "close") -> Script:
    """A whole answer in chunks."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return Script(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body, then)


class Played:
    """Plays one script to each request, in their order.

    Attributes:
        requests: The head of each request, as it arrived.
        connections: How many there were.
        port: Where it listens.
        closed: Set once it has closed a connection.
    """

    def __init__(self, *scripts: Script, certificate: Path | None = None) -> None:
        """Take the scripts, and for TLS a file with a key and its certificate."""
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed = threading.Event()
        self._scripts: Sequence[Script] = scripts
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}/scores"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._listener.close()
        self._thread.join(LONGEST_WAIT)

    def _serve(self) -> None:
        scripts = iter(self._scripts)
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.settimeout(LONGEST_WAIT)
            with connection, contextlib.suppress(OSError):
                if self._tls is None:
                    self._play(connection, scripts)
                else:
                    with self._tls.wrap_socket(connection, server_side=True) as secured:
                        self._play(secured, scripts)
            self.closed.set()

    def _play(self, connection: socket.socket, scripts: Iterator[Script]) -> None:
        while head := read_head(connection):
            self.requests.append(head)
            script = next(scripts)
            connection.sendall(script.data)
            if script.then == "hold":
                self._stopped.wait(LONGEST_WAIT)
            if script.then != "keep":
                return


def read_head(connection: socket.socket) -> bytes:
    """The head of a request, or what there is of it when it is no HTTP."""
    head = b""
    while b"\r\n\r\n" not in head and not head.startswith(b"\x16"):
        received = connection.recv(65536)
        if not received:
            return b""
        head += received
    return head
