"""What an operator's tools ask, on an address of its own: is it alive, is it ready, how do the authcodes stand."""

import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from shim.access.authcodes import StoredAuthcode
from shim.access.standing import Standings
from shim.metrics import Metrics, Standing
from shim.rest.breaker import Breaker

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_TEXT = "text/plain; charset=utf-8"


class Admin:
    """``/livez``, ``/readyz`` and ``/metrics``; none of them calls TOEFL Access."""

    def __init__(
        self,
        authcodes: Mapping[str, StoredAuthcode],
        standings: Standings,
        breaker: Breaker,
        metrics: Metrics,
        others: Iterable[Collector] = (),
    ) -> None:
        """Take what is reported on, and others that have metrics of their own."""
        self._authcodes = authcodes
        self._standings = standings
        self._breaker = breaker
        self._metrics_of_calls = metrics
        self._collectors = [Standing(authcodes, standings, breaker), *others]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        pages = {"/livez": self._alive, "/readyz": self._ready, "/metrics": self._metrics}
        page = pages.get(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] in ("GET", "HEAD") else None
        status, content_type, body = page() if page else (HTTPStatus.NOT_FOUND, _TEXT, b"/livez, /readyz, /metrics\n")
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
        start_response(f"{status.value} {status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _alive(self) -> tuple[HTTPStatus, str, bytes]:
        return HTTPStatus.OK, _TEXT, b"alive\n"

    def _ready(self) -> tuple[HTTPStatus, str, bytes]:
        refused = [name for name, authcode in self._authcodes.items() if self._is_refused(name, authcode)]
        text = "".join(f"TOEFL Access refuses the authcode {name}: generate a new one there\n" for name in refused)
        if self._breaker.refuses:
            text += "TOEFL Access does not answer\n"
        if not text:
            return HTTPStatus.OK, _TEXT, b"ready\n"
        return HTTPStatus.SERVICE_UNAVAILABLE, _TEXT, text.encode()

    def _is_refused(self, name: str, authcode: StoredAuthcode) -> bool:
        standing, age = self._standings.of(name), authcode.age
        # A new one has not been tried yet, and will not be if nobody sends calls because of this answer.
        replaced = age is not None and time.time() - age > (standing.last_refusal or 0)
        return standing.is_refused and not replaced

    def _metrics(self) -> tuple[HTTPStatus, str, bytes]:
        return HTTPStatus.OK, CONTENT_TYPE_LATEST, self._metrics_of_calls.text(self._collectors)
