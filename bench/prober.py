"""Makes calls at once and times each, as a process of its own: ``python -m bench.prober`` with a job on stdin.

Every answer is checked whole: its status, its exact length, how it begins and how it ends.
"""

import asyncio
import json
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench.call import EDGE, Answer, Call

_BLANK: Final = b"\r\n\r\n"
# By HTTP/1.0, so that no server sends in chunks.
_REQUEST: Final = (
    "{method} {target} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
)
_BUFFERS: Final = 4 * 1024 * 1024
"""Bytes of all calls' buffers together."""


@dataclass(frozen=True)
class Probe:
    """Seconds to the first and to the last byte of each body, and what was wrong with the other calls."""

    first: list[float]
    last: list[float]
    errors: list[str]


def probe(call: Call, answer: Answer, *, times: int = 1, deadline: float = 120) -> Probe:
    """Make so many calls at once, each on a connection of its own; wait for them no longer than the deadline."""
    job = {"call": asdict(call), "answer": asdict(answer), "times": times, "deadline": deadline}
    command = [sys.executable, "-m", "bench.prober"]
    done = subprocess.run(command, input=json.dumps(job).encode(), capture_output=True, check=True)  # noqa: S603 - this very module
    return Probe(**json.loads(done.stdout))


async def _run(call: Call, answer: Answer, times: int, deadline: float) -> Probe:
    headers = "".join(f"{name}: {value}\r\n" for name, value in call.headers.items())
    request = _REQUEST.format(**asdict(call), length=len(call.body), headers=headers).encode()
    buffers = [memoryview(bytearray(_BUFFERS // max(times, 16))) for _ in range(times)]
    tasks = [asyncio.create_task(_one(call.port, request, answer, buffer)) for buffer in buffers]
    done, late = await asyncio.wait(tasks, timeout=deadline)
    errors = [str(task.exception()) for task in done if task.exception()] + ["not answered in time"] * len(late)
    for task in late:
        task.cancel()
    took = [task.result() for task in done if not task.exception()]
    return Probe([first for first, _ in took], [last for _, last in took], errors)


async def _one(port: int, request: bytes, answer: Answer, buffer: memoryview) -> tuple[float, float]:
    loop = asyncio.get_running_loop()
    with socket.socket() as own:
        own.setblocking(False)  # noqa: FBT003 - the method's own signature
        began = time.perf_counter()
        await loop.sock_connect(own, ("127.0.0.1", port))
        await loop.sock_sendall(own, request)
        head, blank, start = b"", b"", b""
        while not blank:
            count = await loop.sock_recv_into(own, buffer)
            head, blank, start = (head + bytes(buffer[:count])).partition(_BLANK)
            if not count:
                raise ValueError("closed within its head")
        if b" 200 " not in head[:16]:
            raise ValueError(head.partition(b"\r\n")[0].decode())
        first = time.perf_counter() if start else 0.0
        size, tail = len(start), start[-EDGE:]
        while size < answer.length and (count := await loop.sock_recv_into(own, buffer)):
            first = first or time.perf_counter()
            size += count
            start += bytes(buffer[: max(EDGE - len(start), 0)])
            tail = (tail + bytes(buffer[max(count - EDGE, 0) : count]))[-EDGE:]
        last = time.perf_counter()
        size += await loop.sock_recv_into(own, buffer)
    if (size, start[:EDGE].hex(), tail.hex()) != (answer.length, answer.head, answer.tail):
        raise ValueError(f"{size} bytes, not {answer.length}, or others")
    return (first or last) - began, last - began


def _main() -> None:
    job: dict[str, Any] = json.load(sys.stdin)
    call, answer = Call(**job["call"]), Answer(**job["answer"])
    json.dump(asdict(asyncio.run(_run(call, answer, job["times"], job["deadline"]))), sys.stdout)


if __name__ == "__main__":
    _main()
