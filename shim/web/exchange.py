"""One request and its answer, from its first byte to its line in the log."""

import io
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import structlog

from shim import errors
from shim.query import ScoreFile
from shim.web import correlation, user_agent
from shim.wire import answer, envelope
from shim.wire.dialect import Dialect, Version
from shim.wire.result import Reply, Result

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

METHODS: Final = "GET, HEAD, POST"
"""What the address of a contract takes."""

Observe = Callable[[Mapping[str, object]], None]
"""Is told of a call that has ended: its line in the log, ``soap``, ``software``, and what was told besides."""

ADDRESS: Final = "toefl_shim.address"
"""Where a request comes from, in its WSGI environment, once it is known what a trusted proxy says of it."""

_log = structlog.get_logger()


class Exchange:
    """A request, what is known of it so far, and how it was answered.

    Attributes:
        environ: The WSGI request.
        content_type: Its Content-Type.
        number: The request number, by which a fault is found in the log.
        body: Its body, once it was read.
        dialect: How to answer, once that is certain.
        reply: How to answer the operation, once that is known.
        on_end: Called at the end.
    """

    def __init__(self, environ: "WSGIEnvironment", observe: Observe = lambda _: None) -> None:
        """Begin with a request; at its end, somebody is told of it."""
        self.environ = environ
        self.on_end: Callable[[], None] = lambda: None
        self._observe = observe
        self.content_type: str = environ.get("CONTENT_TYPE", "")
        self.number = correlation.request_number(environ.get("HTTP_X_REQUEST_ID", ""))
        self.body = b""
        self.dialect: Dialect | None = None
        self.reply: Reply | None = None
        self._began = time.monotonic()
        trace = correlation.trace(environ.get("HTTP_TRACEPARENT", ""))
        self._fields: dict[str, object] = {"request": self.number, "trace": trace}
        self._told: dict[str, object] = {}

    def note(self, **fields: object) -> None:
        """Add to the line in the log."""
        self._fields.update(fields)

    def tell(self, **fields: object) -> None:
        """Add to what the observer is told, and not to the line in the log."""
        self._told.update(fields)

    def scores(
        self, file: ScoreFile, reply: Reply, start_response: "StartResponse", outcome: str = "ok"
    ) -> Iterable[bytes]:
        """Answer the call with a score file, which is closed at the end.

        Raises:
            OperatorError: The result cannot carry it.
        """
        try:
            result = Result(file, reply)
        except BaseException:
            file.close()
            raise
        start_response(f"{HTTPStatus.OK.value} OK", self._headers(reply.dialect.content_type, result.length))
        self.note(records=file.records, bytes=file.size)
        return _Answer(result, file, self, outcome)

    def page(
        self, body: bytes, content_type: str, start_response: "StartResponse", status: HTTPStatus = HTTPStatus.OK
    ) -> Iterable[bytes]:
        """Answer with a document; a HEAD with its headers alone."""
        start_response(f"{status.value} {status.phrase}", self._headers(content_type, len(body)))
        self.end("page")
        return self._body(body)

    def fault(self, error: errors.GatewayError, start_response: "StartResponse") -> Iterable[bytes]:
        """Answer with a fault, or where the operation does so with a sentence as its result.

        Its words are the same in every SOAP version, and end with the reason's
        stable name and the number under which the operator finds the call in the log.
        """
        dialect, cause = self._dialect(), error.cause
        text = error.told(self.number)
        self.note(party=cause.party.__name__, note=error.note, advice=cause.advice)
        if self.reply is not None and self.reply.in_band:
            sentence = errors.in_band(text).encode()
            file = ScoreFile(io.BytesIO(sentence), len(sentence), None)
            return self.scores(file, self.reply, start_response, cause.slug)
        body = answer.fault(dialect, cause, text)
        status = HTTPStatus(cause.http_11 if dialect.version is Version.SOAP_11 or self._is_wcf() else cause.http_12)
        headers = self._headers(dialect.content_type, len(body))
        if cause is errors.METHOD:
            headers.append(("Allow", METHODS))
        if error.retry_after:
            headers.append(("Retry-After", str(math.ceil(error.retry_after))))
        if cause is errors.NO_CREDENTIALS:
            # WCF and PHP send Basic credentials only when they are asked for.
            headers.append(("WWW-Authenticate", 'Basic realm="scores", charset="UTF-8"'))
        start_response(f"{status.value} {status.phrase}", headers)
        self.end(cause.slug)
        return self._body(body)

    def end(self, outcome: str) -> None:
        """Write the line in the log."""
        self.on_end()
        address = self.environ.get(ADDRESS) or self.environ.get("REMOTE_ADDR", "")
        seconds = round(time.monotonic() - self._began, 6)
        self.note(outcome=outcome, seconds=seconds, address=address)
        fields = {name: value for name, value in self._fields.items() if value not in ("", None)}
        _log.info("call", **fields)
        soap = "1.2" if self._dialect().version is Version.SOAP_12 else "1.1"
        called_with = user_agent.known(self.environ.get("HTTP_USER_AGENT"), expects=self._expects)
        self._observe({**fields, **self._told, "soap": soap, "software": called_with})

    def _body(self, body: bytes) -> Iterable[bytes]:
        return [] if self.environ["REQUEST_METHOD"] == "HEAD" else [body]

    @property
    def _expects(self) -> bool:
        # nginx keeps Expect to itself, and hands it on under the other name; it tells WCF from others, and no more.
        return "HTTP_EXPECT" in self.environ or "HTTP_X_FORWARDED_EXPECT" in self.environ

    def _is_wcf(self) -> bool:
        # WCF reads a fault only from 500, in SOAP 1.2 too; this is how its requests differ from all others'.
        return self._expects and "HTTP_USER_AGENT" not in self.environ

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


class _Answer:
    """The body of an answer, made as it is sent."""

    def __init__(self, result: Result, file: ScoreFile, exchange: Exchange, outcome: str) -> None:
        self._result = result
        self._file = file
        self._exchange = exchange
        self._outcome = outcome
        self._sent = False

    def __iter__(self) -> Iterator[bytes]:
        for number, part in enumerate(self._result):
            if number:
                time.sleep(0)  # whoever takes it as fast as it comes must not make others wait
            yield part
        self._sent = True

    def close(self) -> None:
        """End the exchange; WSGI servers call this also when the caller went away."""
        self._file.close()
        self._exchange.end(self._outcome if self._sent else "caller-left")
