"""A fake TOEFL Access on a socket of this machine: it answers each request with scripted bytes."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from shim.sandbox import FIRST_REPORTED, LAST_REPORTED, Options, select

_LONGEST_WAIT: Final = 30.0
"""Seconds after which a connection or an event is given up."""
_RESET: Final = struct.pack("ii", 1, 0)
"""``SO_LINGER`` without any time: closing the socket sends RST."""
_TLS_HANDSHAKE: Final = b"\x16"

Step = bytes | float | threading.Event
"""Bytes to send, seconds to pause, or an event to wait for."""
Then = Literal["close", "keep", "hold", "reset"]


@dataclass(frozen=True)
class Script:
    """The answer to one request.

    Attributes:
        data: The bytes that are sent at once.
        then: What becomes of the connection: it is closed, kept for the next request, held open in silence, or reset.
        steps: What follows ``data``, in order.
    """

    data: bytes
    then: Then = "close"
    steps: Sequence[Step] = ()


def response(status: str, body: bytes = b"", headers: str = "", *, then: Then = "close") -> Script:
    """Return a whole response; a response after which the connection is closed says so.

    Args:
        status: The status line after ``HTTP/1.1``.
        body: The body.
        headers: More headers, each with its CR LF.
        then: What becomes of the connection.
    """
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}{_connection(then)}\r\n"
    return Script(head.encode() + body, then)


def ok(body: bytes, headers: str = "", *, then: Then = "close") -> Script:
    """Return a whole response with status 200."""
    return response("200 OK", body, headers, then=then)


def chunked(*chunks: bytes, then: Then = "close") -> Script:
    """Return a whole response with status 200, in chunks."""
    head = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{_connection(then)}\r\n"
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return Script(head.encode() + body, then)


def _connection(then: Then) -> str:
    return "Connection: close\r\n" if then == "close" else ""


def slow(script: Script, *, piece: int, pause: float, fast: int = 0) -> Script:
    """Return a script that sends the same bytes slowly.

    Args:
        script: The script.
        piece: Bytes that are sent at a time.
        pause: Seconds after each piece.
        fast: Bytes that are sent at once before the first piece.
    """
    steps: list[Step] = []
    for start in range(fast, len(script.data), piece):
        steps += [script.data[start : start + piece], pause]
    return replace(script, data=script.data[:fast], steps=steps)


def gated(script: Script, gate: threading.Event, *, before: int = 0) -> Script:
    """Return a script that sends so many bytes and, once an event is set, the others."""
    return replace(script, data=script.data[:before], steps=[gate, script.data[before:]])


@cache
def scores(records: int) -> bytes:
    """Return a score file of so many synthetic records."""
    return b"".join(select(Options(records=records), FIRST_REPORTED, LAST_REPORTED).chunks())


class _Part:
    """Scripts for some of the requests, and how many of these requests came."""

    def __init__(self, scripts: Sequence[Script]) -> None:
        self._scripts = scripts
        self._requests = 0
        self.over = threading.Event()

    def next_script(self) -> Script:
        script = self._scripts[min(self._requests, len(self._scripts) - 1)]
        self._requests += 1
        return script


class FakeUpstream:
    """Answers requests with its scripts in their order, and with the last script ever after.

    It serves any number of connections at a time. In a ``with`` statement it runs.

    Attributes:
        requests: The head of each request, as it arrived, since the last ``play`` for all requests.
        connections: The number of connections since then.
        closed: Set once it has closed a connection.
        port: The port that it listens on.
        tls: The settings for TLS; ``None`` for plain HTTP. A new value holds from the next connection on.
    """

    def __init__(
        self, *scripts: Script, types: Mapping[str, Script] | None = None, certificate: Path | None = None
    ) -> None:
        """Set the scripts.

        Args:
            scripts: The answers to all requests without scripts of their own.
            types: The answer to each request for a type of scores (the query's ``type``).
            certificate: A file with a key and its certificate, for TLS.
        """
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed = threading.Event()
        self.tls: ssl.SSLContext | None = None
        if certificate is not None:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate)
        self._lock = threading.Lock()
        self._parts = {b"": _Part(scripts)}
        for name, script in (types or {}).items():
            self.play(script, to=f"type={name}&")
        self._stopped = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """The address of ``/scores``."""
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}/scores"

    def play(self, *scripts: Script, to: str = "") -> None:
        """Replace scripts; connections that the old ones hold are let go.

        Args:
            scripts: The new scripts.
            to: Words in the head of the requests that they are for; by default they are for all requests without
                scripts of their own, and ``requests`` and ``connections`` begin anew.
        """
        with self._lock:
            old = self._parts.get(to.encode())
            self._parts[to.encode()] = _Part(scripts)
            if not to:
                self.requests = []
                self.connections = 0
        if old is not None:
            old.over.set()

    def seen(self, words: str) -> int:
        """Return the number of requests with these words in their head."""
        return sum(words.encode() in head for head in self.requests)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._listener.close()
        self._thread.join(_LONGEST_WAIT)
        with self._lock:
            for part in self._parts.values():
                part.over.set()

    def _accept(self) -> None:
        while not self._stopped:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(_LONGEST_WAIT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, contextlib.suppress(OSError):
            if self.tls is None:
                self._converse(connection)
            else:
                with self.tls.wrap_socket(connection, server_side=True) as secured:
                    self._converse(secured)
        self.closed.set()

    def _converse(self, connection: socket.socket) -> None:
        while not self._stopped and (head := _read_head(connection)):
            with self._lock:
                part = self._parts[next((words for words in self._parts if words and words in head), b"")]
                script = part.next_script()
                self.requests.append(head)
            connection.sendall(script.data)
            for step in script.steps:
                _take(connection, step, part.over)
            if script.then == "hold":
                part.over.wait(_LONGEST_WAIT)
            elif script.then == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            if script.then != "keep":
                return


def _take(connection: socket.socket, step: Step, over: threading.Event) -> None:
    if over.is_set():
        raise OSError("the script was replaced")
    if isinstance(step, bytes):
        connection.sendall(step)
    elif isinstance(step, threading.Event):
        step.wait(_LONGEST_WAIT)
    else:
        time.sleep(step)


def _read_head(connection: socket.socket) -> bytes:
    """Return the head of a request, what there is of TLS, or nothing at the connection's end."""
    head = b""
    while b"\r\n\r\n" not in head and not head.startswith(_TLS_HANDSHAKE):
        received = connection.recv(65536)
        if not received:
            return b""
        head += received
    return head
