"""One module a harness: ``run`` takes an input and raises whatever is wrong.

It may have ``mutate``, which makes an input of another, and ``WORDS``, which a fuzzer mixes in.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NAMES: Final = ("body", "credentials", "dates", "description", "envelope", "mapping", "result", "scores")
CORPUS: Final = Path(__file__).parents[1] / "corpus"
"""By harness: small inputs to begin with, and every one that ever found something."""

Mutate = Callable[[bytes, int, int], bytes]
"""Makes another input of one: bytes, the most there may be, and a seed."""


@dataclass(frozen=True)
class Harness:
    """A harness.

    Attributes:
        name: Its name.
        run: Takes an input; raises whatever is wrong.
        mutate: Makes an input of another, in ways that a change of bytes would hardly find.
        words: What inputs are made of.
    """

    name: str
    run: Callable[[bytes], None]
    mutate: Mutate | None
    words: Sequence[bytes]


def load(name: str) -> Harness:
    """Import a harness; a fuzzer must be ready by then to watch what it imports."""
    module = importlib.import_module(f"{__name__}.{name}")
    return Harness(name, module.run, getattr(module, "mutate", None), getattr(module, "WORDS", ()))
