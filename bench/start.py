"""From the start of a process to its first answer."""

import time
from typing import Final

from bench import call, systems
from bench.call import Call
from bench.process import free_port, started
from bench.systems import Setup
from bench.upstream import records

BARE: Final = "bare"
"""gunicorn with Spyne imported, and nothing else."""

_SYSTEMS: Final = (BARE, "textbook", "node-soap", "gateway")

Start = dict[str, list[float]]
"""Seconds by system."""


def measure(setup: Setup, *, quick: bool) -> Start:
    """Start each system again and again, one after the other."""
    names = [name for name in _SYSTEMS if not systems.missing(name)]
    found: Start = {name: [] for name in names}
    for number in range(3 if quick else 5):
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(_once(setup, name))
    return found


def _once(setup: Setup, name: str) -> float:
    port = free_port()
    asked = Call(port, "GET", "/", "") if name == BARE else call.make(port, "soap", records(1))

    def answers() -> bool:
        try:
            asked.send()
        except OSError:
            return False
        return True

    command, environment = systems.commanded(setup, name, port)
    began = time.perf_counter()
    with started(command, setup.folder / f"{name}-{port}.log", answers, environment):
        return time.perf_counter() - began
