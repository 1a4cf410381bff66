"""Broken HTTP, which never reaches the application."""

import socket
import struct
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from shim.sandbox import Sandbox
from tests.gateway import Gateway, running_gateway
from tests.soap_http import SOAP_11, envelope, post, send

_SECRET = "c2VjcmV0LWluLWEtaGVhZGVy"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("server")
    with Sandbox() as sandbox, running_gateway(sandbox.url, folder, planted=[_SECRET, "jane.doe"]) as running:
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
