"""What one input may cost: a hang, or memory out of proportion, is a finding like any other."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

SECONDS: Final = 2.0
"""Processor time, which other programs on the machine do not lengthen."""
MEBIBYTES: Final = 256
"""Memory beyond what the process had before."""

FUZZER_MEBIBYTES: Final = 1024
"""The same for a process that runs many inputs."""
_MEBIBYTE: Final = 1024 * 1024


class TooSlow(BaseException):
    """An input took longer than any may; no handler of exceptions may swallow that."""


@contextmanager
def limited_time(seconds: float = SECONDS) -> Iterator[None]:
    """Stop what runs for too long; the main thread alone can be stopped."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


@contextmanager
def limited_memory(mebibytes: int = MEBIBYTES) -> Iterator[None]:
    """Refuse memory beyond a limit, and be ready to stop what takes too long; Linux tells how much there is now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGPROF, _stop)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + mebibytes * _MEBIBYTE, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.signal(signal.SIGPROF, handler)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise TooSlow
