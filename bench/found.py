"""What a soak has found."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.growth import Growth, Sample
from bench.traffic import Tally


@dataclass(frozen=True)
class Found:
    """What a soak has found: samples, what clients were told, how each column grew, and all that is wrong."""

    samples: Sequence[Sample]
    tally: Tally
    growths: Sequence[Growth]
    wrong: list[str] = field(default_factory=list)
