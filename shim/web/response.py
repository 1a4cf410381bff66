"""An answer as HTTP: status, headers and body."""

import math
import time
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from shim import errors
from shim.web import user_agent
from shim.wire.dialect import Version

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from shim.call_record import CallRecord
    from shim.errors import GatewayError
    from shim.pipeline import Answer

METHODS: Final = "GET, HEAD, POST"
"""What the address of a contract takes."""


def respond(
    answer: "Answer", record: "CallRecord", environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    """Send the answer to a SOAP call; the record ends when the body was sent."""
    soap = "1.2" if answer.dialect.version is Version.SOAP_12 else "1.1"
    record.detail(soap=soap, software=user_agent.known(environ.get("HTTP_USER_AGENT")))
    headers = _headers(answer.dialect.content_type, answer.length, record.number)
    status = HTTPStatus.OK
    if answer.error is not None:
        status = HTTPStatus(answer.error.cause.http)
        headers += _fault_headers(answer.error)
    start_response(f"{status.value} {status.phrase}", headers)
    return _Body(answer, record, is_head=environ["REQUEST_METHOD"] == "HEAD")


class Document(NamedTuple):
    """An answer to a GET.

    Attributes:
        body: The document.
        content_type: Its media type, with its charset.
        status: The HTTP status.
    """

    body: bytes
    content_type: str
    status: HTTPStatus = HTTPStatus.OK


def respond_with_document(
    document: Document, record: "CallRecord", environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    """Send a document; to a HEAD, its headers alone."""
    body, content_type, status = document
    start_response(f"{status.value} {status.phrase}", _headers(content_type, len(body), record.number))
    record.end("page")
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


class _Body:
    """The body of an answer, made as it is sent."""

    def __init__(self, answer: "Answer", record: "CallRecord", *, is_head: bool) -> None:
        self._answer = answer
        self._record = record
        self._is_head = is_head
        # The outcome of a fault is known before the fault is sent.
        self._sent = is_head or answer.error is not None

    def __iter__(self) -> Iterator[bytes]:
        if self._is_head:
            return
        for number, part in enumerate(self._answer.body):
            if number:
                time.sleep(0)  # a caller that takes the body as fast as it comes must not keep other calls waiting
            yield part
        self._sent = True

    def close(self) -> None:
        """End the call; WSGI servers call this also when the caller has left."""
        self._answer.close()
        self._record.end(self._answer.outcome if self._sent else "caller-left")


def _headers(content_type: str, length: int, number: str) -> list[tuple[str, str]]:
    return [
        ("Content-Type", content_type),
        ("Content-Length", str(length)),
        # An answer holds personal data: nothing on the way may keep it.
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Request-ID", number),
    ]


def _fault_headers(error: "GatewayError") -> Iterator[tuple[str, str]]:
    if error.cause is errors.METHOD:
        yield "Allow", METHODS
    if error.retry_after:
        yield "Retry-After", str(math.ceil(error.retry_after))
    if error.cause is errors.NO_CREDENTIALS:
        # WCF and PHP send Basic credentials only when they are asked for.
        yield "WWW-Authenticate", 'Basic realm="scores", charset="UTF-8"'
