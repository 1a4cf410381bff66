"""What the ledger says of each caller, as the commands and the status page show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from shim.query import Format

DAYS: Final = 90
"""How many days a summary looks back, day by day."""
QUIET: Final = timedelta(days=30)
"""After so long without a call, a caller counts as gone though nobody said that it migrated."""

Trend = Literal["rising", "steady", "falling", "silent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastQuery:
    """What the last call of an operation with scores for an answer asked of TOEFL Access.

    Attributes:
        operation: The operation.
        startdate: UTC, ``YYYY-MM-DDTHH:MM:SS``.
        enddate: The same.
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
        name: Its name in the configuration; a keyed hash of its address and software where it has none.
        is_named: Whether it has one.
        first_seen: When it first called, UTC.
        last_seen: When it last did.
        daily: Its calls on each of the last ``DAYS`` days, oldest first, the last of them today (UTC).
        operations: What it called in the last ``DAYS`` days.
        software: What it called with.
        outcomes: Its calls of the last 30 days by how they ended: ``ok``, or the reason of a fault.
        migrated: When it was marked as migrated, UTC; ``None`` if it was not.
        calls_since_migrated: Calls after that.
        last_queries: Of each operation.
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
        """The last 7 days against the 7 before; a quarter more or less counts as steady."""
        now, before = self.calls_7, sum(self.daily[-14:-7])
        if not now:
            return "silent"
        if now > 1.25 * before:
            return "rising"
        return "falling" if now < 0.75 * before else "steady"

    def safe_since(self, now: datetime) -> datetime | None:
        """Since when it needs the gateway no more: marked and silent since then, or silent for ``QUIET``."""
        if self.migrated is not None and not self.calls_since_migrated:
            return self.migrated
        return self.last_seen if now - self.last_seen >= QUIET else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All callers.

    Attributes:
        made: When this was read from the ledger, UTC.
        callers: Those that called last come first.
    """

    made: datetime
    callers: tuple[CallerSummary, ...]

    def caller(self, name: str) -> CallerSummary | None:
        """The caller of a name, if anybody has called by it."""
        return next((caller for caller in self.callers if caller.name == name), None)

    @property
    def known(self) -> tuple[CallerSummary, ...]:
        """The callers that were let in; a stranger that was not has nothing of the gateway, and cannot lose it."""
        return tuple(caller for caller in self.callers if caller.is_named)

    @property
    def in_use_by(self) -> tuple[CallerSummary, ...]:
        """The callers that still need the gateway."""
        return tuple(caller for caller in self.known if caller.safe_since(self.made) is None)

    @property
    def may_be_switched_off(self) -> bool:
        """Whether nobody needs it any more."""
        return not self.in_use_by


def to_json(summary: Summary) -> bytes:
    """A summary as text."""
    return _adapter().dump_json(summary)


def read(path: Path) -> Summary | None:
    """The last summary that the ledger's writer wrote; ``None`` if it has written none yet."""
    try:
        return _adapter().validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


@cache
def _adapter() -> TypeAdapter[Summary]:
    return TypeAdapter(Summary)
