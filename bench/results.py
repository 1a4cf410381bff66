"""All that a run found."""

from dataclasses import dataclass

from bench.inflight import Inflight
from bench.large import Large
from bench.memory import Memory
from bench.small import Small
from bench.start import Start


@dataclass
class Results:
    """By part; empty where it was not measured."""

    small: Small
    large: Large
    inflight: Inflight
    start: Start
    memory: Memory
