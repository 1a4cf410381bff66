"""The log as an operator reads it, and the request numbers and traces by which a call is found."""

import base64
import contextlib
import json
import os
import pty
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shim import log
from tests.gateway import PATH, Gateway, running_gateway
from tests.operating.load import typed
from tests.processes import wait_until
from tests.soap_http import SOAP_11, SOAP_12, envelope, post, send
from tests.upstream_server import FakeUpstream, ok, response, scores

_IN_BAND = (
    f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body><getScorelinkDataByReportDate><reportstartdate>04/21/2025'
    "</reportstartdate><reportenddate>nonsense</reportenddate></getScorelinkDataByReportDate></s:Body></s:Envelope>"
).encode()
_MADE = re.compile(r"[0-9a-f]{16}")
_FIELDS = log.FIELDS - {"dropped"}


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeUpstream]:
    failure = response("500 Internal Server Error", b"no", then="keep")
    with FakeUpstream(ok(scores(1), then="keep"), types={"fails": failure}) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(upstream: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = {"upstream": {"attempts": 1, "breaker_failures": 1000}}
    with running_gateway(upstream.url, tmp_path_factory.mktemp("logs") / "gateway", settings) as running:
        yield running


@pytest.mark.parametrize(
    ("body", "version", "outcome"),
    [
        (envelope(), SOAP_11, "ok"),
        (envelope(SOAP_12), SOAP_12, "ok"),
        (b"<a><b></a>", SOAP_11, "not-xml"),
        (envelope(end="2025-02-30T00:00:00"), SOAP_12, "bad-date"),
        (typed("fails"), SOAP_11, "upstream-failed"),
        (_IN_BAND, SOAP_11, "bad-date"),
        (envelope(more="<Unknown>x</Unknown>" * 9000), SOAP_11, "too-large"),
    ],
    ids=["scores", "SOAP 1.2", "XML", "date", "upstream", "in band", "size"],
)
def test_a_call_is_one_line_of_json_with_known_fields(
    body: bytes, version: str, outcome: str, gateway: Gateway
) -> None:
    number = post(gateway.url, body, version).headers["x-request-id"]
    line = gateway.call(number)
    assert line["outcome"] == outcome
    assert gateway.log_text.count(number) == 1
    assert line.keys() <= _FIELDS
    assert {"timestamp", "level", "seconds", "address"} <= line.keys()


def test_every_line_is_json_with_known_fields(gateway: Gateway) -> None:
    post(gateway.url, envelope())
    assert {key for line in gateway.lines for key in line} <= _FIELDS
    assert {line["event"] for line in gateway.lines} <= {"call", "server", "authcode"}


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12], ids=["1.1", "1.2"])
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("12345678", True),
        ("0AF7651916CD43DD8448EB211C80319C", True),
        ("6f1c2f52-4c0e-4d43-9a3b-0f9c4c1f7a10", True),
        ("a" * 64, True),
        ("1234567", False),
        ("a" * 65, False),
        ("jane.doe@example.org", False),
        ("12345678 12345678", False),
        ("12345678<b>", False),
        ("\uff11" * 8, False),
        ("", False),
    ],
)
def test_a_valid_request_number_is_kept_everywhere(sent: str, kept: bool, version: str, gateway: Gateway) -> None:
    for body, slug in (
        (b"<a><b></a>", "not-xml"),
        (envelope(version), ""),
        (typed("fails", envelope(version)), "upstream-failed"),
    ):
        answer = post(gateway.url, body, version, {"X-Request-ID": sent.encode().decode("latin-1")})
        number = answer.headers["x-request-id"]
        assert number == sent if kept else _MADE.fullmatch(number)
        assert answer.fault.endswith(f"({slug}; request {number})") if slug else answer.result
        wait_until(lambda number=number: number in gateway.log_text, "line")  # type: ignore[misc]


def test_a_request_number_is_in_the_sentence_of_an_in_band_error(gateway: Gateway) -> None:
    answer = post(gateway.url, _IN_BAND, headers={"X-Request-ID": "0123456789abcdef-77"})
    assert b"(bad-date; request 0123456789abcdef-77)" in (answer.result or b"")
    assert answer.headers["x-request-id"] == gateway.call("0123456789abcdef-77")["request"]


def test_two_request_numbers_are_replaced_by_a_new_one(gateway: Gateway) -> None:
    request = f"GET {PATH}?wsdl HTTP/1.1\r\nHost: a\r\nX-Request-ID: 12345678\r\nX-Request-ID: 87654321\r\n\r\n"
    answer = send(gateway.url, request.encode())
    assert (answer.status, bool(_MADE.fullmatch(answer.headers["x-request-id"]))) == (200, True)


@pytest.mark.parametrize(
    ("request_bytes", "slug"),
    [(b"nonsense\r\n\r\n", "bad-http"), (b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", "not-found")],
)
def test_a_request_that_is_not_a_call_has_a_number(request_bytes: bytes, slug: str, gateway: Gateway) -> None:
    answer = send(gateway.url, request_bytes)
    number = answer.headers["x-request-id"]
    assert answer.fault.endswith(f"({slug}; request {number})")
    assert gateway.call(number)["outcome"] == slug


_TRACE, _SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    "trace",
    [f"00-{_TRACE}-{_SPAN}-01", f"00-{_TRACE}-{_SPAN}-00", f"cc-{_TRACE}-{_SPAN}-ff"],
)
def test_a_valid_traceparent_reaches_the_upstream_unchanged(
    trace: str, upstream: FakeUpstream, gateway: Gateway
) -> None:
    answer = post(gateway.url, envelope(), headers={"traceparent": trace})
    assert re.findall(rb"(?im)^traceparent: *(.*?)\r?$", upstream.requests[-1]) == [trace.encode()]
    assert gateway.call(answer.headers["x-request-id"])["trace"] == trace


@pytest.mark.parametrize(
    "trace",
    [
        f"00-{_TRACE}-{_SPAN}",
        f"00-{_TRACE.upper()}-{_SPAN}-01",
        f"00-{'0' * 32}-{_SPAN}-01",
        f"00-{_TRACE}-{'0' * 16}-01",
        f"ff-{_TRACE}-{_SPAN}-01",
        f"00-{_TRACE}-{_SPAN}-01-more",
        f"00-{_TRACE}-{_SPAN}-01, 00-{_TRACE}-{_SPAN}-01",
        "jane.doe@example.org",
        "",
    ],
)
def test_an_invalid_traceparent_is_dropped(trace: str, upstream: FakeUpstream, gateway: Gateway) -> None:
    answer = post(gateway.url, envelope(), headers={"traceparent": trace, "tracestate": "vendor=secret"})
    assert b"trace" not in upstream.requests[-1].lower()
    assert "trace" not in gateway.call(answer.headers["x-request-id"])


def test_a_terminal_gets_lines_for_people(upstream: FakeUpstream, tmp_path: Path) -> None:
    terminal, gateways_end = pty.openpty()
    with running_gateway(upstream.url, tmp_path, output=gateways_end) as gateway:
        os.close(gateways_end)
        post(gateway.url, b"<a><b></a>", headers={"X-Request-ID": "12345678"})
    text = b""
    with contextlib.suppress(OSError):  # a terminal without a writer raises when it is read
        while part := os.read(terminal, 65536):
            text += part
    os.close(terminal)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text.decode())
    (line,) = [line for line in plain.splitlines() if "12345678" in line]
    assert re.search(r"\[info +\] call ", line)
    assert "outcome=not-xml" in line
    with pytest.raises(json.JSONDecodeError):
        json.loads(line)
    assert base64.b64encode(b"<a><b></a>").decode() not in plain
