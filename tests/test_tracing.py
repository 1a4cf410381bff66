"""Spans, as a collector gets them."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shim.sandbox import Sandbox
from tests.gateway import running_gateway
from tests.soap_http import envelope, post

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


@pytest.fixture
def collector() -> Iterator[tuple[str, "Queue[ExportTraceServiceRequest]"]]:
    received: Queue[ExportTraceServiceRequest] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", received
        server.shutdown()
        thread.join()


def test_a_call_and_its_upstream_part(
    tmp_path: Path, collector: tuple[str, "Queue[ExportTraceServiceRequest]"]
) -> None:
    url, received = collector
    settings = {"TRACING__URL": url}
    with Sandbox() as sandbox, running_gateway(sandbox.url, tmp_path / "gateway.log", settings=settings) as gateway:
        post(gateway.url, envelope(), headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
        sent = received.get(timeout=20)
    spans = {span.name: span for span in sent.resource_spans[0].scope_spans[0].spans}
    whole, part = spans["GetScores"], spans["TOEFL Access"]
    assert (whole.trace_id.hex(), whole.parent_span_id.hex()) == (TRACE, PARENT)
    assert (part.trace_id, part.parent_span_id) == (whole.trace_id, whole.span_id)
    assert whole.start_time_unix_nano == part.start_time_unix_nano
    assert part.end_time_unix_nano <= whole.end_time_unix_nano
    names = {attribute.key.removeprefix("toefl_shim.") for attribute in whole.attributes}
    assert names == {"request", "operation", "caller", "outcome", "records", "bytes"}
    (line,) = [
        json.loads(line) for line in (tmp_path / "gateway.log").read_text().splitlines() if '"event": "call"' in line
    ]
    assert line["trace"] == f"00-{TRACE}-{PARENT}-01"
