"""A connection to a gateway, byte for byte, and all answers on it."""

import contextlib
import socket
import struct
import time
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from tests.gateway import Gateway
from tests.soap_http import Answer, envelope

_END: Final = b"\r\n\r\n"


@dataclass(frozen=True)
class Heard:
    """What came back on a connection.

    Attributes:
        answers: The whole answers.
        interim: The number of ``100 Continue``.
        rest: The bytes after the last whole answer.
        closed: Whether the gateway closed the connection.
        seconds: The time from opening the connection to the end.
    """

    answers: list[Answer]
    interim: int
    rest: bytes
    closed: bool
    seconds: float


class Wire:
    """A connection."""

    def __init__(self, gateway: Gateway) -> None:
        parts = urlsplit(gateway.url)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30)
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, *parts: bytes, pause: float = 0) -> bool:
        """Send parts one after the other; tell whether the gateway took all of them."""
        try:
            for part in parts:
                self._socket.sendall(part)
                time.sleep(pause)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def receive(self, size: int) -> bytes:
        """Read some of an answer."""
        return self._socket.recv(size)

    def hang_up(self) -> None:
        """Shut down the sending side."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Reset the connection: closing it without lingering does that."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def hear(self, *, answers: int | None = None, patience: float = 10) -> Heard:
        """Listen until the connection is closed, so many answers have come, or ``patience`` seconds have passed."""
        until, data, closed = time.monotonic() + patience, bytearray(), False
        found, interim, rest = _split(b"")
        with contextlib.suppress(TimeoutError):
            while answers is None or len(found) < answers:
                self._socket.settimeout(max(until - time.monotonic(), 0.001))
                try:
                    received = self._socket.recv(1 << 20)
                except ConnectionResetError:
                    received = b""
                if not received:
                    closed = True
                    break
                data += received
                found, interim, rest = _split(bytes(data))
        return Heard(found, interim, rest, closed, time.monotonic() - self._began)


def talk(gateway: Gateway, *parts: bytes, answers: int | None = None, patience: float = 10) -> Heard:
    """Send parts on a new connection, and listen to the answers."""
    with Wire(gateway) as wire:
        wire.send(*parts)
        return wire.hear(answers=answers, patience=patience)


def head(
    *headers: bytes,
    line: bytes = b"POST /TOEFLWebService/TOEFLEdm.asmx HTTP/1.1",
    media: bytes = b"text/xml; charset=utf-8",
) -> bytes:
    """Return the head of a call; each header is given without its CR LF."""
    return b"\r\n".join((line, b"Host: gateway", b"Content-Type: " + media, *headers)) + _END


def call(body: bytes | None = None, *headers: bytes) -> bytes:
    """Return a call with ordinary framing."""
    data = envelope() if body is None else body
    return head(b"Content-Length: %d" % len(data), *headers) + data


def chunks(body: bytes, size: int = 1 << 16, extension: bytes = b"") -> bytes:
    """Return a body in chunks of a size, with the last chunk."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x%s\r\n%s\r\n" % (len(part), extension, part) for part in parts) + b"0\r\n\r\n"


def _split(data: bytes) -> tuple[list[Answer], int, bytes]:
    """Return the whole answers, the number of interim ones, and the rest."""
    found, interim = [], 0
    while _END in data:
        start, _, rest = data.partition(_END)
        line, *fields = start.decode("latin-1").split("\r\n")
        status = int(line.split(" ")[1])
        if status == 100:
            interim, data = interim + 1, rest
            continue
        headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
        length = int(headers["content-length"])
        if len(rest) < length:
            break
        found.append(Answer(status, headers, rest[:length]))
        data = rest[length:]
    return found, interim, data
