"""Large answers, one at a time: how long to the first and to the last byte, and what they cost."""

from dataclasses import dataclass, field
from typing import Final

from bench import systems
from bench.prober import probe
from bench.small import turns
from bench.systems import Setup
from bench.upstream import records

BIG: Final = records(10_000)
HUGE: Final = records(100_000)
_ROUNDS: Final = {BIG: 15, HUGE: 3}
_SYSTEMS: Final = tuple(name for name in systems.ALL if name != "gateway-2")


@dataclass
class Times:
    """All calls to one system: seconds to the first and last bytes, seconds of its CPU for all, and what went wrong."""

    first: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    cpu: float = 0
    errors: list[str] = field(default_factory=list)


Large = dict[str, dict[str, Times]]
"""Times by kind of answer and system."""


def measure(setup: Setup, *, quick: bool) -> Large:
    """Measure all systems side by side, in another order every round."""
    found: Large = {}
    with systems.running(setup, *_SYSTEMS) as running:
        for kind in (BIG,) if quick else (BIG, HUGE):
            answers = {system.name: system.verified(kind, setup.upstream.digests[kind]) for system in running}
            found[kind] = {system.name: Times() for system in running}
            for system in turns(running, _ROUNDS[kind]):
                times, before = found[kind][system.name], system.group.cpu()
                seen = probe(system.call(kind), answers[system.name])
                times.first += seen.first
                times.last += seen.last
                times.errors += seen.errors
                times.cpu += system.group.cpu() - before
    return found
