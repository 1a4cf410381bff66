"""What an operator's tools ask, on an address of its own: is it alive, is it ready, how do the authcodes stand."""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from shim.access.authcodes import StoredAuthcode
from shim.access.standing import Standings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_TEXT = "text/plain; charset=utf-8"


class Admin:
    """``/livez``, ``/readyz`` and ``/metrics``; none of them calls TOEFL Access."""

    def __init__(self, authcodes: Mapping[str, StoredAuthcode], standings: Standings) -> None:
        """Take what is reported on."""
        self._authcodes = authcodes
        self._standings = standings
        self._registry = CollectorRegistry()
        self._registry.register(_Authcodes(authcodes, standings))

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
        refused = [name for name in self._authcodes if self._standings.of(name).is_refused]
        if not refused:
            return HTTPStatus.OK, _TEXT, b"ready\n"
        text = "".join(f"TOEFL Access refuses the authcode {name}: generate a new one there\n" for name in refused)
        return HTTPStatus.SERVICE_UNAVAILABLE, _TEXT, text.encode()

    def _metrics(self) -> tuple[HTTPStatus, str, bytes]:
        return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry)


class _Authcodes(Collector):
    def __init__(self, authcodes: Mapping[str, StoredAuthcode], standings: Standings) -> None:
        self._authcodes = authcodes
        self._standings = standings

    def collect(self) -> Iterator[Metric]:
        age = GaugeMetricFamily(
            "toefl_shim_authcode_age_seconds", "Time since the file of the authcode was written.", labels=["authcode"]
        )
        success = GaugeMetricFamily(
            "toefl_shim_authcode_last_success_timestamp_seconds",
            "When a call with the authcode last succeeded.",
            labels=["authcode"],
        )
        refused = GaugeMetricFamily(
            "toefl_shim_authcode_refused", "Whether TOEFL Access refused the last call with it.", labels=["authcode"]
        )
        for name, authcode in self._authcodes.items():
            standing = self._standings.of(name)
            refused.add_metric([name], standing.is_refused)
            if authcode.age is not None:
                age.add_metric([name], authcode.age)
            if standing.last_success is not None:
                success.add_metric([name], standing.last_success)
        yield from (age, success, refused)
