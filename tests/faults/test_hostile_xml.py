"""Hostile XML, sent to a gateway: it answers with a fault in the same SOAP version or scores, at a small cost."""

import http.client
import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from shim.sandbox import Options, Sandbox, select
from shim.wire.dialect import Version
from tests.faults.callers_worker import MIB, Worker, worker_of
from tests.faults.hostile_inputs import LISTENER, PLANTED, SCORES, Hostile, all_inputs, bulk
from tests.faults.table import AddRow
from tests.gateway import Gateway, running_gateway
from tests.soap_http import Answer
from tests.web.calls import GUIDE, envelope

_CANARY: Final = "what-nothing-may-read"
_DEFAULT: Final = 64 * 1024
_RAISED: Final = 2 * MIB
# The limits for each 64 KiB of a request: processor time and memory may grow in proportion to it. On a slow machine, or
# while coverage is measured, the time of so many ordinary calls counts instead.
_SECONDS: Final = 0.05
_ORDINARY_CALLS: Final = 25
_GROWTH: Final = 10 * MIB
# Other programs empty the processor's caches: a measurement can be too high by chance, but never too low.
_MORE_SENDS: Final = 4
_SMALL: Final = tuple(all_inputs())
_BIG: Final = tuple(bulk(1_000_000))
_OPTIONS: Final = Options()
_WHOLE: Final = b"".join(
    select(_OPTIONS, *(datetime.fromisoformat(GUIDE[name]) for name in ("StartDate", "EndDate"))).chunks()
)

in_both_versions = pytest.mark.parametrize("version", Version, ids=["1.1", "1.2"])


@dataclass(frozen=True)
class Site:
    """A gateway under attack.

    Attributes:
        gateway: The gateway.
        worker: Its worker.
        listener: A listener that it must never connect to.
        planted: A file that it must never read.
        sources: An address for each request, so that wrong credentials in one do not delay the next.
        seconds: The processor time that each 64 KiB of a request may take.
    """

    gateway: Gateway
    worker: Worker
    listener: socket.socket
    planted: Path
    sources: Iterator[IPv4Address]
    seconds: float = _SECONDS

    def body(self, hostile: Hostile, version: Version) -> bytes:
        """Return the body of a request, with the addresses of the listener and the file put in."""
        host, port = self.listener.getsockname()
        made = hostile.make(version)
        return made.replace(LISTENER.encode(), f"{host}:{port}".encode()).replace(PLANTED.encode(), bytes(self.planted))

    def send(self, body: bytes, headers: dict[str, str], announced: int | None = None) -> Answer:
        """Post a body, with its own or another announced length, and return the answer."""
        parts = urlsplit(self.gateway.url)
        length = {} if announced is None else {"Content-Length": str(announced)}
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        try:
            source = {"X-Forwarded-For": str(next(self.sources))}
            connection.request("POST", parts.path, body, headers | source | length)
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, fields, response.read())
        finally:
            connection.close()

    def was_called(self) -> bool:
        """Tell whether anything connected to the listener."""
        try:
            self.listener.accept()
        except BlockingIOError:
            return False
        return True


@contextmanager
def _site(sandbox: Sandbox, folder: Path, max_request: int) -> Iterator[Site]:
    settings = {
        "gateway": {"max_request": max_request, "trusted_proxies": ["127.0.0.1/32"], "allow_anybody": True},
        "callers": [{"name": "anybody", "networks": ["0.0.0.0/0"]}],
    }
    planted = folder / "planted.txt"
    planted.write_text(_CANARY)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        running_gateway(sandbox.url, folder, settings, planted=[_CANARY]) as gateway,
    ):
        listener.setblocking(False)  # noqa: FBT003 - the name of the method says it
        sources = (IPv4Address("10.0.0.1") + number for number in itertools.count())
        site = Site(gateway, worker_of(gateway), listener, planted, sources)
        times = []
        for _ in range(10):
            seconds, answer = _measured(site, envelope().encode(), {"Content-Type": "text/xml"})
            assert _outcome(answer) == SCORES
            times.append(seconds)
        yield replace(site, seconds=max(_SECONDS, _ORDINARY_CALLS * min(times)))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(_OPTIONS) as running:
        yield running


@pytest.fixture(scope="module")
def site(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with _site(sandbox, tmp_path_factory.mktemp("default"), _DEFAULT) as site:
        yield site


@pytest.fixture(scope="module")
def roomy(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with _site(sandbox, tmp_path_factory.mktemp("raised"), _RAISED) as site:
        yield site


@pytest.fixture
def fresh(sandbox: Sandbox, tmp_path: Path) -> Iterator[Site]:
    """Run a gateway whose memory has no gaps from earlier requests."""
    with _site(sandbox, tmp_path, _DEFAULT) as site:
        yield site


def _ids(hostile: Hostile) -> str:
    return hostile.name


@in_both_versions
@pytest.mark.parametrize("hostile", _SMALL, ids=_ids)
def test_a_fault_or_the_right_scores_at_a_small_cost(
    hostile: Hostile, version: Version, site: Site, row: AddRow
) -> None:
    row("Hostile XML", hostile.family, "up to 64 KiB", _told(hostile), named=hostile.name)
    _check(hostile, version, site, _DEFAULT)


@in_both_versions
@pytest.mark.parametrize("hostile", _BIG, ids=_ids)
def test_a_larger_limit_costs_no_more_for_each_byte(
    hostile: Hostile, version: Version, roomy: Site, row: AddRow
) -> None:
    row("Hostile XML", hostile.family, "1 MB, raised `gateway.max_request`", _told(hostile), named=hostile.name)
    _check(hostile, version, roomy, len(roomy.body(hostile, version)))


@in_both_versions
@pytest.mark.parametrize("hostile", _BIG, ids=_ids)
def test_a_request_that_is_too_large_is_not_read(hostile: Hostile, version: Version, site: Site, row: AddRow) -> None:
    row("Hostile XML", hostile.family, "1 MB", "fault `too-large`, from its announced length", named=hostile.name)
    body = site.body(hostile, version)
    if len(body) <= _DEFAULT:
        pytest.fail("it is not too large")
    answer = site.send(body[:1000], {"Content-Type": hostile.type_of(version)}, announced=len(body))
    assert (answer.version, _outcome(answer)) == (version.namespace, "too-large")


def _check(hostile: Hostile, version: Version, site: Site, size: int) -> None:
    body, headers = site.body(hostile, version), {"Content-Type": hostile.type_of(version), **hostile.headers}
    worker, times = site.worker, max(1, size / _DEFAULT)
    worker.rest()
    worker.forget_peak()
    peak = worker.peak
    seconds, answer = _measured(site, body, headers)
    grown = worker.peak - peak
    for _ in range(_MORE_SENDS):
        if seconds > site.seconds * times:
            seconds = min(seconds, _measured(site, body, headers)[0])
    assert _outcome(answer) in hostile.reason.split()
    assert answer.version == (Version.SOAP_11 if answer.slug == "version" else version).namespace
    assert _CANARY.encode() not in answer.body
    assert not site.was_called()
    assert seconds <= site.seconds * times
    assert grown <= _GROWTH * times
    assert worker_of(site.gateway) == worker
    assert worker.lives


def _measured(site: Site, body: bytes, headers: dict[str, str]) -> tuple[float, Answer]:
    """Send a body; return the processor time that it took the worker, in seconds, and the answer."""
    before = site.worker.seconds
    answer = site.send(body, headers)
    site.worker.rest()
    return site.worker.seconds - before, answer


def _outcome(answer: Answer) -> str:
    if answer.status == http.HTTPStatus.OK:
        assert answer.result == _WHOLE
        return SCORES
    assert answer.result is None
    return answer.slug


def _told(hostile: Hostile) -> str:
    return " or ".join("the right scores" if one == SCORES else f"fault `{one}`" for one in hostile.reason.split())


@pytest.mark.parametrize(
    "version_less",
    [b"", b"hello", b"<a/>", b"<", b"\xff\xfe<\0", b"{}", envelope().replace("schemas.xmlsoap.org", "x").encode()],
    ids=repr,
)
def test_a_request_without_a_version_is_answered_in_soap_11(version_less: bytes, site: Site, row: AddRow) -> None:
    row("Hostile XML", "no telling which SOAP version", "", "a fault of SOAP 1.1")
    answer = site.send(version_less, {"Content-Type": "text/xml"})
    assert answer.status == http.HTTPStatus.INTERNAL_SERVER_ERROR
    assert answer.version == Version.SOAP_11.namespace


def test_the_names_of_elements_are_not_kept_in_memory(fresh: Site, row: AddRow) -> None:
    row("Hostile XML", "names that differ in every request", "600 of 60 KB", "the right scores; memory does not grow")
    before = fresh.worker.memory
    for number in range(600):
        names = "".join(f"<n{number}-{at}-{'x' * 40}/>" for at in range(1000))
        body = envelope().replace("</request>", f"{names}</request>").encode()
        assert _outcome(fresh.send(body, {"Content-Type": "text/xml"})) == SCORES
    assert fresh.worker.memory - before <= 2 * _GROWTH  # the names alone are 30 MB


def test_the_names_of_charsets_are_not_kept_in_memory(fresh: Site, row: AddRow) -> None:
    row(
        "Hostile XML",
        "charsets that differ in every request",
        "2,000 of 8 KB",
        "fault `not-soap`; memory does not grow",
    )
    before = fresh.worker.memory
    for number in range(2000):
        charset = f"text/xml; charset=x{number}{'y' * 7900}"
        assert _outcome(fresh.send("<a>\u00e9</a>".encode(), {"Content-Type": charset})) == "not-soap"
    assert fresh.worker.memory - before <= _GROWTH
