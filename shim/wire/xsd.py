"""XML Schema's lexical forms of ``xs:dateTime``, ``xs:date`` and ``xs:boolean`` (XML Schema part 2 §3.2)."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

SPACE: Final = " \t\r\n"
"""XML's white space."""

_TRUE: Final = frozenset({"1", "true"})
_WRITTEN: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
_LARGEST_OFFSET: Final = timedelta(hours=14)
_FIRST_SECOND: Final = datetime(1, 1, 1)  # noqa: DTZ001 - UTC without a zone
_LAST_SECOND: Final = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001 - same


def is_true(text: str) -> bool:
    """Whether a text is an ``xs:boolean`` that is true; white space around it does not count."""
    return text.strip(SPACE) in _TRUE


def read_written(text: str) -> datetime | None:
    """Read an ``xs:dateTime``, or an ``xs:date`` as its midnight, as .NET's ``XmlConvert`` does.

    Fractions of a second are cut. Midnight as ``24:00:00`` and leap seconds are refused: .NET refuses them too, and no
    working client is known to send them.

    Args:
        text: The text without white space around it.

    Returns:
        Whole seconds as they are written, with the offset; without a zone if the text has no offset. None for text in
        neither form, or not in the calendar.
    """
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, offset = match.groups(default="")
    clock = (int(hour), int(minute), int(second)) if hour else (0, 0, 0)
    try:
        return datetime(int(year), int(month), int(day), *clock, tzinfo=read_offset(offset) if offset else None)
    except ValueError:
        return None


def read_date_time(text: str) -> datetime | None:
    """Read an ``xs:dateTime``; no offset means UTC, as in the REST API.

    Args:
        text: The text without white space around it.

    Returns:
        The moment in UTC, without a zone; None for other text.
    """
    written = read_written(text) if "T" in text else None
    return None if written is None else to_utc(written)


def read_offset(text: str) -> tzinfo:
    """Read an offset: ``Z``, or a sign, two digits for the hours, any other character, and two digits for the minutes.

    Raises:
        ValueError: It is larger than 14 hours, or has more than 59 minutes (XML Schema part 2 §3.2.7.3).
    """
    if text in ("Z", "z"):
        return UTC
    minutes = int(text[-2:])
    offset = timedelta(hours=int(text[1:3]), minutes=minutes)
    if minutes > 59 or offset > _LARGEST_OFFSET:  # noqa: PLR2004 - minutes of an hour
        raise ValueError("not an offset of XML Schema")
    return timezone(-offset if text[0] == "-" else offset)


def to_utc(moment: datetime) -> datetime:
    """Return a moment in UTC, without a zone. A moment without a zone is in UTC already.

    A moment outside the years 1 to 9999 of UTC becomes the first or the last second of these years, as in .NET: a
    client that means no start or no end sends the first or the last moment of the calendar in its own zone.
    """
    if moment.tzinfo is None or moment.tzinfo is UTC:
        return moment.replace(tzinfo=None)
    try:
        return moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        return _FIRST_SECOND if moment.year == 1 else _LAST_SECOND
