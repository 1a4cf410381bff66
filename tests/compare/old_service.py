"""A stand-in for the old service: a SOAP server made by hand, which answers whatever a test wants."""

import base64
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, NamedTuple, Self
from xml.sax.saxutils import unescape

from tests.soap_http import SOAP_11
from tests.web.calls import NAMESPACE

_FIELD: Final = re.compile(r"<(?:\w+:)?(\w+)>([^<>]*)</")
_OPERATION: Final = "getScorelinkDataByReportDate"


class Answer(NamedTuple):
    """An HTTP answer."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/xml; charset=utf-8"),)


def in_body(content: str, status: int = 200) -> Answer:
    """An envelope around anything."""
    return Answer(f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body>{content}</s:Body></s:Envelope>'.encode(), status)


def in_response(content: str, operation: str = _OPERATION) -> Answer:
    """The operation's answer around anything."""
    return in_body(f'<{operation}Response xmlns="{NAMESPACE}">{content}</{operation}Response>')


def result(scores: bytes) -> Answer:
    """A result of base64."""
    return in_response(f"<{_OPERATION}Result>{base64.b64encode(scores).decode()}</{_OPERATION}Result>")


class OldService:
    """The server. In a ``with`` statement it runs.

    Attributes:
        answer: Makes the answer to each call; by the call's values and how many there were before it.
        calls: The values of each call by the names of its elements.
    """

    def __init__(self, answer: Callable[[dict[str, str], int], Answer | bytes]) -> None:
        self.answer = answer
        self.calls: list[dict[str, str]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                pass

            def do_POST(self) -> None:
                request = self.rfile.read(int(self.headers["Content-Length"])).decode()
                values = {name: unescape(text) for name, text in _FIELD.findall(request)}
                service.calls.append(values)
                told = service.answer(values, len(service.calls) - 1)
                body, status, headers = told if isinstance(told, Answer) else result(told)
                self.send_response_only(status)
                for name, value in (*headers, ("Content-Length", str(len(body)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/TOEFLEdm.asmx"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
