"""An upstream that answers late: ``python -m bench.delayed PORT FILE``, called with ``type=delay-MILLISECONDS``."""

import asyncio
import re
import sys
from pathlib import Path
from typing import Final

_DELAY: Final = re.compile(rb"[?&]type=delay-(\d+)")
_END: Final = b"\r\n\r\n"


class _Late(asyncio.Protocol):
    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while _END in self._received:
            request, _, self._received = self._received.partition(_END)
            delay = _DELAY.search(request)
            seconds = int(delay[1]) / 1000 if delay else 0
            asyncio.get_running_loop().call_later(seconds, self._write)

    def _write(self) -> None:
        if isinstance(self._transport, asyncio.WriteTransport) and not self._transport.is_closing():
            self._transport.write(self._answer)


async def _serve(port: int, body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
    answer = head.encode() + body
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Late(answer), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2]).read_bytes()))
