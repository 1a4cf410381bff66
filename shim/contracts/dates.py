"""Legacy date text to UTC.

Known forms, by the names that a mapping uses:

``ISO 8601``
    ``xs:dateTime`` (XML Schema part 2 §3.2.7): seconds are required, fractions
    are cut, no offset means UTC as in the REST API. Midnight as ``24:00:00`` and
    leap seconds are refused: only broken clients were seen to send them.
``YYYY-MM-DD``, ``MM/DD/YYYY``
    Whole days of the operation's zone, both ends inclusive: a start is the first
    second of its day, an end the last second of its day.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Final, Literal

Form = Literal["ISO 8601", "YYYY-MM-DD", "MM/DD/YYYY"]
Bound = Literal["start", "end"]

_XML_SPACE: Final = " \t\r\n"
_INSTANT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:(Z)|([+-])(\d\d):(\d\d))?", re.ASCII
)
_DAYS: Final[dict[Form, re.Pattern[str]]] = {
    "YYYY-MM-DD": re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)", re.ASCII),
    "MM/DD/YYYY": re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})", re.ASCII),
}
_FURTHEST_OFFSET: Final = timedelta(hours=14)


def to_utc(text: str, forms: Sequence[Form], bound: Bound, zone: tzinfo = UTC) -> datetime:
    """Read a date in the first of ``forms`` that it matches.

    Args:
        text: As the caller sent it; XML white space around it does not count.
        forms: The forms that the operation takes.
        bound: Which end of the range it is.
        zone: Where a whole day begins and ends.

    Returns:
        UTC without a zone, whole seconds.

    Raises:
        ValueError: It is in none of the forms, or no date of the calendar.
    """
    text = text.strip(_XML_SPACE)
    for form in forms:
        if form == "ISO 8601":
            if match := _INSTANT.fullmatch(text):
                return _instant(match)
        elif match := _DAYS[form].fullmatch(text):
            return _day(date(int(match["year"]), int(match["month"]), int(match["day"])), bound, zone)
    raise ValueError("no known form of date")


def _day(day: date, bound: Bound, zone: tzinfo) -> datetime:
    if bound == "start":
        return _in_utc(datetime.combine(day, time.min, zone))
    # Not 23:59:59 of the day: that second is there twice where clocks go back at midnight.
    if day == date.max:  # clients send it where they mean no end
        return _in_utc(datetime.combine(day, time(23, 59, 59), zone))
    return _in_utc(datetime.combine(day + timedelta(days=1), time.min, zone)) - timedelta(seconds=1)


def _instant(match: re.Match[str]) -> datetime:
    moment = datetime(*(int(part) for part in match.groups()[:6]), tzinfo=_offset(match))  # type: ignore[misc,arg-type]
    return _in_utc(moment)


def _offset(match: re.Match[str]) -> tzinfo:
    zulu, sign, hours, minutes = match.groups()[6:]
    if zulu or not sign:
        return UTC
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if int(minutes) > 59 or offset > _FURTHEST_OFFSET:  # noqa: PLR2004 - XML Schema part 2 §3.2.7.3
        raise ValueError("no known offset")
    return timezone(-offset if sign == "-" else offset)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError as error:
        raise ValueError("before the year 1 or after the year 9999 in UTC") from error
