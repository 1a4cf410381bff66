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

_LAST_MOMENT: Final = 3
"""Seconds that a worker takes to send its last spans."""
_ATTRIBUTES: Final = ("request", "operation", "caller", "outcome", "records", "bytes")


class Tracing:
    """Makes spans of calls that have ended, and so costs a running call nothing."""

    def __init__(self, url: str) -> None:
        """Take the address of a collector that speaks OTLP over HTTP."""
        self._url = url
        self._of_process: dict[int, tuple[TracerProvider, Tracer]] = {}

    def record(self, call: Mapping[str, Any]) -> None:
        """Send the spans of a call, by the fields of its line in the log: of all of it, and of its upstream part."""
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
        """Send what was not sent yet: the worker ends."""
        provider, _ = self._of_process.get(os.getpid(), (None, None))
        if provider is not None:
            with suppress(gevent.Timeout), gevent.Timeout(_LAST_MOMENT):
                provider.shutdown()

    @property
    def _tracer(self) -> Tracer:
        # Its thread does not live through a fork, so each worker has one of its own.
        if os.getpid() not in self._of_process:
            provider = TracerProvider(resource=Resource({"service.name": "toefl-soap-shim"}), shutdown_on_exit=False)
            provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(self._url)))
            self._of_process[os.getpid()] = provider, provider.get_tracer("toefl-soap-shim")
        return self._of_process[os.getpid()][1]
