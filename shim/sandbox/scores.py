"""The synthetic scores that a query selects. Their bytes are made in batches, so that they never fill the memory."""

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
"""Records in a chunk of an answer."""


@dataclass(frozen=True, slots=True)
class Options:
    """The scores of a sandbox.

    Attributes:
        records: Number of scores.
        first: When the first score was reported, UTC without a zone.
        last: When the last score was reported; the others are spread evenly between.
        width: Bytes in a record.
        separator: The end of a record.
        scale: The scale of the scores. With ``mixed``, every other one is on the iBT26 scale if the width allows it.
        names: Encoding of names with letters beyond ASCII; ``ascii`` for names without such letters.
    """

    records: int = 30
    first: datetime = FIRST_REPORTED
    last: datetime = LAST_REPORTED
    width: int = 1600
    separator: Literal["\n", "\r\n"] = "\r\n"
    scale: Scale = "mixed"
    names: Names = "ascii"

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            ValueError: No records can be made with them.
        """
        narrowest = scorelink.IBT26.end if self.scale == "ibt26" else scorelink.SHORTEST
        if self.width < narrowest:
            raise ValueError(f"width: must be at least {narrowest} for this scale")
        if self.records < 0 or self.first > self.last:
            raise ValueError("records: must be at least 0, and last must not be before first")

    def reported(self, number: int) -> datetime:
        """Return when a score was reported, to the second."""
        span = int((self.last - self.first).total_seconds())
        return self.first + timedelta(seconds=number * span // max(self.records - 1, 1))

    def values(self, number: int) -> dict[str, str]:
        """Return the values of a record, by the names of the score link fields."""
        of_2026, beyond_ascii = self._is_of_2026(number), self.names != "ascii"
        return person(number, self.reported(number), of_2026=of_2026, beyond_ascii=beyond_ascii)

    def _is_of_2026(self, number: int) -> bool:
        if self.scale == "mixed":
            return number % 2 == 1 and self.width >= scorelink.IBT26.end
        return self.scale == "ibt26"


@dataclass(frozen=True, slots=True)
class Selection:
    """The scores that a query selects.

    Attributes:
        options: All scores.
        numbers: The numbers of the selected ones.
    """

    options: Options
    numbers: range

    @property
    def length(self) -> int:
        """Number of bytes in the fixed-length form."""
        return len(self.numbers) * (self.options.width + len(self.options.separator))

    def chunks(self) -> Iterator[bytes]:
        """Yield the fixed-length form."""
        separator = self.options.separator.encode()
        for batch in self._batches():
            yield b"".join(self._record(number) + separator for number in batch)

    def json_chunks(self) -> Iterator[bytes]:
        """Yield the JSON form: a top-level ``data`` array. The vendor documents no names in it; these are invented."""
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
    """Select the scores reported from ``start`` to ``end``, both inclusive, UTC without a zone."""
    numbers = range(options.records)
    first = bisect_left(numbers, start, key=options.reported)
    return Selection(options, numbers[first : bisect_right(numbers, end, key=options.reported)])


def sample(options: Options) -> Selection:
    """Select the vendor's sample data: eleven scores for any range, the last two on the iBT26 scale."""
    width = max(options.width, scorelink.IBT26.end)
    scores = _Sample(records=11, width=width, separator=options.separator, names=options.names)
    return Selection(scores, range(11))


class _Sample(Options):
    def _is_of_2026(self, number: int) -> bool:
        return number >= 9  # noqa: PLR2004 - the vendor's numbers 10 and 11
