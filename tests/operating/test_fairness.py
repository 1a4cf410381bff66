"""Huge answers take nothing from small ones."""

import socket
import threading
import time
from pathlib import Path

from tests.operating.load import Kept, typed
from tests.operating.served import PATH, served, until
from tests.operating.upstream import Part, Upstream, scores

_READERS = 3
_EACH = 2
_RECORDS = 100_000
_TIMES = 100


def _read(port: int, sizes: list[int]) -> None:
    sizes.extend(_read_one(port) for _ in range(_EACH))


def _read_one(port: int) -> int:
    """Read an answer as fast as it comes, and keep nothing of it but its size."""
    body = typed("huge")
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: {len(body)}"
    )
    buffer, size = bytearray(1 << 20), 0
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode() + body)
        while received := connection.recv_into(buffer):
            size += received
    return size


def test_small_calls_are_answered_while_huge_ones_are(tmp_path: Path) -> None:
    huge = Part(scores(_RECORDS // _TIMES), times=_TIMES)
    with Upstream({"huge": huge}) as upstream, served(upstream.url, tmp_path / "gateway") as gateway:
        sizes: list[int] = []
        readers = [threading.Thread(target=_read, args=[gateway.port, sizes], daemon=True) for _ in range(_READERS)]
        small = Kept(gateway.url)
        assert small().result == scores(1)
        for reader in readers:
            reader.start()
        times, start = [], time.monotonic()
        while any(reader.is_alive() for reader in readers):
            began = time.monotonic()
            assert small().result == scores(1)
            times.append(time.monotonic() - began)
            time.sleep(0.005)
        took = time.monotonic() - start
        small.connection.close()
        assert len(sizes) == _READERS * _EACH
        assert min(sizes) > _RECORDS * 1602 * 4 // 3
        assert len(times) >= 20
        assert sorted(times)[len(times) * 99 // 100] < max(1, took / 6)  # each huge one takes half of it
        until(lambda: gateway.metric("spool_bytes") == 0, "rest", 5)
        assert list((tmp_path / "gateway" / "spool").iterdir()) == []
