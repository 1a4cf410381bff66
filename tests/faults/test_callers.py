"""Callers that are slow, that leave, or that speak broken HTTP."""

import http.client
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from shim.sandbox import Options, Sandbox
from tests.faults.callers_wire import Wire, call, chunks, head, talk
from tests.faults.callers_worker import MIB, worker_of
from tests.faults.table import AddRow
from tests.gateway import Gateway, running_gateway
from tests.processes import wait_until
from tests.soap_http import SOAP_11, SOAP_12, Answer, envelope, post
from tests.upstream_server import FakeUpstream, gated, ok, scores

_PATH: Final = b"/TOEFLWebService/TOEFLEdm.asmx"
_LINE: Final = b"POST " + _PATH + b" HTTP/1.1"
_BODY: Final = envelope()
_LENGTH: Final = b"Content-Length: %d" % len(_BODY)
_CHUNKED: Final = b"Transfer-Encoding: chunked"
_PATIENCE: Final = 1.5
"""Seconds of ``gateway.request_timeout``."""
_LARGEST: Final = 64 * 1024
_LARGE: Final = Options(records=10_500)
"""Some 16 MB."""

both_versions = pytest.mark.parametrize("version", [pytest.param(SOAP_11, id="1.1"), pytest.param(SOAP_12, id="1.2")])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = {"gateway": {"request_timeout": _PATIENCE}}
    with running_gateway(sandbox.url, tmp_path_factory.mktemp("callers"), settings) as running:
        worker = worker_of(running)
        yield running
        assert worker_of(running) == worker
        assert worker.lives


@pytest.fixture(scope="module")
def patient(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that does not end a request because it is slow."""
    with running_gateway(sandbox.url, tmp_path_factory.mktemp("patient")) as running:
        yield running


def _has_scores(answer: Answer) -> bool:
    return answer.status == http.HTTPStatus.OK and bool(answer.result)


def _is_well(gateway: Gateway) -> bool:
    return _has_scores(post(gateway.url, _BODY))


# Framing: the gateway and every proxy before it must agree on where a request ends.


def _post(*headers: bytes, body: bytes = _BODY) -> bytes:
    return head(*headers) + body


def _chunk(first: bytes) -> bytes:
    """Return a chunked call whose first chunk size is written in this way."""
    return _post(_CHUNKED, body=first + b"\r\n" + _BODY + b"\r\n0\r\n\r\n")


_SIZE: Final = b"%x" % len(_BODY)
_CONFLICTS: Final = {
    "a length and chunks": _post(_LENGTH, _CHUNKED),
    "chunks and a length": _post(_CHUNKED, _LENGTH, body=chunks(_BODY)),
    "two lengths": _post(_LENGTH, b"Content-Length: 0"),
    "two lengths alike": _post(_LENGTH, _LENGTH),
    "a list of lengths": _post(_LENGTH + b", 5"),
    "a length below zero": _post(b"Content-Length: -1"),
    "a length with a plus": _post(b"Content-Length: +%d" % len(_BODY)),
    "a length of thousands of digits": _post(b"Content-Length: " + b"9" * 5000),
    "a length of more than 64 bits": _post(b"Content-Length: 18446744073709551617"),
    "a length in hex": _post(b"Content-Length: 0x10"),
    "a length with an underscore": _post(b"Content-Length: 1_0"),
    "a length with a point": _post(b"Content-Length: 10.0"),
    "a length with a space": _post(b"Content-Length: 1 0"),
    "a length in superscript": _post(b"Content-Length: \xb2"),
    "an empty length": _post(b"Content-Length:"),
    "xchunked": _post(_LENGTH, b"Transfer-Encoding: xchunked"),
    "chunked in quotes": _post(_LENGTH, b'Transfer-Encoding: "chunked"'),
    "chunked with a parameter": _post(b"Transfer-Encoding: chunked;q=1", body=chunks(_BODY)),
    "chunked after a vertical tab": _post(_LENGTH, b"Transfer-Encoding: \x0bchunked"),
    "chunked twice": _post(_CHUNKED, _CHUNKED, body=chunks(_BODY)),
    "chunked, then identity": _post(b"Transfer-Encoding: chunked, identity", body=chunks(_BODY)),
    "identity": _post(_LENGTH, b"Transfer-Encoding: identity"),
    "an empty coding": _post(_LENGTH, b"Transfer-Encoding:"),
    "an empty coding in a list": _post(b"Transfer-Encoding: ,chunked", body=chunks(_BODY)),
    "a space before chunks' header": _post(_LENGTH, b" Transfer-Encoding: chunked"),
    "a space before the colon": _post(_LENGTH, b"Transfer-Encoding : chunked"),
    "a space before the length's colon": _post(b"Content-Length : 5"),
    "a folded line": _post(_LENGTH, b"Transfer-Encoding:\r\n chunked"),
    "another folded line": _post(b"X-Other: a\r\n b", _LENGTH),
    "a bare LF": _post(b"X-Other: a\nTransfer-Encoding: chunked", _LENGTH),
    "bare LFs alone": head(_LENGTH).replace(b"\r\n", b"\n") + _BODY,
    "a bare CR": _post(b"X-Other: a\rTransfer-Encoding: chunked", _LENGTH),
    "a NUL": _post(b"X-Other: a\0b", _LENGTH),
    "chunks in HTTP/1.0": head(_CHUNKED, line=_LINE[:-1] + b"0") + chunks(_BODY),
    "two hosts": _post(b"Host: other", _LENGTH),
    "a chunk of 0x": _chunk(b"0x" + _SIZE),
    "a chunk with an underscore": _chunk(_SIZE + b"_"),
    "a chunk with a plus": _chunk(b"+" + _SIZE),
    "a chunk below zero": _chunk(b"-" + _SIZE),
    "a chunk after a space": _chunk(b" " + _SIZE),
    "a chunk of no size": _chunk(b""),
    "a chunk of more than 64 bits": _chunk(b"1" + b"0" * 16 + _SIZE),
    "a chunk of all that 64 bits hold": _chunk(b"f" * 16),
    "a chunk's size in thousands of digits": _chunk(b"1" * 9000),
    "a chunk that is longer than its size": _chunk(b"5"),
    "a chunk without its end": _post(_CHUNKED, body=_SIZE + b"\r\n" + _BODY + b"0\r\n\r\n"),
    "chunks with bare LFs": _post(_CHUNKED, body=chunks(_BODY).replace(b"\r\n", b"\n")),
    "an extension with a bare LF": _chunk(_SIZE + b";a\nb"),
    "an extension with a bare CR": _chunk(_SIZE + b";a\rb"),
    "a trailer that frames": _post(_CHUNKED, body=chunks(_BODY)[:-2] + b"Content-Length: 5\r\n\r\n"),
    "a trailer without an end": _post(_CHUNKED, body=chunks(_BODY)[:-2] + b"X-Other: " + b"y" * 900_000 + b"\r\n\r\n"),
}


@pytest.mark.parametrize("name", _CONFLICTS)
def test_ambiguous_framing_ends_the_connection(name: str, gateway: Gateway, row: AddRow) -> None:
    row("Callers", "request smuggling", "", "one fault, connection closed", 0, named=name)
    heard = talk(gateway, _CONFLICTS[name] + call())
    (answer,) = heard.answers
    assert (answer.slug in ("bad-http", "cut-request", "too-large"), answer.version) == (True, SOAP_11)
    assert heard.closed
    assert not heard.rest
    assert answer.headers["connection"] == "close"


_CLEAR: Final = {
    "a length": call(),
    "an empty line before": b"\r\n" + call(),
    "empty lines before": b"\r\n" * 20 + call(),
    "two media types": _post(b"Content-Type: text/plain", _LENGTH),
    "an empty Expect": _post(b"Expect:", _LENGTH),
    "a length with zeros": _post(b"Content-Length: 000%d" % len(_BODY)),
    "chunks": _post(_CHUNKED, body=chunks(_BODY)),
    "chunked in capitals": _post(b"Transfer-Encoding:\t CHUNKED ", body=chunks(_BODY)),
    "chunks of a byte": _post(_CHUNKED, body=chunks(_BODY, 1)),
    "chunks with extensions": _post(_CHUNKED, body=chunks(_BODY, 100, b';a="b;c"')),
    "a trailer": _post(_CHUNKED, body=chunks(_BODY)[:-2] + b"X-Trailer: a\r\n\r\n"),
    "an underscore in chunks' header": _post(_LENGTH, b"Transfer_Encoding: chunked"),
    "an underscore in the length's": _post(_LENGTH, b"Content_Length: 5"),
}


@pytest.mark.parametrize("name", _CLEAR)
def test_unusual_but_clear_framing_is_answered(name: str, gateway: Gateway, row: AddRow) -> None:
    row("Callers", "unusual but clear framing", "", "the whole answer, connection kept", 1, named=name)
    heard = talk(gateway, _CLEAR[name] + call(), answers=2)
    assert [_has_scores(answer) for answer in heard.answers] == [True, True]
    assert not heard.closed
    assert not heard.rest


@pytest.mark.parametrize("count", [2, 10])
def test_pipelined_calls_are_answered_in_order(count: int, gateway: Gateway, row: AddRow) -> None:
    row("Callers", "calls in one packet", "2, 10", "the whole answers, in their order", "one each")
    numbers = [f"{number:016x}" for number in range(count)]
    # Every other call is refused, so that the answers differ in kind and in length.
    bodies = [_BODY if at % 2 else envelope(start="never") for at in range(count)]
    heard = talk(
        gateway,
        b"".join(call(body, f"X-Request-ID: {name}".encode()) for body, name in zip(bodies, numbers, strict=True)),
        answers=count,
    )
    assert [answer.headers["x-request-id"] for answer in heard.answers] == numbers
    assert [_has_scores(answer) for answer in heard.answers] == [at % 2 == 1 for at in range(count)]


# Methods, versions, headers


def _other(line: bytes, *headers: bytes) -> bytes:
    return head(_LENGTH, *headers, line=line) + _BODY


_OTHERS: Final = {
    "HTTP/0.9": (b"GET " + _PATH + b"\r\n", "bad-http"),
    "HTTP/0.9 with a header": (head(line=b"GET " + _PATH), "bad-http"),
    "HTTP/9.9": (_other(b"POST " + _PATH + b" HTTP/9.9"), "bad-http"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "bad-http"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500) + b"\r\n", "bad-http"),
    "POST *": (_other(b"POST * HTTP/1.1"), "bad-http"),
    "POST host:port": (_other(b"POST gateway:80 HTTP/1.1"), "bad-http"),
    "a method in small letters": (_other(_LINE.replace(b"POST", b"post")), "bad-http"),
    "a space in the path": (_other(b"POST " + _PATH + b" x HTTP/1.1"), "bad-http"),
    "a long line": (_other(b"POST /" + b"a" * 100_000 + b" HTTP/1.1"), "bad-http"),
    "a long header": (_other(_LINE, b"X-Long: " + b"a" * 100_000), "bad-http"),
    "1,000 headers": (_other(_LINE, *(b"X-%d: a" % number for number in range(1000))), "bad-http"),
    "headers of megabytes": (_other(_LINE, *(b"X-%d: %s" % (n, b"a" * 8000) for n in range(300))), "bad-http"),
    "Expect of something else": (_other(_LINE, b"Expect: 200-ok"), "bad-http"),
    "CONNECT": (head(line=b"CONNECT gateway:80 HTTP/1.1"), "not-found"),
    "CONNECT with the path": (_other(b"CONNECT " + _PATH + b" HTTP/1.1"), "method"),
}


@pytest.mark.parametrize("name", _OTHERS)
def test_a_request_that_is_not_a_call_ends_the_connection(name: str, gateway: Gateway, row: AddRow) -> None:
    sent, slug = _OTHERS[name]
    row("Callers", name, "", f"fault `{slug}`, connection closed", 0)
    heard = talk(gateway, sent)
    assert [answer.slug for answer in heard.answers] == [slug]
    assert heard.closed


@pytest.mark.parametrize(
    ("line", "slug"),
    [
        (b"OPTIONS * HTTP/1.1", "not-found"),
        (b"OPTIONS " + _PATH + b" HTTP/1.1", "method"),
        (b"TRACE " + _PATH + b" HTTP/1.1", "method"),
        (b"PUT " + _PATH + b" HTTP/1.1", "method"),
        (b"DELETE " + _PATH + b" HTTP/1.1", "method"),
        (b"PROPFIND " + _PATH + b" HTTP/1.1", "method"),
        (b"POST /elsewhere HTTP/1.1", "not-found"),
        (b"POST " + _PATH + b"/../../secret HTTP/1.1", "not-found"),
        (b"POST " + _PATH + b"/ HTTP/1.1", "not-found"),
    ],
    ids=repr,
)
def test_other_methods_and_addresses(line: bytes, slug: str, gateway: Gateway, row: AddRow) -> None:
    told = f"fault `{slug}`, nothing of the request in it"
    row("Callers", "other methods and addresses", "", told, 0, named=line.decode().removesuffix(" HTTP/1.1"))
    secret = b"X-Secret: what-nothing-may-echo"
    heard = talk(gateway, head(secret, line=line) + call(), answers=2)
    refused, after = heard.answers
    assert refused.slug == slug
    assert b"what-nothing-may-echo" not in refused.body
    assert _has_scores(after)


@pytest.mark.parametrize("path", [b"//" + _PATH, b"/./." + _PATH, b"/a/.." + _PATH, b"/%2E%2e/%2F" + _PATH], ids=repr)
def test_an_address_is_found_as_by_iis(path: bytes, gateway: Gateway, row: AddRow) -> None:
    row("Callers", "empty and dotted segments in the address", "", "the whole answer", 1, named=path.decode())
    heard = talk(gateway, _other(b"POST " + path + b" HTTP/1.1"), answers=1)
    assert _has_scores(heard.answers[0])


@pytest.mark.parametrize("line", [b"POST http://other.example" + _PATH + b" HTTP/1.1", _LINE[:-1] + b"0"], ids=repr)
def test_absolute_addresses_and_old_http(line: bytes, gateway: Gateway, row: AddRow) -> None:
    row("Callers", "absolute address, HTTP/1.0", "", "the whole answer", 1)
    heard = talk(gateway, _other(line), answers=1)
    assert _has_scores(heard.answers[0])


# Expect


def test_a_body_that_waits_for_permission(gateway: Gateway, row: AddRow) -> None:
    row("Callers", "`Expect: 100-continue`, body after it", "", "the whole answer", 1)
    with Wire(gateway) as wire:
        wire.send(head(_LENGTH, b"Expect: 100-continue"))
        assert wire.receive(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.send(_BODY)
        heard = wire.hear(answers=1)
    assert _has_scores(heard.answers[0])


def test_a_body_that_does_not_wait(gateway: Gateway, row: AddRow) -> None:
    row("Callers", "`Expect: 100-continue`, body with it", "", "the whole answer", 1)
    heard = talk(gateway, call(_BODY, b"Expect: 100-continue"), answers=1)
    assert (heard.interim, _has_scores(heard.answers[0])) == (1, True)


def test_a_body_that_never_comes(gateway: Gateway, row: AddRow) -> None:
    row("Callers", "`Expect: 100-continue`, no body", "", "fault `cut-request`, connection closed", 0)
    heard = talk(gateway, head(_LENGTH, b"Expect: 100-continue"))
    assert ([answer.slug for answer in heard.answers], heard.closed) == (["cut-request"], True)


# Bodies


@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize(
    ("size", "slug"), [(0, "not-xml"), (1, "not-xml"), (_LARGEST, ""), (_LARGEST + 1, "too-large")], ids=repr
)
def test_sizes_of_bodies(size: int, slug: str, framing: str, gateway: Gateway, row: AddRow) -> None:
    row("Callers", "body", f"{size:,} bytes", f"fault `{slug}`" if slug else "the whole answer", 0 if slug else 1)
    body = _BODY.ljust(size)[:size] if size > 1 else b"<"[:size]
    heard = talk(gateway, call(body) if framing == "length" else _post(_CHUNKED, body=chunks(body)), answers=1)
    assert heard.answers[0].slug == slug if slug else _has_scores(heard.answers[0])


@dataclass(frozen=True)
class Endless:
    """A request whose body never ends.

    Attributes:
        head: The beginning of the request.
        part: The bytes that are then sent again and again.
        slugs: The faults that it may get.
    """

    head: bytes
    part: bytes
    slugs: str


_ENDLESS: Final = {
    "one length": Endless(head(b"Content-Length: 99999999999"), bytes(_LARGEST), "too-large"),
    "chunks": Endless(head(_CHUNKED), b"10000\r\n" + bytes(_LARGEST) + b"\r\n", "too-large"),
    "one chunk": Endless(head(_CHUNKED) + b"ffffffffffff\r\n", bytes(_LARGEST), "too-large"),
    "chunks of a byte": Endless(head(_CHUNKED), b"1\r\nx\r\n" * 10_000, "cut-request too-large"),
    "chunks of another type": Endless(head(_CHUNKED, media=b"text/plain"), b"1\r\nx\r\n" * 10_000, "content-type"),
    "another type": Endless(head(b"Content-Length: 99999999999", media=b"text/plain"), bytes(_LARGEST), "content-type"),
    "PUT": Endless(head(b"Content-Length: 99999999999", line=b"PUT / HTTP/1.1"), bytes(_LARGEST), "not-found"),
    "extensions": Endless(head(_CHUNKED), (b"1;" + b"a" * 8000 + b"\r\nx\r\n") * 8, "cut-request too-large"),
}


@pytest.mark.parametrize("name", _ENDLESS)
def test_a_body_that_never_ends_harms_no_other_call(name: str, patient: Gateway, row: AddRow) -> None:
    endless = _ENDLESS[name]
    told = endless.slugs.replace(" ", "` or `")
    row("Callers", f"never-ending body: {name}", "", f"fault `{told}`, connection closed; others go on", 0)
    worker = worker_of(patient)
    worker.forget_peak()
    peak, stop = worker.peak, threading.Event()
    with Wire(patient) as wire, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(_send_until_refused, wire, endless, stop)
        try:
            assert _is_well(patient)
            wait_until(sending.done, "end of the gateway's reading")
        finally:
            stop.set()
        heard = wire.hear()
    (answer,) = heard.answers
    assert answer.slug in endless.slugs.split()
    assert heard.closed
    assert worker.peak - peak <= 10 * MIB


def _send_until_refused(wire: Wire, endless: Endless, stop: threading.Event) -> None:
    wire.send(endless.head)
    while not stop.is_set() and wire.send(endless.part):
        pass


_SLOW: Final = {
    "of a length": (head(_LENGTH), b" "),
    "in chunks": (head(_CHUNKED), b"1\r\n \r\n"),
    "in one chunk": (head(_CHUNKED) + _SIZE + b"\r\n", b" "),
    "in extensions": (head(_CHUNKED) + b"1;", b"a"),
}


@pytest.mark.parametrize("name", _SLOW)
def test_a_slow_body(name: str, gateway: Gateway, row: AddRow) -> None:
    row("Callers", "slow body, a byte now and then", "", "fault `cut-request`, connection closed", 0)
    start, byte = _SLOW[name]
    with Wire(gateway) as wire:
        wire.send(start)
        heard = None
        while heard is None or not (heard.answers or heard.closed or heard.seconds > 10 * _PATIENCE):
            wire.send(byte)
            heard = wire.hear(answers=1, patience=0.2)
        assert [answer.slug for answer in heard.answers] == ["cut-request"]
        assert heard.seconds >= _PATIENCE
        # The bytes that follow belong to the body, even if they look like a call.
        wire.send(call())
        after = wire.hear()
    assert (after.answers, after.closed) == ([], True)


def test_a_body_that_is_cut(gateway: Gateway, row: AddRow) -> None:
    row("Callers", "stops in the middle of its body", "", "fault `cut-request`, connection closed", 0)
    with Wire(gateway) as wire:
        wire.send(head(_LENGTH), _BODY[:-1])
        wire.hang_up()
        heard = wire.hear()
    assert ([answer.slug for answer in heard.answers], heard.closed) == (["cut-request"], True)


# Overload


@both_versions
def test_calls_beyond_the_limit_are_refused(version: str, tmp_path: Path, row: AddRow) -> None:
    row("Callers", "more calls than `gateway.max_calls`", "", "fault `busy` at once; running calls end", "one a place")
    gate, settings = threading.Event(), {"gateway": {"max_calls": 3}}
    with (
        FakeUpstream(gated(ok(scores(1), then="keep"), gate)) as upstream,
        running_gateway(upstream.url, tmp_path, settings) as gateway,
        ThreadPoolExecutor(3) as pool,
    ):
        running = [pool.submit(post, gateway.url, envelope(version), version) for _ in range(3)]
        wait_until(lambda: gateway.metric("calls_in_flight") == 3, "three calls")
        for _ in range(10):
            answer = post(gateway.url, envelope(version), version)
            assert (answer.slug, answer.status, answer.version) == ("busy", 500, version)
            assert int(answer.headers["retry-after"]) > 0
        assert not any(one.done() for one in running)
        gate.set()
        assert all(_has_scores(one.result()) for one in running)
        assert _has_scores(post(gateway.url, envelope(version), version))
        wait_until(lambda: gateway.metric("calls_in_flight") == 0, "end of all calls")
        assert len(upstream.requests) == 4


# Leaving


def _leave_at_once(wire: Wire) -> None:
    wire.reset()


def _leave_after_some(wire: Wire) -> None:
    received = 0
    while received < MIB:
        received += len(wire.receive(MIB))
    wire.reset()


def _close_after_some(wire: Wire) -> None:
    wire.receive(100)
    # The kernel resets a connection that is closed before all its data is read.


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Sandbox(_LARGE) as sandbox, running_gateway(sandbox.url, tmp_path_factory.mktemp("large")) as gateway:
        yield gateway


@pytest.mark.parametrize("leave", [_leave_at_once, _leave_after_some, _close_after_some])
def test_a_caller_that_leaves(leave: Callable[[Wire], None], large: Gateway, row: AddRow) -> None:
    row(
        "Callers",
        "leaves in the middle of the answer",
        "16 MB",
        "nothing more; spool and descriptors are given back",
        1,
    )
    worker = worker_of(large)
    body = envelope(start="2025-04-21T00:00:00", end="2025-04-23T00:00:00")
    assert len(post(large.url, body).body) > 16_000_000
    wait_until(lambda: large.metric("spool_bytes") == 0, "empty spool")
    worker.rest()
    files, before = worker.files, len(large.calls)
    for _ in range(3):
        with Wire(large) as wire:
            wire.send(call(body))
            assert wire.receive(1) == b"H"
            leave(wire)
    wait_until(lambda: len(large.calls) == before + 3, "lines in the log")
    assert [line["outcome"] for line in large.calls[before:]] == ["caller-left"] * 3
    wait_until(lambda: large.metric("spool_bytes") == 0, "empty spool")
    wait_until(lambda: worker.files <= files, "end of the descriptors")
    wait_until(lambda: large.metric("calls_in_flight") == 0, "end of all calls")
