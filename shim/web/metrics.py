"""The metrics of all calls, for Prometheus, correct across the workers.

What this module uses of prometheus_client without a promise: ``values.ValueClass``, and the two errors raised by a file
that a worker is just making. ``tests/web/test_metrics.py`` holds it to both.
"""

import os
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from shim.access.concurrency import ConcurrencyLimit
from shim.spool import SpoolQuota
from shim.upstream.authcode_status import AuthcodeStatuses
from shim.upstream.breaker import Breaker
from shim.upstream.stored_authcode import StoredAuthcode

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50)
_ATTEMPTS: Final = 10


class Metrics:
    """Counters and gauges that every worker adds to, in files of a shared folder."""

    def __init__(self, folder: Path) -> None:
        """Count in a folder, one for a process: the library knows the folder by the environment."""
        folder.mkdir(exist_ok=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = self._folder = str(folder)
        values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        own: dict[str, Any] = {"namespace": "toefl_shim", "registry": None}
        labels = ("operation", "caller", "outcome")
        self._calls = Counter("calls", "Calls answered.", labels, **own)
        self._upstream = Histogram("upstream_seconds", "Time that TOEFL Access took.", buckets=_SECONDS, **own)
        self._added = Histogram(
            "added_seconds", "Time of a call without that of TOEFL Access.", buckets=_SECONDS, **own
        )
        self._bytes = Counter("bytes", "Score data answered with.", **own)
        self._records = Counter("records", "Score records answered with.", **own)
        self._spared = Counter("dry_run_hits", "Calls that a brownout would have hit.", ("caller",), **own)
        self._retries = Counter("retries", "Attempts at a call of TOEFL Access after the first.", **own)
        self._shadow = Counter("shadow", "Sampled calls by what their comparison came to.", ("outcome",), **own)
        self._lost = Counter("ledger_lost_calls", "Calls that the ledger has lost.", **own)
        self._unobserved = Counter("observer_failures", "Calls at which an observer failed.", **own)
        self._migrated = Counter("migrated_calls", "Calls of callers that are marked as migrated.", ("caller",), **own)
        self._spool = Gauge("spool_bytes", "Score data held.", multiprocess_mode="livesum", **own)
        self._sunset = Gauge("sunset_timestamp_seconds", "When the gateway ends, or 0.", multiprocess_mode="max", **own)
        self._in_flight = Gauge("calls_in_flight", "Calls being answered.", multiprocess_mode="livesum", **own)

    def count(self, call: Mapping[str, Any]) -> None:
        """Count a call that has ended, by the fields of its record."""
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

    def set_sunset(self, sunset: datetime | None) -> None:
        """Set when the gateway ends; None for never."""
        self._sunset.set(0 if sunset is None else sunset.timestamp())

    def retried(self) -> None:
        """Count another attempt at a call of TOEFL Access."""
        self._retries.inc()

    def compared(self, outcome: str) -> None:
        """Count a comparison with the old service."""
        self._shadow.labels(outcome).inc()

    def unobserved(self) -> None:
        """Count a call at which an observer failed."""
        self._unobserved.inc()

    def lost(self) -> None:
        """Count a call that the journal lost."""
        self._lost.inc()

    def migrated(self, caller: str) -> None:
        """Count a call of a caller that is marked as migrated."""
        self._migrated.labels(caller).inc()

    def forget(self, pid: int) -> None:
        """Remove the gauges of a worker that has ended."""
        mark_process_dead(pid, self._folder)  # type: ignore[no-untyped-call]

    def text(self, others: Sequence[Collector]) -> bytes:
        """Return all metrics in Prometheus' text format, with those of other collectors."""
        for _ in range(_ATTEMPTS - 1):
            # The files are read without a lock: one that a worker is just making has nothing in it yet.
            with suppress(struct.error, RuntimeError):
                return self._text(others)
            time.sleep(0.01)
        return self._text(others)

    def _text(self, others: Sequence[Collector]) -> bytes:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, self._folder)  # type: ignore[no-untyped-call]
        for collector in others:
            registry.register(collector)
        return generate_latest(registry)


class UpstreamCollector(Collector):
    """The state of the authcodes and of the upstream."""

    def __init__(self, authcodes: Mapping[str, StoredAuthcode], statuses: AuthcodeStatuses, breaker: Breaker) -> None:
        """Report on these."""
        self._authcodes = authcodes
        self._statuses = statuses
        self._breaker = breaker

    def collect(self) -> Iterator[Metric]:
        """Return the state of now."""
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
