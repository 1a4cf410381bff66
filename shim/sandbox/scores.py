"""Which synthetic scores a query selects, and their bytes, never all in memory."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from shim.sandbox.people import person
from shim.upstream import scorelink

Scale = Literal["old", "ibt26", "mixed"]
Names = Literal["ascii", "utf-8", "latin-1"]

FIRST_REPORTED: Final = datetime(2025, 4, 21, 12)  # noqa: DTZ001 - UTC, as the REST API writes it
LAST_REPORTED: Final = datetime(2025, 4, 22, 17)  # noqa: DTZ001 - same
_BATCH: Final = 64
"""Records in a chunk."""


@dataclass(frozen=True, slots=True)
class Options:
    """The scores that there are.

    Attributes:
        records: How many.
        first: When the first was reported, UTC without a zone.
        last: When the last was; the others are spread evenly between.
        width: Bytes in a record.
        separator: What ends a record.
        scale: Which scores; ``mixed`` is every other one, where the width has room for those of 2026.
        names: Encoding of names with letters beyond ASCII, or ``ascii`` for none.
    """

    records: int = 30
    first: datetime = FIRST_REPORTED
    last: datetime = LAST_REPORTED
    width: int = 1600
    separator: Literal["\n", "\r\n"] = "\r\n"
    scale: Scale = "mixed"
    names: Names = "ascii"

    def __post_init__(self) -> None:
        """Check them.

        Raises:
            ValueError: A record cannot be made so.
        """
        narrowest = scorelink.IBT26.end if self.scale == "ibt26" else scorelink.SHORTEST
        if self.width < narrowest:
            raise ValueError(f"a record of these scores has at least {narrowest} bytes")
        if self.records < 0 or self.first > self.last:
            raise ValueError("there cannot be fewer than 0 records, nor a last one before the first")

    def reported(self, number: int) -> datetime:
        """When a score was reported, in whole seconds."""
        span = int((self.last - self.first).total_seconds())
        return self.first + timedelta(seconds=number * span // max(self.records - 1, 1))

    def values(self, number: int) -> dict[str, str]:
        """A score, by the names of the score link fields."""
        of_2026, beyond_ascii = self._is_of_2026(number), self.names != "ascii"
        return person(number, self.reported(number), of_2026=of_2026, beyond_ascii=beyond_ascii)

    def _is_of_2026(self, number: int) -> bool:
        if self.scale == "mixed":
            return number % 2 == 1 and self.width >= scorelink.IBT26.end
        return self.scale == "ibt26"


@dataclass(frozen=True, slots=True)
class Selection:
    """Scores that a query selected.

    Attributes:
        options: All the scores.
        numbers: Which of them.
    """

    options: Options
    numbers: range

    @property
    def length(self) -> int:
        """Bytes in the fixed-length form."""
        return len(self.numbers) * (self.options.width + len(self.options.separator))

    def chunks(self) -> Iterator[bytes]:
        """The fixed-length form."""
        separator = self.options.separator.encode()
        for batch in self._batches():
            yield b"".join(self._record(number) + separator for number in batch)

    def json_chunks(self) -> Iterator[bytes]:
        """The JSON form: a top-level ``data`` array. The names in it are invented, for they are not public."""
        yield b'{"data":['
        for batch in self._batches():
            comma = "," if batch.start > self.numbers.start else ""
            yield (comma + ",".join(json.dumps(self.options.values(number)) for number in batch)).encode()
        yield b"]}"

    def _batches(self) -> Iterator[range]:
        for start in range(0, len(self.numbers), _BATCH):
            yield self.numbers[start : start + _BATCH]

    def _record(self, number: int) -> bytes:
        return scorelink.write(self.options.values(number), self.options.width, self.options.names)


def select(options: Options, start: datetime, end: datetime) -> Selection:
    """The scores reported from ``start`` to ``end``, both inclusive, UTC without a zone."""
    numbers = range(options.records)
    first = bisect_left(numbers, start, key=options.reported)
    return Selection(options, numbers[first : bisect_right(numbers, end, key=options.reported)])


def sample(options: Options) -> Selection:
    """The vendor's sample data: eleven scores whatever the range, the last two of the scale of 2026."""
    width = max(options.width, scorelink.IBT26.end)
    scores = _Sample(records=11, width=width, separator=options.separator, names=options.names)
    return Selection(scores, range(11))


class _Sample(Options):
    def _is_of_2026(self, number: int) -> bool:
        return number >= 9  # noqa: PLR2004 - as the vendor says
