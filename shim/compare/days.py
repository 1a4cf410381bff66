"""Days of a zone as ranges of time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from shim.contracts.dates import bound_of_day
from shim.query import ScoreQuery

_SECOND: Final = timedelta(seconds=1)


def whole_days(first: date, last: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the first second of one day and the last second of another, in UTC without a zone."""
    return bound_of_day(first, "start", zone), bound_of_day(last, "end", zone)


def days_of(query: ScoreQuery, zone: tzinfo) -> Iterator[ScoreQuery]:
    """Return a query in parts of one day of a zone each, in order; together they ask for the same range."""
    start = query.start
    while start < query.end:
        day = (start + _SECOND).replace(tzinfo=UTC).astimezone(zone).date()
        end = min(whole_days(day, day, zone)[1], query.end)
        # A single second cannot be asked for: a range must start before its end.
        end = query.end if query.end - end <= _SECOND else end
        yield replace(query, start=start, end=end)
        start = end + _SECOND
