"""Ten thousand connections on which nothing is sent, and a few on which a head is sent slowly."""

import os
import resource
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import pytest

from shim.sandbox import Sandbox
from tests.faults.callers_wire import Heard, Wire
from tests.faults.callers_worker import worker_of
from tests.faults.table import AddRow
from tests.gateway import PATH, Gateway, running_gateway
from tests.processes import wait_until
from tests.soap_http import envelope, post

_IDLE: Final = 10_000
_CONNECTION: Final = 24 * 1024
"""Bytes of memory that a connection may take while nothing is sent on it."""
_FIRST_HEAD: Final = 10.0
"""Seconds that a new connection has for its first head."""
_LINE: Final = f"POST {PATH} HTTP/1.1".encode()

_SLOW_HEADS: Final = {
    "of the line": (b"POST ", b"/"),
    "of a name": (_LINE + b"\r\nX-", b"a"),
    "of a value": (_LINE + b"\r\nX-Other: ", b"a"),
    "of headers": (_LINE + b"\r\n", b"X-Other: a\r\n"),
}


@dataclass
class Siege:
    """What a gateway did with many connections on which nothing, or hardly anything, was sent.

    Attributes:
        slow: What came back on the connections with a slow head.
        growth: The growth of the worker's memory in bytes.
        held: The number of connections at the time when another call was answered.
        files: Open descriptors before and after.
    """

    slow: list[Heard]
    growth: int
    held: int
    files: tuple[int, int]


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _IDLE + 1000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        reason = f"too few descriptors: ulimit -Hn {wanted}"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        with Sandbox() as sandbox, running_gateway(sandbox.url, tmp_path_factory.mktemp("siege")) as gateway:
            yield _besiege(gateway)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _besiege(gateway: Gateway) -> Siege:
    assert post(gateway.url, envelope()).result
    worker = worker_of(gateway)
    files, before = worker.files, worker.memory
    parts = urlsplit(gateway.url)
    with ThreadPoolExecutor(len(_SLOW_HEADS)) as pool, ExitStack() as stack:
        slow = [pool.submit(_drip, gateway, start, byte) for start, byte in _SLOW_HEADS.values()]
        for _ in range(_IDLE):
            stack.enter_context(socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30))
        wait_until(lambda: worker.files >= files + _IDLE, "all connections")
        assert post(gateway.url, envelope()).result
        held, growth = worker.files - files, worker.memory - before
        # A connection that was used would be kept for 75 seconds.
        wait_until(lambda: worker.files <= files, "end of the connections", 5 * _FIRST_HEAD)
        heard = [one.result() for one in slow]
    return Siege(heard, growth, held, (files, worker.files))


def _drip(gateway: Gateway, start: bytes, byte: bytes) -> Heard:
    with Wire(gateway) as wire:
        wire.send(start)
        while True:
            taken = wire.send(byte)
            heard = wire.hear(answers=1, patience=0.3)
            if not taken or heard.closed or heard.answers or heard.seconds > 5 * _FIRST_HEAD:
                return heard


def test_ten_thousand_idle_connections(siege: Siege, row: AddRow) -> None:
    row("Callers", "idle connections", "10,000", "closed after 10 s; other calls are answered meanwhile", 0)
    assert siege.held > _IDLE / 2  # on a slow machine the gateway may already have closed the first
    assert siege.growth <= _IDLE * _CONNECTION
    assert siege.files[1] <= siege.files[0]


@pytest.mark.parametrize("name", _SLOW_HEADS)
def test_a_slow_head(name: str, siege: Siege, row: AddRow) -> None:
    row("Callers", "slow head, a byte now and then", "", "connection closed after 10 s", 0)
    heard = siege.slow[list(_SLOW_HEADS).index(name)]
    assert (heard.answers, heard.closed) == ([], True)
    assert heard.seconds > 0.5 * _FIRST_HEAD
