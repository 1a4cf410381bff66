"""The composition root: ``Config`` to a WSGI application. The only place that knows every room."""

import posixpath
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from shim import errors
from shim.access.callers import Callers
from shim.access.concurrency import ConcurrencyLimit
from shim.access.presented import Credentials, PresentedCredentials
from shim.access.replays import Replays
from shim.access.source import source
from shim.compare.shadow import Shadow
from shim.config import Config, ContractSettings
from shim.contracts import contract, served
from shim.contracts.contract import Contract
from shim.contracts.served import Pages
from shim.ledger import summary
from shim.ledger.backlog import BacklogCollector
from shim.ledger.journal import SUMMARY_FILE, Journal
from shim.query import ScoreFile, ScoreQuery
from shim.retirement.policy import RetirementPolicy, utc_now
from shim.spool import SpoolQuota
from shim.upstream.authcode_status import AuthcodeStatuses
from shim.upstream.authcodes import Authcode, StoredAuthcode
from shim.upstream.breaker import Breaker
from shim.upstream.client import Client, UpstreamLimits
from shim.upstream.retry import RetryingClient, RetryPolicy
from shim.web import correlation
from shim.web.admin import Admin
from shim.web.endpoint import Admit, Admitted, Endpoint, House
from shim.web.exchange import ADDRESS, Exchange, Observe
from shim.web.metrics import Metrics, UpstreamCollector
from shim.web.request import RequestLimits
from shim.web.status_page import StatusPage

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from prometheus_client.registry import Collector


_log = structlog.get_logger()


class Application:
    """Sends each request to the room for its address.

    Attributes:
        metrics: What is counted of the calls.
        close: Called when a worker ends.
    """

    def __init__(
        self,
        rooms: Mapping[str, "WSGIApplication"],
        admin: Admin,
        admin_bind: str | None,
        metrics: Metrics,
        policy: RetirementPolicy,
    ) -> None:
        """Take the rooms by path, and the one for all requests to the admin address.

        ASMX services answer to their path in any case of letters, and so do these.
        """
        self.metrics = metrics
        self._policy = policy
        self.close: Callable[[], None] = lambda: None
        self._rooms = {path.lower(): room for path, room in rooms.items()}
        self._admin = admin
        self._admin_port = admin_bind.rpartition(":")[2] if admin_bind is not None else None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        if environ["SERVER_PORT"] == self._admin_port:
            return self._admin(environ, start_response)
        if self._policy.signals:
            start_response = _signalling(start_response, self._policy.signals)
        room = self._rooms.get(environ["PATH_INFO"].lower())
        if room is None:
            return Exchange(environ).fault(errors.NOT_FOUND.error(), start_response)
        if environ["REQUEST_METHOD"] != "POST" and self._policy.ended():
            page = self._policy.farewell
            return Exchange(environ).page(page, "text/plain; charset=utf-8", start_response, HTTPStatus.GONE)
        return room(environ, start_response)


def _signalling(start_response: "StartResponse", signals: list[tuple[str, str]]) -> "StartResponse":
    def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:  # noqa: ANN401 - WSGI's own
        return start_response(status, headers + signals, *error)

    return start


def build(
    config: Config, shared: Path, metrics: Metrics | None = None, clock: Callable[[], datetime] = utc_now
) -> Application:
    """Build the gateway.

    Args:
        config: The configuration.
        shared: A folder that all workers share.
        metrics: Those of the gateway that it takes the place of: each opens files for good.
        clock: Tells the time, UTC.

    Raises:
        ContractError: A WSDL or its mapping cannot be used.
        AuthcodeError: An authcode or a caller's secret cannot be used.
    """
    stored = {source.name: StoredAuthcode(source) for source in config.authcodes}
    standings = AuthcodeStatuses(_folder(shared, "standings"))
    metrics = metrics or Metrics(_folder(shared, "metrics"))
    breaker = Breaker(
        _folder(shared, "breaker"),
        failures=config.upstream.breaker_failures,
        seconds=config.upstream.breaker_seconds,
        longest_call=config.upstream.deadline,
    )
    room = room_of(config)
    places = ConcurrencyLimit(config.gateway.max_calls)
    metrics.watch(room, places)
    attempts = RetryingClient(
        upstream(config, room),
        breaker,
        RetryPolicy(config.upstream.deadline, config.upstream.attempts),
        metrics.retried,
    )
    admit = _admission(config, attempts, stored, standings, Replays(_folder(shared, "nonces")))
    policy = RetirementPolicy(config.retirement, config.upstream.url, clock)
    observe, close = _observer(config, metrics, shared)
    house = House(room, places, observe, policy)
    limits = RequestLimits(config.gateway.max_request, config.gateway.request_timeout)
    rooms: dict[str, WSGIApplication] = {}
    for item in config.contracts:
        loaded = load_contract(item, config.retirement.info_url)
        pages = Pages(item.wsdl, config.gateway.address + item.path)
        rooms[item.path] = _by_method(pages, Endpoint(loaded, admit, house, limits))
        rooms[item.wsdl_path] = pages.wsdl
        folder = posixpath.dirname(item.path)
        for name, body in served.imports(item.wsdl).items():
            rooms[posixpath.join(folder, name)] = partial(served.document, body)
    metrics.sunset.set(config.retirement.sunset.timestamp() if config.retirement.sunset else 0)
    collectors: list[Collector] = [UpstreamCollector(stored, standings, breaker)]
    if config.ledger.folder is not None:
        collectors.append(BacklogCollector(config.ledger.folder))
    admin = Admin(stored, standings, breaker, partial(metrics.text, collectors), _status_page(config))
    application = Application(rooms, admin, config.gateway.admin_bind, metrics, policy)
    application.close = close
    return application


def _observer(config: Config, metrics: Metrics, shared: Path) -> tuple[Observe, Callable[[], None]]:
    observers: list[Observe] = [metrics.count]
    close: Callable[[], None] = lambda: None  # noqa: E731 - what a worker does at its end where nothing else is named
    if config.ledger.folder is not None:
        journal = Journal(config.ledger.folder, config.ledger.key_file, metrics.lost, metrics.migrated)
        observers.append(journal.record)
    if config.tracing.url is not None:
        from shim.web.tracing import Tracing  # noqa: PLC0415 - what it imports is installed only with the extra

        tracing = Tracing(config.tracing.url)
        observers.append(tracing.record)
        close = tracing.close
    if config.shadow.sample:
        observers.append(Shadow(config, shared / "shadow", metrics.compared).observe)

    def observe(call: Mapping[str, object]) -> None:
        for observer in observers:
            try:
                observer(call)
            except Exception as error:  # noqa: BLE001 - who only watches must not harm what is watched
                metrics.unobserved()
                _log.error("observer", request=call["request"], note=errors.location(error))

    return observe, close


def _status_page(config: Config) -> StatusPage:
    gateway, folder = config.gateway, config.ledger.folder
    names = {urlsplit(address).hostname for address in (gateway.address, f"//{gateway.admin_bind}")}
    return StatusPage(
        read_summary=lambda: summary.read(folder / SUMMARY_FILE) if folder is not None else None,
        retirement=config.retirement,
        upstream=config.upstream.url,
        hosts=frozenset(filter(None, names)),
    )


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir(exist_ok=True)
    return folder


def _admission(
    config: Config,
    client: RetryingClient,
    stored: Mapping[str, StoredAuthcode],
    standings: AuthcodeStatuses,
    replays: Replays,
) -> Admit:
    callers = Callers(config.who_may_call, stored, replays)
    gateway = config.gateway

    def admit(environ: "WSGIEnvironment", offered: tuple[Credentials, ...]) -> Admitted:
        seen = source(environ, gateway.trusted_proxies, gateway.certificate_header)
        environ[ADDRESS] = str(seen.address)
        trace = correlation.trace(environ.get("HTTP_TRACEPARENT", ""))
        proof = PresentedCredentials(seen.address, seen.relayed, seen.certificate, offered)
        caller = callers.identify(proof)

        def fetch(query: ScoreQuery) -> ScoreFile:
            with client.within_deadline():
                if isinstance(caller.authcode, Authcode):
                    return _passed_through(caller.authcode, query)
                return _with_stored(caller.authcode, query)

        def _with_stored(stored: StoredAuthcode, query: ScoreQuery) -> ScoreFile:
            try:
                file = stored.use(lambda authcode: client.fetch(query, authcode.value, trace))
            except errors.GatewayError as error:
                if error.cause is errors.UPSTREAM_AUTHCODE:
                    standings.refused(stored.name)
                raise
            standings.succeeded(stored.name)
            return file

        def _passed_through(authcode: Authcode, query: ScoreQuery) -> ScoreFile:
            try:
                file = client.fetch(query, authcode.value, trace)
            except errors.GatewayError as error:
                # The authcode is made of what the caller sent, so it is the caller that is not known.
                if error.cause is errors.UPSTREAM_AUTHCODE:
                    raise callers.rejected(proof) from error
                raise
            callers.accepted(proof)
            return file

        return Admitted(caller.name, fetch)

    return admit


def _by_method(pages: Pages, endpoint: Endpoint) -> "WSGIApplication":
    def room(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        reads = environ["REQUEST_METHOD"] in ("GET", "HEAD")
        return (pages if reads else endpoint)(environ, start_response)

    return room


def load_contract(source: ContractSettings, info_url: str | None) -> Contract:
    """Read a contract as configured.

    Raises:
        ContractError: The WSDL or its mapping cannot be used.
    """
    mapping = source.mapping or source.wsdl.with_suffix(".toml")
    return contract.load(source.wsdl, mapping, source.reportby, info_url or "")


def room_of(config: Config) -> SpoolQuota:
    """The room that one worker has for score files."""
    return SpoolQuota(config.spool.max_bytes, config.spool.folder)


def upstream(config: Config, room: SpoolQuota) -> Client:
    """The client of TOEFL Access as configured."""
    settings = config.upstream
    limits = UpstreamLimits(
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_bytes=settings.max_bytes,
        connections=config.gateway.max_calls,
    )
    ca_file = str(settings.ca_file) if settings.ca_file is not None else None
    return Client(settings.url, limits, room, ca_file=ca_file, proxy=settings.proxy)
