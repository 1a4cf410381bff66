"""The two nouns that the legacy face and the REST face share."""

from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import BinaryIO, Literal, Self

Format = Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class ScoreQuery:
    """Which scores are asked for.

    Attributes:
        start: First second asked for, UTC without a zone, before ``end``.
        end: Last second asked for, UTC without a zone.
        type: Test program, such as ``TOEFL``.
        reportby: What the range selects by, such as ``scorelinkbyreportdate``.
        format: ``text`` for fixed-length records, ``json`` for JSON.
    """

    start: datetime
    end: datetime
    type: str
    reportby: str
    format: Format = "text"


@dataclass(frozen=True, slots=True)
class ScoreFile:
    """A whole, verified score file. Whoever holds it closes it.

    Attributes:
        spool: The bytes exactly as TOEFL Access sent them, positioned at the start.
        size: Length in bytes; 0 when no score was reported in the range.
        records: Number of records; ``None`` for JSON, which is not counted.
    """

    spool: BinaryIO
    size: int
    records: int | None

    def close(self) -> None:
        """Delete the spooled bytes."""
        self.spool.close()

    def __enter__(self) -> Self:
        """Use the file in a ``with`` statement."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete the spooled bytes."""
        self.close()
