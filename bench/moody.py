"""An upstream of every mood: ``python -m bench.moody PORT``; the type in the query says which."""

import asyncio
import re
import sys
from contextlib import suppress
from typing import Final

from shim.sandbox import FIRST_REPORTED, LAST_REPORTED, Options, select

SIZES: Final = (0, 1, 100, 10_000)
"""How many records there are in the types ``records-0`` and so on."""

_SILENCE: Final = 60
_TYPE: Final = re.compile(rb"[?&]type=([a-z0-9-]+)", re.IGNORECASE)
_END: Final = b"\r\n\r\n"
# After these the connection ends, as what was announced is not what was sent.
_LAST: Final = frozenset({"cut", "hangs-up"})


def records(size: int) -> bytes:
    """The score file of so many records."""
    return b"".join(select(Options(records=size), FIRST_REPORTED, LAST_REPORTED).chunks())


def _moods() -> dict[str, bytes]:
    files = {f"records-{size}": records(size) for size in SIZES}
    hundred = files["records-100"]
    return {
        **{name: _answer("200 OK", body) for name, body in files.items()},
        "toefl": _answer("200 OK", files["records-1"]),
        "fails": _answer("500 Internal Server Error", b"it failed"),
        "sleeps": _answer("503 Service Unavailable", b"later", "Retry-After: 1\r\n"),
        "busy": _answer("429 Too Many Requests", b"later", "Retry-After: 120\r\n"),
        "refuses": _answer("400 Bad Request", b"startdate is required"),
        "moved": _answer("302 Found", b"", "Location: http://127.0.0.1:9/scores\r\n"),
        "html": _answer("200 OK", b"<!DOCTYPE html><title>Sorry</title>", "Content-Type: text/html\r\n"),
        "uneven": _answer("200 OK", hundred[:-7]),
        "cut": _answer("200 OK", hundred[:-7], length=len(hundred)),
        "hangs-up": b"",
    }


def _answer(status: str, body: bytes, more: str = "", length: int | None = None) -> bytes:
    announced = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {announced}\r\n{more}\r\n".encode() + body


async def _serve(port: int) -> None:
    moods = _moods()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                found = _TYPE.search(await reader.readuntil(_END))
                mood = found[1].decode().lower() if found else "refuses"
                if mood == "silent":
                    await asyncio.sleep(_SILENCE)
                writer.write(moods.get(mood, moods["refuses"]))
                await writer.drain()
                if mood in _LAST:
                    break
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
