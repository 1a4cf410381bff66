"""A bounded number of clients that make calls of every kind, good and bad, and know what each must be told."""

import base64
import http.client
import random
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from bench.moody import SIZES, records

PATH: Final = "/TOEFLWebService/TOEFLEdm.asmx"
_SOAP_11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_SOAP_12: Final = "http://www.w3.org/2003/05/soap-envelope"
_TYPES: Final = {_SOAP_11: "text/xml", _SOAP_12: "application/soap+xml"}
_SLUG: Final = re.compile(rb"\(([a-z-]+); request [0-9A-Fa-f-]+\)")
_RESULT: Final = re.compile(rb"Result(?:\s[^>]*)?>([^<]+)<")
_PATIENCE: Final = 60.0
# Others than the good ones, so that the guard against guessing never slows those down.
_STRANGER: Final = ("127.0.0.2", 0)

# What every call that needs the upstream may be told while the others have it fail.
_DOWN: Final = frozenset({"upstream-down"})


class Unexpected(Exception):  # noqa: N818 - not an error of ours
    """An answer that no call may get; the message says what came."""


@dataclass(frozen=True)
class Tally:
    """What the clients were told: how often each kind of call was told what, and what was wrong."""

    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def calls(self) -> int:
        """How many there were."""
        with self.lock:
            return self.told.total()


class Client:
    """One of them, on a thread of its own: it keeps its connection for good calls."""

    def __init__(self, port: int, tally: Tally, pause: float, seed: int) -> None:
        """Take where the gateway is, and the longest pause between two calls in seconds."""
        self._port = port
        self._tally = tally
        self._pause = pause
        self._random = random.Random(seed)  # noqa: S311 - the same calls in every run
        self._kept: http.client.HTTPConnection | None = None

    def run(self, stopped: threading.Event) -> None:
        """Call until told to stop."""
        names = list(_KINDS)
        weights = [_KINDS[name].weight for name in names]
        while not stopped.wait(self._random.uniform(0, self._pause)):
            (name,) = self._random.choices(names, weights)
            try:
                told = _KINDS[name].make(self)
            except (OSError, http.client.HTTPException, Unexpected) as error:
                self._forget()
                told = f"{type(error).__name__}: {error}"
            expected = _KINDS[name].told
            with self._tally.lock:
                self._tally.told[name, told] += 1
                if told not in expected:
                    self._tally.wrong[f"{name}: {told}"] += 1
        self._forget()

    def post(self, body: bytes, version: str = _SOAP_11, **headers: str) -> tuple[int, bytes]:
        """Post on the kept connection."""
        if self._kept is None:
            self._kept = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        declared = {"Content-Type": f"{_TYPES[version]}; charset=utf-8"} | headers
        self._kept.request("POST", PATH, body, declared)
        return self._read(self._kept)

    def once(self, method: str, target: str, body: bytes = b"", *, stranger: bool = False) -> tuple[int, bytes]:
        """Ask on a connection of its own."""
        source = _STRANGER if stranger else None
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE, source_address=source)
        try:
            connection.request(method, target, body or None, {"Content-Type": "text/xml"} if body else {})
            return self._read(connection)
        finally:
            connection.close()

    def send(self, data: bytes) -> tuple[int, bytes]:
        """Send bytes on a connection of its own, and leave after the answer."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=_PATIENCE) as connection:
            connection.sendall(data)
            response = http.client.HTTPResponse(connection)
            response.begin()
            return response.status, response.read()

    def leave(self, data: bytes, *, take: int) -> None:
        """Send bytes on a connection of its own, and leave after so many of the answer's."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=_PATIENCE) as connection:
            connection.sendall(data)
            if take:
                connection.recv(take)

    def word(self) -> str:
        """A word that was never sent before."""
        return f"w{self._random.getrandbits(64):x}"

    def _read(self, connection: http.client.HTTPConnection) -> tuple[int, bytes]:
        response = connection.getresponse()
        return response.status, response.read()

    def _forget(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None


@dataclass(frozen=True)
class _Kind:
    """A kind of call: how often among all, how it is made, and what it may be told."""

    weight: float
    make: Callable[[Client], str]
    told: frozenset[str]


def _envelope(kind: str, version: str = _SOAP_11, end: str = "2025-04-22T16:52:13", more: str = "") -> bytes:
    return (
        f'<s:Envelope xmlns:s="{version}"><s:Body><GetScores xmlns="https://ets.org/edm/webservices/"><request>'
        f"<StartDate>2025-04-21T16:45:03</StartDate><EndDate>{end}</EndDate><Type>{kind}</Type>"
        f"<ReportBy>scorelinkbyreportdate</ReportBy>{more}</request></GetScores></s:Body></s:Envelope>"
    ).encode()


_IN_BAND: Final = (
    f'<s:Envelope xmlns:s="{_SOAP_11}"><s:Body><getScorelinkDataByReportDate><reportstartdate>04/21/2025'
    "</reportstartdate><reportenddate>04/22/2025</reportenddate></getScorelinkDataByReportDate></s:Body></s:Envelope>"
).encode()
_SCORES: Final = {f"records-{size}": base64.b64encode(records(size)) for size in SIZES}


def _told(status: int, body: bytes, expected: bytes = b"") -> str:
    """The stable name in a fault; "ok" for the right scores.

    Raises:
        Unexpected: It is neither.
    """
    if found := _SLUG.search(body[-2000:]):
        return found[1].decode()
    result = _RESULT.search(body)
    if status == http.client.OK and (result[1] if result else b"") == expected:
        return "ok"
    raise Unexpected(f"{status}, {len(body)} bytes")


def _scores(size: int, version: str = _SOAP_11) -> Callable[[Client], str]:
    name = f"records-{size}"
    return lambda client: _told(*client.post(_envelope(name, version), version), _SCORES[name])


def _upstream(mood: str) -> Callable[[Client], str]:
    return lambda client: _told(*client.post(_envelope(mood)))


def _posted(body: bytes) -> Callable[[Client], str]:
    return lambda client: _told(*client.once("POST", PATH, body))


def _in_band(client: Client) -> str:
    _, body = client.post(_IN_BAND)
    result = _RESULT.search(body)
    if result is None:
        raise Unexpected(f"{len(body)} bytes")
    plain = base64.b64decode(result[1])
    found = _SLUG.search(plain)
    return found[1].decode() if found else _told(http.client.OK, body, _SCORES["records-1"])


def _page(client: Client) -> str:
    status, body = client.once("GET", f"{PATH}?wsdl")
    return "ok" if status == http.client.OK and b"definitions" in body else f"{status}"


def _stranger(client: Client) -> str:
    more = "<userName>nobody</userName><password>guessed</password>"
    body = _IN_BAND.replace(b"<reportstartdate>", more.encode() + b"<reportstartdate>")
    status, answer = client.once("POST", PATH, body, stranger=True)
    result = _RESULT.search(answer)
    plain = base64.b64decode(result[1]) if result else answer
    return _told(status, plain)


def _strange(client: Client) -> str:
    """A call full of names that nobody sent before, none of which may be kept."""
    more = f'<n:{client.word()} xmlns:n="urn:{client.word()}" {client.word()}="a"/>'
    headers = {client.word(): client.word(), "SOAPAction": client.word(), "User-Agent": client.word()}
    return _told(*client.post(_envelope("records-1", more=more), **headers), _SCORES["records-1"])


def _foreign(client: Client) -> str:
    name = client.word()
    return _told(*client.once("POST", PATH, f'<{name} xmlns="urn:{client.word()}"/>'.encode()))


def _elsewhere(client: Client) -> str:
    return _told(*client.once("POST", f"/{client.word()}", _SMALL))


def _undeclared(client: Client) -> str:
    headers = {"Content-Type": f"text/xml; charset={client.word()}"}
    return _told(*client.post(_SMALL, **headers), _SCORES["records-1"])


def _request(body: bytes, length: int) -> bytes:
    head = f"POST {PATH} HTTP/1.1\r\nHost: gateway\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n"
    return head.encode() + body


def _left(data: bytes, *, take: int) -> Callable[[Client], str]:
    def leave(client: Client) -> str:
        with suppress(ConnectionError):
            client.leave(data, take=take)
        return "left"

    return leave


_BIG: Final = _envelope("records-10000")
_SMALL: Final = _envelope("records-1")
_OK: Final = frozenset({"ok"}) | _DOWN


def _fault(*slugs: str) -> frozenset[str]:
    return frozenset(slugs)


def _answered(slug: str) -> frozenset[str]:
    return frozenset({slug}) | _DOWN


_KINDS: Final = {
    "one record": _Kind(40, _scores(1), _OK),
    "one record, SOAP 1.2": _Kind(10, _scores(1, _SOAP_12), _OK),
    "no records": _Kind(4, _scores(0), _OK),
    "100 records": _Kind(8, _scores(100), _OK),
    "10,000 records": _Kind(0.6, _scores(10_000), _OK),
    "in band": _Kind(6, _in_band, _OK),
    "own connection": _Kind(10, lambda client: _told(*client.once("POST", PATH, _SMALL), _SCORES["records-1"]), _OK),
    "WSDL": _Kind(2, _page, _fault("ok")),
    "not XML": _Kind(1, _posted(b"<a><b></a>"), _fault("not-xml")),
    "DOCTYPE": _Kind(1, _posted(b"<!DOCTYPE a>" + _SMALL), _fault("doctype")),
    "no date": _Kind(1, _posted(_envelope("TOEFL", end="2025-02-30T00:00:00")), _fault("bad-date")),
    "too large": _Kind(1, _posted(_SMALL + b" " * 65536), _fault("too-large")),
    "strange names": _Kind(8, _strange, _OK),
    "strange element": _Kind(2, _foreign, _fault("not-soap")),
    "strange address": _Kind(2, _elsewhere, _fault("not-found")),
    "strange encoding": _Kind(2, _undeclared, _OK),
    "broken HTTP": _Kind(1, lambda client: _told(*client.send(b"nonsense\r\n\r\n")), _fault("bad-http")),
    "wrong password": _Kind(0.3, _stranger, _fault("not-authenticated", "throttled")),
    "leaves in its request": _Kind(1, _left(_request(_SMALL[:100], len(_SMALL)), take=0), _fault("left")),
    "leaves before its answer": _Kind(1, _left(_request(_SMALL, len(_SMALL)), take=0), _fault("left")),
    "leaves in its answer": _Kind(0.6, _left(_request(_BIG, len(_BIG)), take=1000), _fault("left")),
    "stops in its request": _Kind(
        0.2, lambda client: _told(*client.send(_request(_SMALL[:100], len(_SMALL)))), _fault("cut-request")
    ),
    "upstream fails": _Kind(0.6, _upstream("fails"), _answered("upstream-failed")),
    "upstream sleeps": _Kind(0.2, _upstream("sleeps"), _answered("upstream-failed")),
    "upstream busy": _Kind(0.4, _upstream("busy"), _answered("upstream-busy")),
    "upstream refuses": _Kind(0.4, _upstream("refuses"), _answered("upstream-query")),
    "upstream moved": _Kind(0.4, _upstream("moved"), _answered("upstream-redirect")),
    "upstream HTML": _Kind(0.4, _upstream("html"), _answered("upstream-not-scores")),
    "upstream uneven": _Kind(0.4, _upstream("uneven"), _answered("upstream-not-scores")),
    "upstream cut": _Kind(0.4, _upstream("cut"), _answered("upstream-cut")),
    "upstream hangs up": _Kind(0.4, _upstream("hangs-up"), _answered("upstream-cut")),
    "upstream silent": _Kind(0.1, _upstream("silent"), _answered("upstream-timeout")),
}
