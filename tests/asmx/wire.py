"""Exact bytes over a connection, with pauses, and every response that comes back."""

import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

_END: Final = b"\r\n\r\n"
_REQUEST_LINE: Final = b" HTTP/1."
_QUIET: Final = 0.3
"""Seconds without a byte after the response to the last request: then no other follows."""


class Pause(NamedTuple):
    """A pause before the rest of a request.

    Attributes:
        offset: How many bytes are sent before it.
        seconds: How long it is.
    """

    offset: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response.

    Attributes:
        status: The status; 0 for bytes that are no whole response.
        headers: By name in lower case; where a name comes twice, its values in a list.
        body: The body, without its chunks.
    """

    status: int
    headers: dict[str, str]
    body: bytes


def exchange(
    port: int, data: bytes, pauses: Sequence[Pause] = (), *, source: str = "127.0.0.1", patience: float = 20
) -> list[Response]:
    """Send bytes to a port of this machine, and return all final responses.

    Args:
        port: The port.
        data: All bytes.
        pauses: By rising offset.
        source: The address of this machine to call from.
        patience: Seconds to wait for each response.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=patience, source_address=(source, 0)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The other side may have answered, and closed the connection, before the end of the request.
        with suppress(BrokenPipeError, ConnectionResetError):
            _send(connection, data, pauses)
        return _receive(
            connection,
            patience,
            expected=max(1, data.count(_REQUEST_LINE)),
            is_head=data.lstrip().startswith(b"HEAD "),
        )


def _send(connection: socket.socket, data: bytes, pauses: Sequence[Pause]) -> None:
    sent = 0
    for pause in pauses:
        connection.sendall(data[sent : pause.offset])
        sent = pause.offset
        time.sleep(pause.seconds)
    connection.sendall(data[sent:])


def _receive(connection: socket.socket, patience: float, *, expected: int, is_head: bool) -> list[Response]:
    received = bytearray()
    while True:
        responses, rest = _split(bytes(received), is_head=is_head, is_over=False)
        connection.settimeout(_QUIET if len(responses) >= expected and not rest else patience)
        try:
            more = connection.recv(1 << 16)
        except TimeoutError:
            break
        except ConnectionResetError:
            more = b""
        if not more:
            break
        received += more
    responses, rest = _split(bytes(received), is_head=is_head, is_over=True)
    return [*responses, *([Response(0, {}, rest)] if rest else [])]


def _split(data: bytes, *, is_head: bool, is_over: bool) -> tuple[list[Response], bytes]:
    """Return the whole final responses, and the bytes after the last one."""
    found = []
    while _END in data:
        head, _, rest = data.partition(_END)
        line, *fields = head.decode("latin-1").split("\r\n")
        status = int(line.split(" ")[1])
        headers: dict[str, str] = {}
        for name, _, value in (field.partition(":") for field in fields):
            before = headers.get(name.lower())
            headers[name.lower()] = value.strip() if before is None else f"{before}, {value.strip()}"
        body: bytes | None = b""
        if status >= 200 and not is_head:
            body, rest = _body(headers, rest, is_over=is_over)
        if body is None:
            break
        if status >= 200:
            found.append(Response(status, headers, body))
        data = rest
    return found, data


def _body(headers: dict[str, str], data: bytes, *, is_over: bool) -> tuple[bytes | None, bytes]:
    """Return the body and what follows it; None while it is not whole."""
    if headers.get("transfer-encoding") == "chunked":
        return _unchunked(data)
    if "content-length" in headers:
        length = int(headers["content-length"])
        return (data[:length], data[length:]) if len(data) >= length else (None, data)
    return (data, b"") if is_over else (None, data)


def _unchunked(data: bytes) -> tuple[bytes | None, bytes]:
    body = b""
    while b"\r\n" in data:
        size, _, rest = data.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if len(rest) < length + 2:
            break
        body, data = body + rest[:length], rest[length + 2 :]
        if not length:
            return body, data
    return None, data
