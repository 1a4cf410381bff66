"""What the gateway must reach, and whether it did."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from statistics import median

from bench import inflight, memory
from bench.inflight import Inflight
from bench.large import BIG, Large
from bench.memory import Memory
from bench.results import Results
from bench.small import ONE, SIXTEEN, Round, Small, middle
from bench.start import BARE, Start


@dataclass(frozen=True)
class Bar:
    """A figure and what it must be; without a limit it is only shown."""

    what: str
    value: float
    limit: float | None
    unit: str = "x"
    at_least: bool = False
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether it reaches its bar."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def bars(found: Results) -> list[Bar]:
    """The bars of all parts that were measured."""
    parts = chain(
        _small(found.small),
        _large(found.large),
        _memory(found.memory),
        _inflight(found.inflight),
        _workers(found.small),
        _start(found.start),
    )
    return list(parts)


def added(rounds: dict[str, list[Round]], system: str, field: str = "p50") -> float:
    """Seconds that a system takes more than the upstream itself."""
    return middle(rounds[system], field) - middle(rounds["direct"], field)


def _small(found: Small) -> Iterator[Bar]:
    if not found:
        return
    one, sixteen = found[ONE], found[SIXTEEN]
    for peer, most, least in (("textbook", 0.45, 3.0), ("node-soap", None, None)):
        if peer in one:
            ratio = added(one, "gateway") / added(one, peer)
            yield Bar(f"1. one record, 1 client: p50 added over direct, to {peer}'s", ratio, most)
            ratio = middle(sixteen["gateway"], "rate") / middle(sixteen[peer], "rate")
            yield Bar(f"1. one record, 16 clients: calls/s, to {peer}'s", ratio, least, at_least=True)


def _large(found: Large) -> Iterator[Bar]:
    if not found:
        return
    took = {name: median(times.last) for name, times in found[BIG].items()}
    for peer, least in (("textbook", 3), ("node-soap", 2)):
        if peer in took:
            ratio = took[peer] / took["gateway"]
            yield Bar(f"2. 10,000 records: how many times faster than {peer}", ratio, least, at_least=True)
    ratio = took["gateway"] / took["streaming"]
    yield Bar("2. 10,000 records: time to last byte, to the streaming proxy's", ratio, 1.5)


def _memory(found: Memory) -> Iterator[Bar]:
    if not found:
        return
    peaks = found["gateway"]
    base = peaks[memory.ONE].worker
    for kind, most in ((memory.HUGE, 8), (memory.MANY, 40)):
        yield Bar(f"3. a worker's peak for {kind} over that for one", peaks[kind].worker - base, most, "MB")


def _inflight(found: Inflight) -> Iterator[Bar]:
    if not found:
        return
    wait = found["gateway-2"]
    yield Bar(
        "4. calls in flight on the 5 s upstream that were answered",
        len(wait.seen.last),
        inflight.CALLS,
        "calls",
        at_least=True,
        note=f"nothing is waited for after {inflight.DEADLINE:.0f} s",
    )
    yield Bar("4. their p99", percentile(wait.seen.last, 99), 5.5, "s", note="of those answered")
    yield Bar("4. memory of both workers and what started them", wait.peak.total, 300, "MB")


def percentile(values: list[float], rank: int) -> float:
    """A percentile, or infinity of nothing."""
    return sorted(values)[max(-(-len(values) * rank // 100) - 1, 0)] if values else float("inf")


def _workers(found: Small) -> Iterator[Bar]:
    if not found:
        return
    one, two = found[SIXTEEN]["gateway"], found[SIXTEEN]["gateway-2"]
    rate, cores = middle(one, "rate"), os.cpu_count() or 1
    others = middle(two, "load") + middle(two, "upstream")
    possible = cores / (middle(two, "cpu") + others / middle(two, "rate")) / rate
    note = (
        f"of {cores} cores wrk took {middle(two, 'load'):.2f} and the upstream {middle(two, 'upstream'):.2f}, "
        f"so at most {possible:.2f} x could be had; "
        f"calls per second of the workers' own CPU: {1 / middle(one, 'cpu'):,.0f} with one, "
        f"{1 / middle(two, 'cpu'):,.0f} with two"
    )
    yield Bar("5. calls/s of two workers, to one", middle(two, "rate") / rate, 1.8, at_least=True, note=note)


def _start(found: Start) -> Iterator[Bar]:
    if found:
        ratio = median(found["gateway"]) / median(found[BARE])
        yield Bar("6. `serve` to first answer, to a bare gunicorn with Spyne", ratio, 1.5)
