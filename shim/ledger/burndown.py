"""The burndown of a summary: how many callers still needed the gateway, day by day."""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from shim.ledger.summary import HISTORY_DAYS, CallerSummary, Summary

_DAY = timedelta(days=1)


class BurndownDay(NamedTuple):
    """The named callers of one day.

    Attributes:
        day: The day, UTC.
        remaining: Callers that still needed the gateway.
        active: Callers that called.
    """

    day: date
    remaining: int
    active: int

    @property
    def timestamp(self) -> int:
        """The start of the day as Unix time."""
        return int(datetime.combine(self.day, time.min, UTC).timestamp())


def burndown(summary: Summary) -> list[BurndownDay]:
    """Return the days from the first call to the day of the summary, oldest first, at most ``HISTORY_DAYS``."""
    today = summary.made.date()
    callers = summary.named_callers
    spans = [_span(caller, summary.made) for caller in callers]
    first = min((start for start, _ in spans), default=today)
    days = []
    for age in range(min((today - first).days, HISTORY_DAYS - 1), -1, -1):
        day = today - age * _DAY
        remaining = sum(start <= day <= end for start, end in spans)
        active = sum(bool(caller.daily[-1 - age]) for caller in callers)
        days.append(BurndownDay(day, remaining, active))
    return days


def _span(caller: CallerSummary, now: datetime) -> tuple[date, date]:
    """Return the first and the last day on which a caller needed the gateway."""
    safe = caller.safe_since(now)
    today = now.date()
    # Count the day of the migration, except today: today's number must be that of the verdict.
    last = today if safe is None else min(safe.date(), today - _DAY)
    return caller.first_seen.date(), last
