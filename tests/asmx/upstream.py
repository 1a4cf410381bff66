"""A fake TOEFL Access whose score file states the query, so that each answer of a gateway shows its own query."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final
from urllib.parse import parse_qs, urlsplit

_RECORD: Final = 1600
NO_SCORES: Final = "2001"
"""A start in this year finds no scores."""
FORBIDDEN: Final = "FAULT"
"""A type that is refused with 403; it makes the ASMX service fail as well."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass

    def do_GET(self) -> None:
        query = urlsplit(self.path).query
        asked = parse_qs(query)
        status = "403 Forbidden" if asked["type"] == [FORBIDDEN] else "200 OK"
        is_empty = asked["startdate"][0].startswith(NO_SCORES)
        body = b"" if is_empty else query.encode().ljust(_RECORD) + b"\r\n"
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)  # at once: a head of its own waits for the client's acknowledgement


@contextmanager
def echoing_upstream() -> Iterator[str]:
    """Run the server until the end of the block; yield the address of its ``/scores``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/scores"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
