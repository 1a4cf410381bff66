"""Reads the dates of legacy calls, which are text, as moments of UTC.

A mapping names the forms that an operation takes:

``ISO 8601``
    ``xs:dateTime``, as ``shim.wire.xsd`` reads it.
``YYYY-MM-DD``, ``MM/DD/YYYY``
    Whole days of the operation's zone, both ends inclusive: a start is the first second of its day, an end the last.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal

from shim.wire import xsd

DateForm = Literal["ISO 8601", "YYYY-MM-DD", "MM/DD/YYYY"]
"""The form of a date as text."""
Bound = Literal["start", "end"]
"""The end of a range that a date is."""

_DAYS: Final[dict[DateForm, re.Pattern[str]]] = {
    "YYYY-MM-DD": re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)", re.ASCII),
    "MM/DD/YYYY": re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})", re.ASCII),
}


def to_utc(text: str, forms: Sequence[DateForm], bound: Bound, zone: tzinfo = UTC) -> datetime:
    """Read a date in the first of ``forms`` that it matches.

    Args:
        text: The date as the caller sent it; XML white space around it does not count.
        forms: The forms that the operation takes.
        bound: Whether the date is the start or the end of the range.
        zone: The time zone in which a whole day begins and ends.

    Returns:
        UTC without a zone, whole seconds.

    Raises:
        ValueError: The text has none of the forms, or is not a date of the calendar.
    """
    text = text.strip(xsd.SPACE)
    for form in forms:
        if form == "ISO 8601":
            if (moment := xsd.read_date_time(text)) is not None:
                return moment
        elif match := _DAYS[form].fullmatch(text):
            return _bound_of_day(date(int(match["year"]), int(match["month"]), int(match["day"])), bound, zone)
    raise ValueError("in no form that the operation takes")


def _bound_of_day(day: date, bound: Bound, zone: tzinfo) -> datetime:
    if bound == "start":
        return xsd.to_utc(datetime.combine(day, time.min, zone))
    if day == date.max:  # there is no next day; clients send this one to mean no end
        return xsd.to_utc(datetime.combine(day, time(23, 59, 59), zone))
    # Not 23:59:59, which comes twice where clocks go back at midnight.
    return xsd.to_utc(datetime.combine(day + timedelta(days=1), time.min, zone)) - timedelta(seconds=1)
