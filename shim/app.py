"""The composition root: ``Config`` to a WSGI application. The only place that knows every part."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shim.access.callers import Callers
from shim.access.concurrency import ConcurrencyLimit
from shim.access.passwords import PasswordChecker
from shim.access.replays import Replays
from shim.call_record import Observe
from shim.compare.shadow import Shadow
from shim.config import Config
from shim.contracts import contract
from shim.ledger import summary
from shim.ledger.backlog import BacklogCollector
from shim.ledger.journal import SUMMARY_FILE, Journal
from shim.pipeline import Pipeline
from shim.retirement.policy import RetirementPolicy, utc_now
from shim.spool import SpoolQuota
from shim.upstream.authcode_status import AuthcodeStatuses
from shim.upstream.breaker import Breaker
from shim.upstream.client import Client
from shim.upstream.retry import RetryingClient, RetryPolicy
from shim.upstream.scores import ScoreSource
from shim.upstream.stored_authcode import StoredAuthcode
from shim.web import greenlets
from shim.web.admin import Admin
from shim.web.application import Application, Route
from shim.web.endpoint import Endpoint, EndpointSettings
from shim.web.metrics import Metrics, UpstreamCollector
from shim.web.observers import guarded
from shim.web.pages import Pages, imported
from shim.web.request import RequestLimits
from shim.web.status_page import StatusPage

if TYPE_CHECKING:
    from prometheus_client.registry import Collector


def build(
    config: Config, shared: Path, metrics: Metrics | None = None, clock: Callable[[], datetime] = utc_now
) -> Application:
    """Build the gateway.

    Args:
        config: The configuration.
        shared: A folder that all workers share.
        metrics: The metrics of the gateway that this one replaces: new ones would open further files for good.
        clock: Tells the time, UTC.

    Raises:
        ContractError: A WSDL or its mapping cannot be used.
        AuthcodeError: An authcode or a caller's secret cannot be used.
    """
    metrics = metrics or Metrics(shared / "metrics")
    metrics.set_sunset(config.retirement.sunset)
    stored = {source.name: StoredAuthcode(source) for source in config.authcodes}
    statuses = AuthcodeStatuses(shared / "authcodes")
    breaker = _breaker(config, shared)
    quota, limit = SpoolQuota(*config.spool.quota), ConcurrencyLimit(config.gateway.max_calls)
    policy = RetirementPolicy(config.retirement, config.upstream.url, clock)
    pipeline = partial(
        Pipeline,
        callers=_callers(config, stored, shared),
        policy=policy,
        scores=ScoreSource(_client(config, breaker, quota, metrics), statuses),
        limit=limit,
        quota=quota,
    )
    observe, close = _observers(config, metrics, shared)
    return Application(
        _routes(config, pipeline, observe),
        admin=_admin(config, stored, statuses, breaker, metrics),
        admin_bind=config.gateway.admin_bind,
        policy=policy,
        metrics=metrics,
        sample=partial(metrics.sample, quota, limit),
        close=close,
    )


def _callers(config: Config, stored: Mapping[str, StoredAuthcode], shared: Path) -> Callers:
    passwords = PasswordChecker(greenlets.run_in_thread)
    return Callers(config.who_may_call, stored, Replays(shared / "nonces"), passwords)


def _breaker(config: Config, shared: Path) -> Breaker:
    upstream = config.upstream
    return Breaker(
        shared / "breaker",
        failures=upstream.breaker_failures,
        seconds=upstream.breaker_seconds,
        longest_call=upstream.deadline,
    )


def _client(config: Config, breaker: Breaker, quota: SpoolQuota, metrics: Metrics) -> RetryingClient:
    return RetryingClient(
        Client(config.upstream, quota, connections=config.gateway.max_calls, deadline=greenlets.deadline),
        breaker,
        RetryPolicy(config.upstream.deadline, config.upstream.attempts),
        deadline=greenlets.deadline,
        on_retry=metrics.retried,
    )


def _routes(config: Config, pipeline: Callable[..., Pipeline], observe: Observe) -> dict[str, Route]:
    gateway = config.gateway
    limits = RequestLimits(gateway.max_request, gateway.request_timeout)
    settings = EndpointSettings(limits, gateway.trusted_proxies, gateway.certificate_header)
    routes: dict[str, Route] = {}
    for item in config.contracts:
        loaded = contract.from_settings(item, config.retirement.info_url)
        pages = Pages(item.wsdl, gateway.address + item.path, loaded.operations)
        routes[item.path] = Route(pages.at_service, Endpoint(pipeline(loaded), settings, observe))
        documents = {item.wsdl_path: pages.at_wsdl, **dict(imported(item.wsdl, item.path))}
        routes |= {path: Route(document) for path, document in documents.items()}
    return routes


def _observers(config: Config, metrics: Metrics, shared: Path) -> tuple[Observe, Callable[[], None]]:
    """Return what is told of each call that has ended, and what ends it with the worker."""
    observers: list[Observe] = [metrics.count]
    close: Callable[[], None] = lambda: None  # noqa: E731 - most observers need no end
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
    return guarded(observers, metrics.unobserved), close


def _admin(
    config: Config,
    stored: Mapping[str, StoredAuthcode],
    statuses: AuthcodeStatuses,
    breaker: Breaker,
    metrics: Metrics,
) -> Admin:
    collectors: list[Collector] = [UpstreamCollector(stored, statuses, breaker)]
    if config.ledger.folder is not None:
        collectors.append(BacklogCollector(config.ledger.folder))
    return Admin(stored, statuses, breaker, partial(metrics.text, collectors), _status_page(config))


def _status_page(config: Config) -> StatusPage:
    gateway, folder = config.gateway, config.ledger.folder
    names = {urlsplit(address).hostname for address in (gateway.address, f"//{gateway.admin_bind}")}
    return StatusPage(
        read_summary=lambda: summary.read(folder / SUMMARY_FILE) if folder is not None else None,
        retirement=config.retirement,
        upstream=config.upstream.url,
        hosts=frozenset(filter(None, names)),
    )
