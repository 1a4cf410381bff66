"""The WSGI application: sends each request to what answers at its address."""

import posixpath
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from shim import errors
from shim.pipeline import refuse
from shim.retirement.policy import RetirementPolicy
from shim.web import correlation
from shim.web.admin import Admin
from shim.web.request import RequestBody
from shim.web.response import Document, respond, respond_with_document

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from shim.web.metrics import Metrics


class Route(NamedTuple):
    """What answers at a path.

    Attributes:
        read: Answers GET and HEAD.
        call: Answers every other method; None if there is no other.
    """

    read: "WSGIApplication"
    call: "WSGIApplication | None" = None


class Application:
    """The whole gateway.

    Attributes:
        metrics: What is counted of the calls.
        sample: Notes what this worker does now, for the metrics; to be called every second.
        close: Ends what observes calls; to be called when a worker ends.
    """

    def __init__(  # noqa: PLR0913 - what a gateway is made of
        self,
        routes: Mapping[str, Route],
        *,
        admin: Admin,
        admin_bind: str | None,
        policy: RetirementPolicy,
        metrics: "Metrics",
        sample: Callable[[], None],
        close: Callable[[], None],
    ) -> None:
        """Set up the routes.

        Args:
            routes: What answers at each path. The paths are found as IIS found those of ASMX services.
            admin: Answers all requests to the admin address.
            admin_bind: ``ADDRESS:PORT`` of the admin address; None for none.
            policy: Whether the gateway still answers.
            metrics: What is counted of the calls.
            sample: Notes what this worker does now.
            close: Ends what observes calls.
        """
        self.metrics = metrics
        self.sample = sample
        self.close = close
        self._policy = policy
        self._routes = {_folded(path): route for path, route in routes.items()}
        self._admin = admin
        self._admin_port = admin_bind.rpartition(":")[2] if admin_bind is not None else None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        if environ["SERVER_PORT"] == self._admin_port:
            return self._admin(environ, start_response)
        if self._policy.signals:
            start_response = _with_headers(start_response, self._policy.signals)
        route = self._routes.get(_folded(environ["PATH_INFO"]))
        if route is None:
            return self._refuse(errors.NOT_FOUND.error(), environ, start_response)
        if environ["REQUEST_METHOD"] != "POST" and self._policy.ended():
            record = correlation.record_of(environ)
            farewell = Document(self._policy.farewell, "text/plain; charset=utf-8", HTTPStatus.GONE)
            return respond_with_document(farewell, record, environ, start_response)
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return route.read(environ, start_response)
        if route.call is None:
            return self._refuse(errors.METHOD.error(), environ, start_response)
        return route.call(environ, start_response)

    def _refuse(
        self, error: errors.GatewayError, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        record = correlation.record_of(environ)
        dialect = RequestBody(environ).guess_dialect()
        return respond(refuse(error, dialect, record), record, environ, start_response)


def _folded(path: str) -> str:
    """Return a path as IIS looks for it: in any case of letters, without empty, ``.`` and ``..`` segments."""
    folded = posixpath.normpath("/" + path.lstrip("/")).lower()
    return folded + "/" if path.endswith("/") else folded


def _with_headers(start_response: "StartResponse", added: list[tuple[str, str]]) -> "StartResponse":
    def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:  # noqa: ANN401 - WSGI's own
        return start_response(status, headers + added, *error)

    return start
