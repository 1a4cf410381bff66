"""Peak memory of the workers, for one small answer, for a huge one and for many huge ones at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from bench import systems
from bench.prober import probe
from bench.process import Group
from bench.systems import Setup, System
from bench.upstream import records

AT_ONCE: Final = 16
ONE: Final = "one record"
HUGE: Final = "100,000 records"
MANY: Final = f"{AT_ONCE} x 100,000 records"
_SYSTEMS: Final = ("nginx", "textbook", "node-soap", "streaming", "gateway")
# What these need for a single one is enough to know.
_HOLD_ALL: Final = ("textbook", "node-soap")
_INTERVAL: Final = 0.02


@dataclass
class Peak:
    """The most within a block, in MB: resident, of the biggest worker; and all processes' proportional shares."""

    worker: float = 0
    total: float = 0


@contextmanager
def watched(group: Group) -> Iterator[Peak]:
    """Watch a system until the end of the block."""
    peak, end, workers, members = Peak(), threading.Event(), group.workers(), group.members()
    for worker in workers:
        Path(f"/proc/{worker.pid}/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew

    def sample() -> None:
        while not end.wait(_INTERVAL):
            peak.total = max(peak.total, sum(_proportional(member) for member in members))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield peak
    finally:
        end.set()
        sampler.join()
    peak.worker = max(_resident_peak(worker) for worker in workers)


def _proportional(member: psutil.Process) -> float:
    return _field(Path(f"/proc/{member.pid}/smaps_rollup"), "Pss")


def _resident_peak(worker: psutil.Process) -> float:
    return _field(Path(f"/proc/{worker.pid}/status"), "VmHWM")


def _field(path: Path, name: str) -> float:
    lines = dict(line.split(":", 1) for line in path.read_text(encoding="utf-8").splitlines() if ":" in line)
    return int(lines[name].split()[0]) / 1024


Memory = dict[str, dict[str, Peak]]
"""Peaks by system and what it answered."""


def measure(setup: Setup, *, quick: bool) -> Memory:
    """Measure each system by itself, newly started."""
    found: Memory = {}
    for name in ("gateway",) if quick else _SYSTEMS:
        with systems.running(setup, name) as running:
            for system in running:
                found[name] = _peaks(system, setup.upstream.digests)
    return found


def _peaks(system: System, digests: dict[str, str]) -> dict[str, Peak]:
    small, huge = records(1), records(100_000)
    one = system.verified(small, digests[small])
    peaks: dict[str, Peak] = {}
    for _ in range(20):
        probe(system.call(small), one)
    with watched(system.group) as peaks[ONE]:
        for _ in range(20):
            probe(system.call(small), one)
    with watched(system.group) as peaks[HUGE]:
        answer = system.verified(huge, digests[huge])
    if system.name not in _HOLD_ALL:
        with watched(system.group) as peaks[MANY]:
            seen = probe(system.call(huge), answer, times=AT_ONCE)
        if seen.errors:
            raise RuntimeError(f"{system.name}: {seen.errors}")
    return peaks
