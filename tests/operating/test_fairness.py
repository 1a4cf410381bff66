"""Small calls are answered quickly while huge ones are under way."""

import socket
import threading
import time
from pathlib import Path

from tests.gateway import PATH, running_gateway
from tests.operating.load import Kept, typed
from tests.processes import wait_until
from tests.upstream_server import FakeUpstream, Script, ok, scores

_READERS = 3
_EACH = 2
_RECORDS = 100_000
_TIMES = 100


def _read(port: int, sizes: list[int]) -> None:
    sizes.extend(_read_one(port) for _ in range(_EACH))


def _read_one(port: int) -> int:
    """Read an answer as fast as it comes, and return its size."""
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
    part = scores(_RECORDS // _TIMES)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(part) * _TIMES}\r\n\r\n".encode()
    huge = Script(head, "keep", steps=[part] * _TIMES)
    with (
        FakeUpstream(ok(scores(1), then="keep"), types={"huge": huge}) as upstream,
        running_gateway(upstream.url, tmp_path / "gateway") as gateway,
    ):
        sizes: list[int] = []
        readers = [threading.Thread(target=_read, args=[gateway.port, sizes], daemon=True) for _ in range(_READERS)]
        small = Kept(gateway.url)
        assert small().result == scores(1)
        for reader in readers:
            reader.start()
        answered = 0
        while any(reader.is_alive() for reader in readers):
            assert small().result == scores(1)
            answered += 1
            time.sleep(0.005)
        small.connection.close()
        assert len(sizes) == _READERS * _EACH
        assert min(sizes) > _RECORDS * 1602 * 4 // 3
        # A small call that had to wait for a huge one would leave room for one small call for each huge one.
        assert answered >= 5 * _READERS * _EACH
        wait_until(lambda: gateway.metric("spool_bytes") == 0, "empty spool")
        assert list((tmp_path / "gateway" / "spool").iterdir()) == []
