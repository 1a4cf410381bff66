"""The query for scores and the score file: what the SOAP side and the REST side of the gateway share."""

from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import BinaryIO, Literal, Self

Format = Literal["text", "json"]
"""The format of a score file: fixed-length records, or JSON."""


@dataclass(frozen=True, slots=True)
class ScoreQuery:
    """A query for the scores of a range of time.

    Attributes:
        start: The first second of the range, UTC without a zone; before ``end``.
        end: The last second of the range, UTC without a zone.
        type: The test program, such as ``TOEFL``.
        reportby: The report-by value, such as ``scorelinkbyreportdate``: the kind of date that the range selects by.
        format: The format of the score file.
    """

    start: datetime
    end: datetime
    type: str
    reportby: str
    format: Format = "text"


@dataclass(frozen=True, slots=True)
class ScoreFile:
    """A whole, verified score file. Its holder closes it.

    Attributes:
        spool: The bytes, positioned at the start. Where ``size`` is 0, they may still be white space.
        size: Bytes; 0 if no score was reported in the range.
        records: The number of records; None for JSON, whose records are not counted.
    """

    spool: BinaryIO
    size: int
    records: int | None

    def close(self) -> None:
        """Delete the spooled bytes."""
        self.spool.close()

    def __enter__(self) -> Self:
        """Return the file, to be closed at the end of a ``with`` statement."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete the spooled bytes."""
        self.close()
