"""XML Schema's lexical forms of ``xs:dateTime`` and ``xs:boolean`` (XML Schema part 2 §3.2)."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

SPACE: Final = " \t\r\n"
"""XML's white space."""

_TRUE: Final = frozenset({"1", "true"})
_DATE_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:(Z)|([+-])(\d\d):(\d\d))?", re.ASCII
)
_LARGEST_OFFSET: Final = timedelta(hours=14)


def is_true(text: str) -> bool:
    """Whether a text is an ``xs:boolean`` that is true; white space around it does not count."""
    return text.strip(SPACE) in _TRUE


def read_date_time(text: str) -> datetime | None:
    """Read a date and time.

    Fractions of a second are cut, and no offset means UTC, as in the REST API. Midnight as ``24:00:00`` and leap
    seconds are refused: .NET refuses them too, and no working client is known to send them.

    Args:
        text: The text without white space around it.

    Returns:
        The moment in UTC, without a zone; None for text that does not have the form of a date and time.

    Raises:
        ValueError: The text has the form, but is not a moment of the calendar between the years 1 and 9999 in UTC.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    return to_utc(datetime(year, month, day, hour, minute, second, tzinfo=_offset(match)))


def to_utc(moment: datetime) -> datetime:
    """Return a moment in UTC, without a zone.

    Raises:
        ValueError: The moment is before the year 1 or after the year 9999 in UTC.
    """
    try:
        return moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError as error:
        raise ValueError("before the year 1 or after the year 9999 in UTC") from error


def _offset(match: re.Match[str]) -> tzinfo:
    zulu, sign, hours, minutes = match.groups()[6:]
    if zulu or not sign:
        return UTC
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if int(minutes) > 59 or offset > _LARGEST_OFFSET:  # noqa: PLR2004 - XML Schema part 2 §3.2.7.3
        raise ValueError("not an offset of XML Schema")
    return timezone(-offset if sign == "-" else offset)
