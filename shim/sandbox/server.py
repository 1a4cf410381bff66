"""The HTTP server of a sandbox."""

import json
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from shim.sandbox import keys
from shim.sandbox.faults import Faults
from shim.sandbox.scores import Options, Selection, sample, select

_REQUIRED: Final = {
    "startdate": "startdate is required",
    "enddate": "enddate is required",
    "type": "type/program is required",
    "reportby": "reportby is required",
}
_SAMPLE: Final = "/scores/sample-data"
_HTML: Final = b"<!DOCTYPE html><html><head><title>Sorry</title></head><body>We will be back soon.</body></html>"


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """An answered request.

    Attributes:
        line: The request line, byte for byte, without its CR LF.
        status: The HTTP status of the answer.
    """

    line: str
    status: int


class Sandbox:
    """A stand-in for TOEFL Access. In a ``with`` statement, it runs in a thread.

    Attributes:
        options: Its scores.
        faults: The faults that it plays.
        authcodes: The authcodes that it accepts.
        requests: The last 1,000 requests.
    """

    def __init__(
        self,
        options: Options | None = None,
        *,
        port: int = 0,
        faults: Faults | None = None,
        log: Callable[[AnsweredRequest], None] | None = None,
    ) -> None:
        """Listen on a port of this machine.

        Args:
            options: The scores; by default 30 of two days.
            port: The port; 0 for a free one.
            faults: The faults to play; by default none.
            log: Called with each answered request.
        """
        self.options = options or Options()
        self.faults = faults or Faults()
        self.authcodes = {keys.DEMO_AUTHCODE}
        self.requests: deque[AnsweredRequest] = deque(maxlen=1000)
        self._log = log
        self._stopping = threading.Event()
        self._server = _Server(self, port)

    @property
    def url(self) -> str:
        """Address of ``/scores``."""
        return f"http://127.0.0.1:{self._server.server_port}/scores"

    def serve_forever(self) -> None:
        """Answer until the process ends."""
        self._server.serve_forever()

    def __enter__(self) -> Self:
        """Start the thread."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the thread, and close the port."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def wait(self) -> bool:
        """Wait for the delay of the faults. If the server stops meanwhile, return ``True`` at once."""
        return self._stopping.wait(self.faults.delay)

    def answered(self, request: AnsweredRequest) -> None:
        """Record an answered request."""
        self.requests.append(request)
        if self._log is not None:
            self._log(request)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, sandbox: Sandbox, port: int) -> None:
        self.sandbox = sandbox
        super().__init__(("127.0.0.1", port), _ScoresHandler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that close the connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _ScoresHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gives it
        """Print nothing: ``Sandbox`` logs answered requests."""

    def do_POST(self) -> None:
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", [], 0, [("Allow", "GET"), ("Connection", "close")])

    do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_POST

    def do_GET(self) -> None:
        sandbox = self.server.sandbox
        if sandbox.wait():
            # A kept connection outlives the listening socket, but a stopped server must not answer on it.
            self.close_connection = True
            return
        target = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(target.query).items()}
        if target.path not in ("/scores", _SAMPLE):
            self._refuse(HTTPStatus.NOT_FOUND, "not found")
        elif not (self._played_fault() or self._refused_authcode() or self._refused_query(query)):
            self._answer_query(query, is_sample=target.path == _SAMPLE)

    def _answer_query(self, query: dict[str, str], *, is_sample: bool) -> None:
        options = self.server.sandbox.options
        start, end = _moment(query["startdate"]), _moment(query["enddate"])
        if is_sample:
            self._answer(sample(options), query)
        elif start is None or end is None or start >= end:
            self._refuse(HTTPStatus.BAD_REQUEST, "startdate and enddate must be dates, one before the other")
        else:
            self._answer(select(options, start, end), query)

    def _played_fault(self) -> bool:
        faults = self.server.sandbox.faults
        if faults.status is not None:
            self._refuse(faults.status, "a planned fault")
        elif faults.location:
            self._send(HTTPStatus.FOUND, "text/plain", [], 0, [("Location", faults.location)])
        elif faults.html:
            self._send(HTTPStatus.OK, "text/html", [_HTML], len(_HTML))
        else:
            return False
        return True

    def _refused_authcode(self) -> bool:
        authcode = self.headers.get("authcode")
        if authcode is None:
            self._refuse(HTTPStatus.UNAUTHORIZED, "authcode is missing")
        elif not keys.well_formed(authcode):
            self._refuse(HTTPStatus.BAD_REQUEST, "Invalid credentials format")
        elif authcode in keys.REFUSALS:
            self._refuse(*keys.REFUSALS[authcode])
        elif authcode not in self.server.sandbox.authcodes:
            self._refuse(HTTPStatus.UNAUTHORIZED, "authcode is incorrect or expired")
        else:
            return False
        return True

    def _refused_query(self, query: dict[str, str]) -> bool:
        missing = next((sentence for name, sentence in _REQUIRED.items() if not query.get(name)), None)
        if missing is not None:
            self._refuse(HTTPStatus.BAD_REQUEST, missing)
        return missing is not None

    def _answer(self, selection: Selection, query: dict[str, str]) -> None:
        if query.get("format", "").lower() == "json":
            self._send(HTTPStatus.OK, "application/json", selection.json_chunks(), None)
        else:
            length = None if self.server.sandbox.faults.chunked else selection.length
            self._send(HTTPStatus.OK, "text/plain", selection.chunks(), length)

    def _refuse(self, status: int, sentence: str) -> None:
        as_json = self.server.sandbox.faults.json_errors
        body = (json.dumps({"message": sentence}) if as_json else sentence).encode()
        self._send(status, "application/json" if as_json else "text/plain", [body], len(body))

    def _send(
        self,
        status: int,
        content_type: str,
        chunks: Iterable[bytes],
        length: int | None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.server.sandbox.answered(AnsweredRequest(self.requestline, status))
        self.send_response_only(status)
        self.send_header("Content-Type", content_type)
        for name, value in headers:
            self.send_header(name, value)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        try:
            self._send_body(chunks, chunked=length is None)
        except ConnectionError:
            self.close_connection = True

    def _send_body(self, chunks: Iterable[bytes], *, chunked: bool) -> None:
        left = self.server.sandbox.faults.cut
        for chunk in chunks:
            part = chunk if left is None else chunk[:left]
            # A chunk that is cut announces its whole size, as when a connection breaks.
            self.wfile.write(b"%x\r\n%b" % (len(chunk), part) if chunked else part)
            if left is not None:
                left -= len(part)
                if left == 0:
                    self.close_connection = True
                    return
            if chunked:
                self.wfile.write(b"\r\n")
        if chunked:
            self.wfile.write(b"0\r\n\r\n")


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 - UTC, as the REST API writes it
    except ValueError:
        return None
    # strptime also takes numbers without their leading zeros; the documented form has them.
    return moment if moment.isoformat() == text else None
