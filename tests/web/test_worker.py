"""Broken HTTP, which never reaches the application."""

import socket
import struct
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from shim.sandbox import Sandbox
from tests.gateway import Gateway, running_gateway
from tests.soap_http import MEDIA_TYPES, SOAP_11, SOAP_12, envelope, post, send

_SECRET = "c2VjcmV0LWluLWEtaGVhZGVy"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("server")
    with Sandbox() as sandbox, running_gateway(sandbox.url, folder, planted=[_SECRET, "jane.doe"]) as running:
        yield running


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Run a gateway that waits a second for a body."""
    settings = {"gateway": {"request_timeout": 1}}
    with Sandbox() as sandbox, running_gateway(sandbox.url, tmp_path_factory.mktemp("hasty"), settings) as running:
        yield running


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense jane.doe\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nbad header: " + _SECRET.encode() + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n" + _SECRET.encode(),
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * 10_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["words", "version", "header", "two lengths", "two framings", "long header", "long line"],
)
def test_broken_http_is_answered_with_a_fault(request_bytes: bytes, gateway: Gateway) -> None:
    answer = send(gateway.url, request_bytes)
    assert (answer.status, answer.version, answer.slug) == (400, SOAP_11, "bad-http")
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert answer.headers["connection"] == "close"
    assert post(gateway.url, envelope()).status == 200


_HEAD = b"POST /TOEFLWebService/TOEFLEdm.asmx HTTP/1.1\r\nHost: a\r\nContent-Type: "


@pytest.mark.parametrize(
    ("pieces", "version"),
    [
        pytest.param([_HEAD + b"text/xml\r\nno colon\r\n\r\n" + envelope(SOAP_12)], SOAP_12, id="envelope"),
        pytest.param(
            [_HEAD + b"application/soap+xml\r\nno colon\r\n\r\n" + envelope(SOAP_11)], SOAP_11, id="envelope of 1.1"
        ),
        pytest.param([_HEAD + b"application/soap+xml\r\nno colon\r\n\r\n"], SOAP_12, id="media type"),
        pytest.param(
            [_HEAD + b"application/soap+xml\r\n", b"no colon\r\n\r\n"], SOAP_12, id="media type in an earlier packet"
        ),
        pytest.param([_HEAD + b"text/xml\r\n", b"no", b" colon\r\n\r\n" + envelope(SOAP_12)], SOAP_12, id="packets"),
        pytest.param(
            [
                _HEAD + b"application/soap+xml\r\nContent-Length: %d\r\n\r\n" % len(envelope(SOAP_12)),
                envelope(SOAP_12),
                b"nonsense\r\n\r\n",
            ],
            SOAP_11,
            id="another call before",
        ),
    ],
)
def test_broken_http_is_answered_in_the_version_of_the_envelope(
    pieces: list[bytes], version: str, gateway: Gateway
) -> None:
    parts = urlsplit(gateway.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            client.sendall(piece)
            time.sleep(0.1)
        received = b"".join(iter(lambda: client.recv(65536), b""))
    answer = received[received.rindex(b"HTTP/1.1 ") :]
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert version.encode() in answer.partition(b"\r\n\r\n")[2]
    assert MEDIA_TYPES[version].encode() in answer


def _call(*, path: str = "/TOEFLWebService/TOEFLEdm.asmx", headers: str = "", body: bytes | None = None) -> bytes:
    sent = envelope() if body is None else body
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: {len(sent)}\r\n"
    return (head + ("" if "Content-Type" in headers else "Content-Type: text/xml\r\n")).encode() + b"\r\n" + sent


@pytest.mark.parametrize("lines", [1, 2, 100])
def test_blank_lines_before_a_request_are_ignored(lines: int, gateway: Gateway) -> None:
    answer = send(gateway.url, b"\r\n" * lines + _call())
    assert (answer.status, bool(answer.result)) == (200, True)


def test_blank_lines_between_requests_are_ignored_in_any_packets(gateway: Gateway) -> None:
    parts = urlsplit(gateway.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as client:
        for _ in range(2):
            for piece in (b"\r", b"\n\r\n\r", b"\n", _call(headers="Connection: keep-alive\r\n"), b"\r\n"):
                client.sendall(piece)
                time.sleep(0.05)
        client.sendall(b"\r\n" + _call(headers="Connection: close\r\n"))
        received = b"".join(iter(lambda: client.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200 ") == received.count(b"</soap:Envelope>") == 3


@pytest.mark.parametrize("start", [b"\n", b"\r\n\n", b" \r\n", b"\r\r\n"], ids=repr)
def test_other_blank_lines_are_refused(start: bytes, gateway: Gateway) -> None:
    assert send(gateway.url, start + _call()).slug == "bad-http"


def test_blank_lines_without_end_do_not_keep_others_waiting(gateway: Gateway) -> None:
    assert send(gateway.url, b"\r\n" * 100_000 + _call()).slug == "bad-http"


@pytest.mark.parametrize("headers", ["Expect:\r\n", "Expect: \r\n", "Expect:\r\nexpect: 100-Continue\r\n"], ids=repr)
def test_an_empty_expect_is_ignored(headers: str, gateway: Gateway) -> None:
    assert send(gateway.url, _call(headers=headers)).status == 200


@pytest.mark.parametrize("expect", ["200-ok", '"100-continue"', "100-continue, x"])
def test_another_expect_is_refused(expect: str, gateway: Gateway) -> None:
    assert send(gateway.url, _call(headers=f"Expect: {expect}\r\n")).slug == "bad-http"


@pytest.mark.parametrize(("second", "status"), [("text/xml", 200), ("text/html", 200)])
def test_the_first_of_two_content_types_counts(second: str, status: int, gateway: Gateway) -> None:
    headers = f"Content-Type: text/xml; charset=utf-8\r\ncontent-type: {second}\r\n"
    assert send(gateway.url, _call(headers=headers)).status == status
    headers = f"Content-Type: application/json\r\nContent-Type: {second}\r\n"
    assert send(gateway.url, _call(headers=headers)).slug == "content-type"


def test_two_hosts_are_refused(gateway: Gateway) -> None:
    assert send(gateway.url, _call(headers="Host: a\r\n")).slug == "bad-http"


@pytest.mark.parametrize(
    "headers", ["Content-Length: 900\r\n", "Transfer-Encoding: chunked\r\n"], ids=["length", "chunked"]
)
@pytest.mark.parametrize("expect", ["", "Expect: 100-continue\r\n"], ids=["at once", "after 100"])
def test_a_client_that_sends_no_body_to_a_wrong_address_gets_its_answer(
    headers: str, expect: str, gateway: Gateway
) -> None:
    began = time.monotonic()
    answer = send(gateway.url, f"POST /other HTTP/1.1\r\nHost: a\r\n{headers}{expect}\r\n".encode())
    assert (answer.status, answer.slug) == (404, "not-found")
    assert answer.headers["connection"] == "close"
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("path", ["/other", "/TOEFLWebService/TOEFLEdm.asmx"])
@pytest.mark.parametrize("part", [100, 200, 1500], ids=lambda size: f"{size} bytes")
def test_a_body_that_stops_is_answered_in_its_version(path: str, part: int, hasty: Gateway) -> None:
    sent = envelope(SOAP_12, more=" " * 3000)
    answer = send(hasty.url, _call(path=path, body=sent)[: part - len(sent)])
    assert answer.slug == ("not-found" if path == "/other" else "cut-request")
    assert answer.version == SOAP_12


def test_a_wrong_address_does_not_end_the_connection(gateway: Gateway) -> None:
    parts = urlsplit(gateway.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as client:
        client.sendall(_call(path="/other", body=envelope(SOAP_12)) + _call(headers="Connection: close\r\n"))
        received = b"".join(iter(lambda: client.recv(65536), b""))
    assert (received.count(b"HTTP/1.1 404 "), received.count(b"HTTP/1.1 200 ")) == (1, 1)


def test_a_body_that_comes_late_after_100_continue_is_read(gateway: Gateway) -> None:
    parts = urlsplit(gateway.url)
    head, _, body = _call(headers="Expect: 100-continue\r\nConnection: close\r\n").partition(b"\r\n\r\n")
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as client:
        client.sendall(head + b"\r\n\r\n")
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        time.sleep(2.5)
        client.sendall(body)
        assert b"HTTP/1.1 200 " in b"".join(iter(lambda: client.recv(65536), b""))


def test_a_broken_chunk_is_the_callers_fault(gateway: Gateway) -> None:
    request = (
        b"POST /TOEFLWebService/TOEFLEdm.asmx HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
    )
    answer = send(gateway.url, request)
    assert (answer.status, answer.slug) == (500, "cut-request")


def test_what_a_proxy_says_counts_for_nothing_to_gunicorn(gateway: Gateway) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "off", "Script-Name": "/elsewhere"}
    assert post(gateway.url, envelope(), headers=headers).status == 200


def test_a_small_answer_is_one_packet(gateway: Gateway) -> None:
    parts = urlsplit(gateway.url)
    body = envelope(start="2001-01-01T00:00:00", end="2001-01-02T00:00:00")
    head = f"POST {parts.path} HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((parts.hostname, parts.port)) as client:
        client.sendall(head.encode() + body)
        answer = b""
        while not answer.endswith(b"</soap:Envelope>"):
            answer += client.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 ")
        # tcpi_data_segs_in of Linux's struct tcp_info
        (segments,) = struct.unpack_from("I", client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), 152)
    assert segments == 1
