"""A thousand calls that wait for a slow upstream at the same time."""

from dataclasses import dataclass
from typing import Final

from bench import systems
from bench.memory import Peak, watched
from bench.prober import Probe, probe
from bench.systems import Setup
from bench.upstream import LATE, records

CALLS: Final = 1000
DEADLINE: Final = 15.0
"""Seconds after which nothing is waited for."""

_SYSTEMS: Final = tuple(name for name in systems.ALL if name != "gateway")


@dataclass(frozen=True)
class Wait:
    """The calls to one system, and its memory."""

    seen: Probe
    peak: Peak


Inflight = dict[str, Wait]
"""By system."""


def measure(setup: Setup, *, quick: bool) -> Inflight:
    """Measure each system by itself, newly started."""
    found: Inflight = {}
    for name in ("direct", "gateway-2") if quick else _SYSTEMS:
        with systems.running(setup, name) as running:
            for system in running:
                # The late answer has the same bytes as the one at once.
                answer = system.verified(records(1), setup.upstream.digests[records(1)])
                with watched(system.group) as peak:
                    seen = probe(system.call(LATE), answer, times=CALLS, deadline=DEADLINE)
                found[name] = Wait(seen, peak)
    return found
