"""The processor time, memory and descriptors of a worker, as the kernel counts them."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.gateway import Gateway
from tests.processes import PATIENCE

MIB: Final = 1024 * 1024

# The clock of another process, as clock_getcpuclockid(3) makes it; Python has no name for it.
_SCHEDULED: Final = 2


@dataclass(frozen=True)
class Worker:
    """A process that answers calls."""

    pid: int

    @property
    def lives(self) -> bool:
        return self._proc.exists()

    @property
    def seconds(self) -> float:
        """Processor time of all its threads so far, by its clock; utime and stime have steps of 10 ms."""
        return time.clock_gettime((~self.pid << 3) | _SCHEDULED)

    @property
    def memory(self) -> int:
        """Bytes of resident memory."""
        return self._status("VmRSS")

    @property
    def peak(self) -> int:
        """Most bytes of resident memory since the start, or since ``forget_peak``."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """Set the peak to the present memory."""
        (self._proc / "clear_refs").write_text("5")

    @property
    def files(self) -> int:
        """Open descriptors."""
        return sum(1 for _ in (self._proc / "fd").iterdir())

    def rest(self) -> None:
        """Wait until it is idle: it still writes a line to the log after an answer."""
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


def worker_of(gateway: Gateway) -> Worker:
    """Return the only worker of a gateway."""
    return Worker(gateway.worker())
