"""One request and its answer, from its first byte to its line in the log."""

import time
from binascii import b2a_base64
from collections.abc import Iterable, Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import structlog

from shim import errors, telemetry
from shim.query import ScoreFile
from shim.soap import answer, envelope
from shim.soap.answer import Wrapper
from shim.soap.dialect import Dialect, Version

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

METHODS: Final = "GET, HEAD, POST"
"""What the address of a contract takes."""

# A multiple of 3, so that the base64 of the chunks is the base64 of the whole.
_CHUNK: Final = 48 * 1024

_log = structlog.get_logger()


class Exchange:
    """A request, what is known of it so far, and how it was answered.

    Attributes:
        environ: The WSGI request.
        content_type: Its Content-Type.
        number: The request number, by which a fault is found in the log.
        body: Its body, once it was read.
        dialect: How to answer, once that is certain.
    """

    def __init__(self, environ: "WSGIEnvironment") -> None:
        """Begin with a request."""
        self.environ = environ
        self.content_type: str = environ.get("CONTENT_TYPE", "")
        self.number = telemetry.request_number()
        self.body = b""
        self.dialect: Dialect | None = None
        self._began = time.monotonic()
        self._fields: dict[str, object] = {"request": self.number, "address": environ.get("REMOTE_ADDR", "")}

    def note(self, **fields: object) -> None:
        """Add to the line in the log."""
        self._fields.update(fields)

    def scores(self, file: ScoreFile, wrapper: Wrapper, start_response: "StartResponse") -> Iterable[bytes]:
        """Answer with a score file, which is closed at the end."""
        dialect = self._dialect()
        if file.size == 0:
            head, tail = answer.empty(dialect, wrapper), b""
        else:
            head, tail = answer.frame(dialect, wrapper)
        length = len(head) + answer.base64_length(file.size, dialect) + len(tail)
        start_response(f"{HTTPStatus.OK.value} OK", self._headers(dialect.content_type, length))
        self.note(records=file.records, bytes=file.size)
        return _Scores(head, file, tail, dialect, self)

    def page(self, body: bytes, content_type: str, start_response: "StartResponse") -> Iterable[bytes]:
        """Answer with a document; a HEAD with its headers alone."""
        start_response(f"{HTTPStatus.OK.value} OK", self._headers(content_type, len(body)))
        self.end("page")
        return self._body(body)

    def fault(self, error: errors.GatewayError, start_response: "StartResponse") -> Iterable[bytes]:
        """Answer with a fault.

        Its words are the same in every SOAP version, and end with the reason's
        stable name and the number under which the operator finds the call in the log.
        """
        dialect, cause = self._dialect(), error.cause
        body = answer.fault(dialect, cause, f"{error.sentence} ({cause.slug}; request {self.number})")
        status = HTTPStatus(cause.http_11 if dialect.version is Version.SOAP_11 or self._is_wcf() else cause.http_12)
        headers = self._headers(dialect.content_type, len(body))
        if cause is errors.METHOD:
            headers.append(("Allow", METHODS))
        start_response(f"{status.value} {status.phrase}", headers)
        self.note(party=cause.party.__name__, note=error.note, advice=cause.advice)
        self.end(cause.slug)
        return self._body(body)

    def end(self, outcome: str) -> None:
        """Write the line in the log; it never fails the call."""
        fields = {name: value for name, value in self._fields.items() if value not in ("", None)}
        with suppress(OSError, ValueError):  # standard error is full, or closed
            _log.info("call", outcome=outcome, seconds=round(time.monotonic() - self._began, 6), **fields)

    def _body(self, body: bytes) -> Iterable[bytes]:
        return [] if self.environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _is_wcf(self) -> bool:
        # WCF reads a fault only from 500, in SOAP 1.2 too; this is how its requests differ from all others'.
        return "HTTP_USER_AGENT" not in self.environ and "HTTP_EXPECT" in self.environ

    def _dialect(self) -> Dialect:
        if self.dialect is None:
            self.dialect = envelope.sniff(self.body, self.content_type)
        return self.dialect

    def _headers(self, content_type: str, length: int) -> list[tuple[str, str]]:
        return [
            ("Content-Type", content_type),
            ("Content-Length", str(length)),
            # An answer holds personal data: nobody on the way may keep it.
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Request-ID", self.number),
        ]


class _Scores:
    """The body of an answer, read from the spool as it is sent."""

    def __init__(self, head: bytes, file: ScoreFile, tail: bytes, dialect: Dialect, exchange: Exchange) -> None:
        self._head = head
        self._file = file
        self._tail = tail
        self._dialect = dialect
        self._exchange = exchange
        self._outcome = "caller-left"

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        if self._file.size:
            while chunk := self._file.spool.read(_CHUNK):
                yield answer.encode(b2a_base64(chunk, newline=False).decode("ascii"), self._dialect)
        yield self._tail
        self._outcome = "ok"

    def close(self) -> None:
        """End the exchange; WSGI servers call this also when the caller went away."""
        self._file.close()
        self._exchange.end(self._outcome)
