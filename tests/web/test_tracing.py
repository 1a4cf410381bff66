"""Spans, as a collector gets them."""

import socket
import time
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shim.sandbox import Sandbox
from tests.collector import collecting
from tests.gateway import running_gateway
from tests.processes import free_port
from tests.soap_http import envelope, post

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


def test_a_call_and_its_upstream_part(tmp_path: Path) -> None:
    with collecting() as collector, Sandbox() as sandbox:
        with running_gateway(sandbox.url, tmp_path, {"tracing": {"url": collector.url}}) as gateway:
            post(gateway.url, envelope(), headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
        # A worker that ends sends what it has.
        sent = ExportTraceServiceRequest.FromString(b"".join(collector.bodies))
    spans = {span.name: span for span in sent.resource_spans[0].scope_spans[0].spans}
    whole, part = spans["GetScores"], spans["TOEFL Access"]
    assert (whole.trace_id.hex(), whole.parent_span_id.hex()) == (TRACE, PARENT)
    assert (part.trace_id, part.parent_span_id) == (whole.trace_id, whole.span_id)
    assert whole.start_time_unix_nano == part.start_time_unix_nano
    assert part.end_time_unix_nano <= whole.end_time_unix_nano
    names = {attribute.key.removeprefix("toefl_shim.") for attribute in whole.attributes}
    assert names == {"request", "operation", "caller", "outcome", "records", "bytes"}
    (line,) = gateway.calls
    assert line["trace"] == f"00-{TRACE}-{PARENT}-01"


def test_a_collector_that_does_not_answer_holds_up_no_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, Sandbox() as sandbox:
        settings = {"tracing": {"url": f"http://127.0.0.1:{silent.getsockname()[1]}/"}}
        with running_gateway(sandbox.url, tmp_path, settings) as gateway:
            post(gateway.url, envelope())
            began = time.monotonic()
        assert time.monotonic() - began < 15


def test_a_collector_that_is_down_is_told_as_a_line_of_json(tmp_path: Path) -> None:
    settings = {"tracing": {"url": f"http://127.0.0.1:{free_port()}/"}}
    with Sandbox() as sandbox, running_gateway(sandbox.url, tmp_path, settings) as gateway:
        assert post(gateway.url, envelope()).result
    told = [line["note"].partition(":")[0] for line in gateway.lines if line["event"] == "library"]
    assert set(told) == {"opentelemetry.exporter.otlp.proto.http.trace_exporter"}
