"""An upstream that plays a part for each type of scores, to any number of calls at a time."""

import re
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Final, Self

from shim.sandbox import FIRST_REPORTED, LAST_REPORTED, Options, select

_TYPE: Final = re.compile(rb"[?&]type=([^&\s]+)")
_END: Final = b"\r\n\r\n"
_LONGEST: Final = 30.0


@cache
def scores(number: int) -> bytes:
    """The score file of so many records."""
    return b"".join(select(Options(records=number), FIRST_REPORTED, LAST_REPORTED).chunks())


def _open() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class Part:
    """How calls of a type are answered.

    Attributes:
        body: The body; it is sent ``times`` times over.
        status: The status line after ``HTTP/1.1``.
        headers: More headers, each with its CR LF.
        times: How often the body is sent.
        at_once: Bytes of the body that are sent before the gate is waited for; ``None`` for not even the head.
        gate: What is waited for.
        missing: Bytes that are announced and never sent.
    """

    body: bytes = b""
    status: str = "200 OK"
    headers: str = ""
    times: int = 1
    at_once: int | None = None
    gate: threading.Event = field(default_factory=_open)
    missing: int = 0


class Upstream:
    """The server. In a ``with`` statement it runs.

    Attributes:
        parts: By type; other types get one record.
        heads: The head of each request.
    """

    def __init__(self, parts: Mapping[str, Part] | None = None) -> None:
        self.parts = dict(parts or {})
        self.heads: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._stopped = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/scores"

    def __enter__(self) -> Self:
        _start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._listener.close()
        for part in self.parts.values():
            part.gate.set()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            _start(self._talk, connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(_LONGEST)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = b""
        with connection, suppress(OSError):
            while not self._stopped.is_set():
                while _END not in received:
                    more = connection.recv(65536)
                    if not more:
                        return
                    received += more
                head, _, received = received.partition(_END)
                self.heads.append(head)
                found = _TYPE.search(head)
                part = self.parts.get(found[1].decode() if found else "") or Part(scores(1))
                _play(connection, part)
                if part.missing or not part.status:
                    return


def _play(connection: socket.socket, part: Part) -> None:
    if not part.status:
        return
    length = len(part.body) * part.times + part.missing
    head = f"HTTP/1.1 {part.status}\r\nContent-Length: {length}\r\n{part.headers}\r\n".encode()
    if part.at_once is None:
        part.gate.wait(_LONGEST)
        connection.sendall(head)
    else:
        connection.sendall(head + part.body[: part.at_once])
        part.gate.wait(_LONGEST)
    connection.sendall(part.body[part.at_once or 0 :])
    for _ in range(part.times - 1):
        connection.sendall(part.body)


def _start(target: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=target, args=arguments, daemon=True).start()
