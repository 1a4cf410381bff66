"""The admin address: liveness, readiness, metrics and the status page."""

import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from prometheus_client.exposition import CONTENT_TYPE_LATEST

from shim.upstream.authcode_status import AuthcodeStatuses
from shim.upstream.breaker import Breaker
from shim.upstream.stored_authcode import StoredAuthcode
from shim.web.health import AuthcodeHealth, AuthcodeState, Health
from shim.web.status_page import PageResponse, StatusPage

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_PLAIN: Final = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]


class Admin:
    """``/livez``, ``/readyz``, ``/metrics`` and the status page; none of them calls TOEFL Access."""

    def __init__(
        self,
        authcodes: Mapping[str, StoredAuthcode],
        statuses: AuthcodeStatuses,
        breaker: Breaker,
        metrics: Callable[[], bytes],
        status_page: StatusPage,
    ) -> None:
        """Set up the pages.

        Args:
            authcodes: The stored authcodes, by name.
            statuses: Which of them TOEFL Access accepts.
            breaker: Whether TOEFL Access answers.
            metrics: Returns the metrics as text.
            status_page: The page for people.
        """
        self._authcodes = authcodes
        self._statuses = statuses
        self._breaker = breaker
        self._text_of_metrics = metrics
        self._status_page = status_page

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        answer = self._answer(environ) if environ["REQUEST_METHOD"] in ("GET", "HEAD") else None
        status, headers, body = answer or PageResponse(HTTPStatus.NOT_FOUND, _PLAIN, b"/, /livez, /readyz, /metrics\n")
        start_response(f"{status.value} {status.phrase}", [*headers, ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: "WSGIEnvironment") -> PageResponse | None:
        pages = {"/livez": self._alive, "/readyz": self._ready, "/metrics": self._metrics}
        path = environ["PATH_INFO"]
        if path in pages:
            return pages[path]()
        return self._status_page.respond(path, environ["QUERY_STRING"], environ.get("HTTP_HOST", ""), self._health())

    def _alive(self) -> PageResponse:
        return PageResponse(HTTPStatus.OK, _PLAIN, b"alive\n")

    def _ready(self) -> PageResponse:
        health = self._health()
        refused = [authcode.name for authcode in health.authcodes if authcode.state == "refused"]
        text = "".join(f"TOEFL Access refuses the authcode {name}: generate and store a new one\n" for name in refused)
        if not health.is_answering:
            text += "TOEFL Access does not answer\n"
        if not text:
            return PageResponse(HTTPStatus.OK, _PLAIN, b"ready\n")
        return PageResponse(HTTPStatus.SERVICE_UNAVAILABLE, _PLAIN, text.encode())

    def _health(self) -> Health:
        authcodes = tuple(
            AuthcodeHealth(name, code.age, self._state(name, code)) for name, code in self._authcodes.items()
        )
        return Health(authcodes, is_answering=not self._breaker.refuses)

    def _state(self, name: str, authcode: StoredAuthcode) -> AuthcodeState:
        status, age = self._statuses.of(name), authcode.age
        if not status.is_refused:
            return "accepted" if status.last_success is not None else "not used yet"
        # A new authcode has not been tried yet, and will not be if a balancer sends no calls because of this answer.
        replaced = age is not None and time.time() - age > (status.last_refusal or 0)
        return "not used yet" if replaced else "refused"

    def _metrics(self) -> PageResponse:
        headers = [("Content-Type", CONTENT_TYPE_LATEST), ("Cache-Control", "no-store")]
        return PageResponse(HTTPStatus.OK, headers, self._text_of_metrics())
