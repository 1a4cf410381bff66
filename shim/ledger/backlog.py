"""Metrics of the journal: how much of it is not in the ledger yet, and how often the writer failed."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from shim.ledger.journal import STATUS_FILE, journal_size


class BacklogCollector(Collector):
    """A Prometheus collector for the folder of the journals."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder; it is read at each scrape."""
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Yield the backlog in bytes, and the writer's failures since the folder was created."""
        read, failures = 0, 0
        with suppress(OSError, ValueError, KeyError):
            status = json.loads((self._folder / STATUS_FILE).read_bytes())
            read, failures = status["read"], status["failures"]
        backlog = max(journal_size(self._folder) - read, 0)
        yield GaugeMetricFamily(
            "toefl_shim_ledger_backlog_bytes", "Bytes of the journal that are not in the ledger yet.", value=backlog
        )
        yield CounterMetricFamily(
            "toefl_shim_ledger_writer_failures", "Failed attempts to write to the ledger.", value=failures
        )
