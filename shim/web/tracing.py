"""A span for each call, to an OpenTelemetry collector. Needs the extra ``otel``."""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import gevent
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_LAST_SECONDS: Final = 3
"""Seconds in which an ending worker may send its last spans."""
_ATTRIBUTES: Final = ("request", "operation", "caller", "outcome", "records", "bytes")


class Tracing:
    """Makes spans of calls that have ended, so a running call costs no more."""

    def __init__(self, url: str) -> None:
        """Send spans to a collector that speaks OTLP over HTTP."""
        self._url = url
        self._by_process: dict[int, tuple[TracerProvider, Tracer]] = {}

    def record(self, call: Mapping[str, Any]) -> None:
        """Send two spans of a call, by the fields of its record: the whole call, and its upstream part."""
        end = time.time_ns()
        start = end - int(call["seconds"] * 1e9)
        span = self._tracer.start_span(
            call.get("operation", "call"),
            TraceContextTextMapPropagator().extract({"traceparent": call.get("trace", "")}),
            SpanKind.SERVER,
            {f"toefl_shim.{name}": call[name] for name in _ATTRIBUTES if name in call},
            start_time=start,
        )
        if "upstream" in call:
            child = self._tracer.start_span(
                "TOEFL Access", set_span_in_context(span), SpanKind.CLIENT, start_time=start
            )
            child.end(start + int(call["upstream"] * 1e9))
        span.set_status(StatusCode.OK if call["outcome"] == "ok" else StatusCode.ERROR)
        span.end(end)

    def close(self) -> None:
        """Send the remaining spans; called when the worker ends."""
        provider, _ = self._by_process.get(os.getpid(), (None, None))
        if provider is not None:
            with suppress(gevent.Timeout), gevent.Timeout(_LAST_SECONDS):
                provider.shutdown()

    @property
    def _tracer(self) -> Tracer:
        # The exporter's thread does not survive a fork, so each worker makes its own.
        if os.getpid() not in self._by_process:
            provider = TracerProvider(resource=Resource({"service.name": "toefl-soap-shim"}), shutdown_on_exit=False)
            provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(self._url)))
            self._by_process[os.getpid()] = provider, provider.get_tracer("toefl-soap-shim")
        return self._by_process[os.getpid()][1]
