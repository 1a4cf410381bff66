"""Small calls, one after the other and many at once: how many in a second, how long each takes, what it costs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, TypeVar

from bench import systems
from bench.load import load
from bench.systems import Setup, System
from bench.upstream import SOON, records

_T = TypeVar("_T")


@dataclass(frozen=True)
class Cell:
    """What kind of answer is asked for, by how many clients at once, for how many seconds of a round."""

    kind: str
    clients: int
    seconds: int = 1


ONE: Final = Cell(records(1), 1)
SIXTEEN: Final = Cell(records(1), 16)
_QUICK: Final = (ONE, SIXTEEN)
_CELLS: Final = (
    Cell(records(0), 1),
    *_QUICK,
    Cell(records(1), 256, 2),
    Cell(records(100), 16),
    Cell(SOON, 16),
    Cell(SOON, 256, 2),
)


@dataclass(frozen=True)
class Round:
    """One system in one cell, once.

    Attributes:
        rate: Calls in a second.
        p50: Seconds.
        p99: Seconds.
        cpu: Seconds of the system's CPU for a call.
        load: Cores that wrk used.
        upstream: Cores that the upstream used.
        errors: Calls that went wrong.
    """

    rate: float
    p50: float
    p99: float
    cpu: float
    load: float
    upstream: float
    errors: int


Small = dict[Cell, dict[str, list[Round]]]
"""Rounds by cell and system."""


def measure(setup: Setup, *, quick: bool) -> Small:
    """Measure all systems side by side, in another order every round."""
    cells = _QUICK if quick else _CELLS
    found: Small = {}
    with systems.running(setup, *systems.ALL) as running:
        for system in running:
            for kind in {cell.kind for cell in cells}:
                system.verified(kind, setup.upstream.digests[kind])
            load(system.call(ONE.kind), setup.folder, clients=SIXTEEN.clients, seconds=1)
        for cell in cells:
            found[cell] = {system.name: [] for system in running}
            for system in turns(running, 3 if quick else 5):
                found[cell][system.name].append(_round(setup, system, cell))
    return found


def turns(running: Sequence[_T], rounds: int) -> Iterator[_T]:
    """Each once a round: every time another is first, and every other round goes backwards."""
    for number in range(rounds):
        first = number % len(running)
        yield from (*running[first:], *running[:first])[:: -1 if number % 2 else 1]


def _round(setup: Setup, system: System, cell: Cell) -> Round:
    cpu, upstream = system.group.cpu(), setup.upstream.cpu()
    seen = load(system.call(cell.kind), setup.folder, clients=cell.clients, seconds=cell.seconds)
    cpu, upstream = system.group.cpu() - cpu, setup.upstream.cpu() - upstream
    return Round(
        rate=seen.calls / seen.seconds,
        p50=seen.p50,
        p99=seen.p99,
        cpu=cpu / max(seen.calls, 1),
        load=seen.cpu / seen.seconds,
        upstream=upstream / seen.seconds,
        errors=seen.errors,
    )


def middle(rounds: list[Round], field: str) -> float:
    """The median of one of its figures."""
    return float(median(getattr(one, field) for one in rounds))
