"""What a worker of a gateway costs, as the kernel counts it."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.gateway import Gateway

MIB: Final = 1024 * 1024
PATIENCE: Final = 20.0
"""Seconds after which what must come is given up."""

# What clock_getcpuclockid(3) gives for another process has no name in Python.
_SCHEDULED: Final = 2
_BOOTED: Final = "Booting worker with pid: "


@dataclass(frozen=True)
class Worker:
    """A process that answers calls."""

    pid: int

    @property
    def lives(self) -> bool:
        return self._proc.exists()

    @property
    def seconds(self) -> float:
        """Processor time of all threads that it has and had, by its clock: utime and stime have steps of 10 ms."""
        return time.clock_gettime((~self.pid << 3) | _SCHEDULED)

    @property
    def memory(self) -> int:
        """Bytes that it holds now."""
        return self._status("VmRSS")

    @property
    def peak(self) -> int:
        """Most bytes that it ever held, or since ``forget_peak``."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """Let the peak be what it holds now."""
        (self._proc / "clear_refs").write_text("5")

    @property
    def files(self) -> int:
        """Descriptors that it has open."""
        return sum(1 for _ in (self._proc / "fd").iterdir())

    def rest(self) -> None:
        """Wait until it has nothing more to do: an answer is there before its line in the log."""
        until = time.monotonic() + PATIENCE
        before = -1.0
        while (now := self.seconds) != before and time.monotonic() < until:
            before = now
            time.sleep(0.001)

    @property
    def _proc(self) -> Path:
        return Path("/proc") / str(self.pid)

    def _status(self, name: str) -> int:
        lines = (self._proc / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024


def lines(gateway: Gateway) -> list[dict[str, object]]:
    """The lines of its log."""
    return [json.loads(line) for line in gateway.log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]


def calls(gateway: Gateway) -> list[dict[str, object]]:
    """Its lines of calls."""
    return [line for line in lines(gateway) if line["event"] == "call"]


def worker_of(gateway: Gateway) -> Worker:
    """The one worker of a gateway."""
    wait_until(lambda: _booted(gateway) != [])
    (pid,) = _booted(gateway)
    return Worker(pid)


def _booted(gateway: Gateway) -> list[int]:
    notes = [str(line.get("note", "")) for line in lines(gateway)]
    return [int(note.removeprefix(_BOOTED)) for note in notes if note.startswith(_BOOTED)]


def wait_until(happened: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait until something is so; whether it came to be."""
    until = time.monotonic() + seconds
    while not (so := happened()) and time.monotonic() < until:
        time.sleep(0.02)
    return so
