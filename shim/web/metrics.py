"""What is counted of all calls, for Prometheus, right across the workers."""

import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed

from shim.access.concurrency import ConcurrencyLimit
from shim.spool import SpoolQuota
from shim.upstream.authcode_status import AuthcodeStatuses
from shim.upstream.authcodes import StoredAuthcode
from shim.upstream.breaker import Breaker

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50)


class Metrics:
    """Counters that every worker adds to, in files of a folder that they share."""

    def __init__(self, folder: Path) -> None:
        """Count in a folder, one for a process: the library knows the folder by the environment."""
        folder.mkdir(exist_ok=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = self._folder = str(folder)
        values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        own: dict[str, Any] = {"namespace": "toefl_shim", "registry": None}
        labels = ("operation", "caller", "outcome")
        self._calls = Counter("calls", "Calls answered.", labels, **own)
        self._upstream = Histogram("upstream_seconds", "Time that TOEFL Access took.", buckets=_SECONDS, **own)
        self._added = Histogram("added_seconds", "Time of a call besides.", buckets=_SECONDS, **own)
        self._bytes = Counter("bytes", "Score data answered with.", **own)
        self._records = Counter("records", "Score records answered with.", **own)
        self._spared = Counter("dry_run_hits", "Calls that a brownout would have hit.", ("caller",), **own)
        self._retries = Counter("retries", "Further attempts at a call of TOEFL Access.", **own)
        self._shadow = Counter("shadow", "Sampled calls by what their comparison came to.", ("outcome",), **own)
        self._lost = Counter("ledger_lost_calls", "Calls that the ledger will not know of.", **own)
        self._unobserved = Counter("observer_failures", "Calls that something which watches failed at.", **own)
        self._migrated = Counter("migrated_calls", "Calls of those marked as migrated.", ("caller",), **own)
        self._spool = Gauge("spool_bytes", "Score data held.", multiprocess_mode="livesum", **own)
        self.sunset = Gauge("sunset_timestamp_seconds", "The end, or 0 for none.", multiprocess_mode="max", **own)
        self._in_flight = Gauge("calls_in_flight", "Calls being answered.", multiprocess_mode="livesum", **own)

    def count(self, call: Mapping[str, Any]) -> None:
        """Count a call by the fields of its line in the log."""
        self._calls.labels(call.get("operation", ""), call.get("caller", ""), call["outcome"]).inc()
        upstream = call.get("upstream")
        if upstream is not None:
            self._upstream.observe(upstream)
        self._added.observe(max(call["seconds"] - (upstream or 0), 0))
        if "dry_run" in call:
            self._spared.labels(call["caller"]).inc()
        if call["outcome"] == "ok":
            self._bytes.inc(call.get("bytes", 0))
            self._records.inc(call.get("records", 0))

    def sample(self, quota: SpoolQuota, limit: ConcurrencyLimit) -> None:
        """Set the gauges of this worker to what it holds and does now."""
        self._spool.set(quota.held)
        self._in_flight.set(limit.running)

    def retried(self) -> None:
        """Count a further attempt."""
        self._retries.inc()

    def compared(self, outcome: str) -> None:
        """Count a comparison with the old service."""
        self._shadow.labels(outcome).inc()

    def unobserved(self) -> None:
        """Count a call at which something that watches failed."""
        self._unobserved.inc()

    def lost(self) -> None:
        """Count a call that could not be kept for the ledger."""
        self._lost.inc()

    def migrated(self, caller: str) -> None:
        """Count a call of one that is marked as migrated."""
        self._migrated.labels(caller).inc()

    def forget(self, pid: int) -> None:
        """Take what a worker that ended was doing out of the gauges."""
        mark_process_dead(pid, self._folder)  # type: ignore[no-untyped-call]

    # The files are read without a lock: one that a worker is just making has nothing in it yet.
    @retry(
        retry=retry_if_exception_type((struct.error, RuntimeError)),
        stop=stop_after_attempt(10),
        wait=wait_fixed(0.01),
        reraise=True,
    )
    def text(self, others: Iterable[Collector]) -> bytes:
        """All of it in Prometheus' form, and what other collectors know."""
        registry = CollectorRegistry()
        MultiProcessCollector(registry, self._folder)  # type: ignore[no-untyped-call]
        for collector in others:
            registry.register(collector)
        return generate_latest(registry)


class UpstreamCollector(Collector):
    """How the authcodes and the upstream stand."""

    def __init__(self, authcodes: Mapping[str, StoredAuthcode], statuses: AuthcodeStatuses, breaker: Breaker) -> None:
        """Take what is reported on."""
        self._authcodes = authcodes
        self._statuses = statuses
        self._breaker = breaker

    def collect(self) -> Iterator[Metric]:
        """Look at it now."""
        breaker = GaugeMetricFamily("toefl_shim_breaker_open", "Whether TOEFL Access was last known not to answer.")
        breaker.add_metric([], self._breaker.is_open)
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
            status = self._statuses.of(name)
            refused.add_metric([name], status.is_refused)
            if authcode.age is not None:
                age.add_metric([name], authcode.age)
            if status.last_success is not None:
                success.add_metric([name], status.last_success)
        yield from (breaker, age, success, refused)
