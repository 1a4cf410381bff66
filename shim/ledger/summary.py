"""A summary of the ledger for the commands and the status page: what each caller called, and whether it still calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from shim.query import Format

HISTORY_DAYS: Final = 90
"""Days that a summary covers."""
INACTIVE_AFTER: Final = timedelta(days=30)
"""Time without a call after which a caller no longer needs the gateway, even if nobody marked it as migrated."""

Trend = Literal["rising", "steady", "falling", "silent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastQuery:
    """The query of the last call of one operation that was answered with scores.

    Attributes:
        operation: The operation.
        startdate: Start of the range, UTC, ``YYYY-MM-DDTHH:MM:SS``.
        enddate: End of the range, in the same form.
        type: The test.
        reportby: The kind of report.
        format: ``text`` or ``json``.
    """

    operation: str
    startdate: str
    enddate: str
    type: str
    reportby: str
    format: Format = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSummary:
    """One caller.

    Attributes:
        name: Its name in the configuration; if it has none, a keyed hash of its address and software.
        is_named: Whether it has a name in the configuration.
        first_seen: When its first call ended, UTC.
        last_seen: When its last call ended, UTC.
        daily: Its calls on each of the last ``HISTORY_DAYS`` days, oldest first; the last day is today, UTC.
        operations: The operations that it called in these days.
        software: The software that it called with in these days.
        outcomes: Its calls of the last 30 days by outcome: ``ok``, or the slug of a fault.
        migrated: When it was marked as migrated, UTC; ``None`` if it is not marked.
        calls_since_migrated: Calls after it was marked.
        last_queries: The last query of each operation.
    """

    name: str
    is_named: bool
    first_seen: datetime
    last_seen: datetime
    daily: tuple[int, ...]
    operations: tuple[str, ...]
    software: tuple[str, ...]
    outcomes: Mapping[str, int]
    migrated: datetime | None
    calls_since_migrated: int
    last_queries: tuple[LastQuery, ...]

    @property
    def calls_7(self) -> int:
        """Calls in the last 7 days."""
        return sum(self.daily[-7:])

    @property
    def calls_30(self) -> int:
        """Calls in the last 30 days."""
        return sum(self.daily[-30:])

    @property
    def trend(self) -> Trend:
        """The last 7 days against the 7 days before; a change of up to a quarter counts as steady."""
        now, before = self.calls_7, sum(self.daily[-14:-7])
        if not now:
            return "silent"
        if now > 1.25 * before:
            return "rising"
        return "falling" if now < 0.75 * before else "steady"

    def safe_since(self, now: datetime) -> datetime | None:
        """Return since when the caller no longer needs the gateway, UTC; ``None`` if it still needs it.

        That is when it was marked as migrated, if it has not called since. Otherwise it is its last call, if that was
        ``INACTIVE_AFTER`` ago or earlier.
        """
        if self.migrated is not None and not self.calls_since_migrated:
            return self.migrated
        return self.last_seen if now - self.last_seen >= INACTIVE_AFTER else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All callers.

    Attributes:
        made: When the ledger was read, UTC.
        callers: The callers, the most recently seen first.
    """

    made: datetime
    callers: tuple[CallerSummary, ...]

    def caller(self, name: str) -> CallerSummary | None:
        """Return the caller of a name; ``None`` if there is none."""
        return next((caller for caller in self.callers if caller.name == name), None)

    @property
    def named_callers(self) -> tuple[CallerSummary, ...]:
        """The callers with access. The gateway gives unnamed callers no scores, so they lose nothing with it."""
        return tuple(caller for caller in self.callers if caller.is_named)

    @property
    def remaining_callers(self) -> tuple[CallerSummary, ...]:
        """The callers that still need the gateway."""
        return tuple(caller for caller in self.named_callers if caller.safe_since(self.made) is None)


def to_json(summary: Summary) -> bytes:
    """Return a summary as JSON, for ``read``."""
    return _adapter().dump_json(summary)


def read(path: Path) -> Summary | None:
    """Return the summary in a file; ``None`` if the writer has not written one yet."""
    try:
        return _adapter().validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


@cache
def _adapter() -> TypeAdapter[Summary]:
    return TypeAdapter(Summary)
