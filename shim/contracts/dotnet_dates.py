"""Reads dates as .NET's ``DateTime.Parse`` reads them under en-US, unless .NET guesses.

.NET guesses a year or a day that is missing, the date of a time alone, and ``31-Apr-25``, which it takes for 25 April
1931. These are refused, and so are a few orders that nobody is known to write, such as a year between month and day.

Two digits mean a year from 1930 to 2029, as on the .NET Framework and on Mono; on .NET 8 they go to 2049.
"""

import re
from datetime import UTC, datetime, tzinfo
from typing import Final

from shim.contracts.date_parts import MONTHS, full_year, hour_of_day, month_number
from shim.wire import xsd

_PIVOT: Final = 2029
_LONGEST: Final = 200
"""Characters of a text: a bound for the time that the expressions take."""
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _names(names: tuple[str, ...]) -> str:
    return "|".join(f"{name[:3]}(?:{name[3:]})?" for name in names)


_FILL: Final = r"[ ,.]"
_BETWEEN: Final = rf"(?: *[/-] *|{_FILL}+)"
_BESIDE_NAME: Final = rf"(?: *[/-] *|{_FILL}*)"
_NAME: Final = f"(?P<month>{_names(MONTHS)})"
_MONTH: Final = r"(?P<month>\d{1,2})"
_DAY: Final = r"(?P<day>\d{1,2})"
_YEAR: Final = r"(?P<year>\d{1,4})"
_LONG_YEAR: Final = r"(?P<year>\d{3,4})"
_DATES: Final = (
    f"{_MONTH}{_BETWEEN}{_DAY}{_BETWEEN}{_YEAR}",
    f"{_LONG_YEAR}{_BETWEEN}{_MONTH}{_BETWEEN}{_DAY}",
    f"{_NAME}{_BESIDE_NAME}{_DAY}{_BETWEEN}{_YEAR}",
    f"{_DAY}{_BESIDE_NAME}{_NAME}{_BESIDE_NAME}{_YEAR}",
    f"{_LONG_YEAR}{_BESIDE_NAME}{_NAME}{_BESIDE_NAME}{_DAY}",
)
_WEEKDAY: Final = f"(?:(?P<weekday>{_names(_WEEKDAYS)}){_FILL}*)?"
_CLOCK: Final = (
    r"(?=\d{1,2} *(?::|[AP]M))(?P<hour>\d{1,2})"
    r"(?: *: *(?P<minute>\d{1,2})(?: *: *(?P<second>\d{1,2})(?:\.\d+)?)?)?"
    r"(?: *(?P<half>[AP]M)(?![A-Z]))?"
)
_ERA: Final = r"(?: *A\.?D\.?)?"
_OFFSET: Final = r"[+-]\d{1,2}(?::\d{1,2}|\d\d)?"
_ZONE: Final = rf"(?: *(?P<zone>Z|GMT|{_OFFSET}))?"
# DateTime.Parse reads T only in this order, and with a clock of 24 hours.
_ISO_8601: Final = (
    f"{_LONG_YEAR}[/-]{_MONTH}[/-]{_DAY} *T *"
    r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?"
    f"(?: *(?P<zone>Z|{_OFFSET}))?"
)
_FORMS: Final = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        _ISO_8601,
        # Visual Basic writes a date between number signs.
        *(f"#?{_FILL}*{_WEEKDAY}{date}{_ERA}(?:{_FILL}+{_CLOCK})?{_ZONE}{_FILL}*#?" for date in _DATES),
        *(f"#?{_FILL}*{_CLOCK}{_ZONE}{_FILL}+{_WEEKDAY}{date}{_ERA}{_FILL}*#?" for date in _DATES),
    )
)


def read(text: str) -> datetime | None:
    """Read a date.

    Args:
        text: The text, whose white space is single blanks.

    Returns:
        Whole seconds as they are written, midnight for a day alone, with the offset; without a zone if the text has
        none. None for text in another form, or not in the calendar.
    """
    if len(text) > _LONGEST:
        return None
    match = next((match for form in _FORMS if (match := form.fullmatch(text))), None)
    if match is None:
        return None
    found = match.groupdict(default="")
    try:
        written = datetime(
            full_year(found["year"], _PIVOT),
            month_number(found["month"]),
            int(found["day"]),
            hour_of_day(int(found.get("hour") or 0), found.get("half", "")),
            int(found.get("minute") or 0),
            int(found.get("second") or 0),
            tzinfo=_offset(found.get("zone", "")),
        )
    except ValueError:
        return None
    weekday = found.get("weekday", "").capitalize()
    return written if _WEEKDAYS[written.weekday()].startswith(weekday) else None


def _offset(zone: str) -> tzinfo | None:
    if not zone or zone[0] not in "+-":
        return UTC if zone else None
    hours, colon, minutes = zone[1:].partition(":")
    if not colon and len(hours) > 2:  # noqa: PLR2004 - the hours alone
        hours, minutes = hours[:-2], hours[-2:]
    return xsd.read_offset(f"{zone[0]}{hours:0>2}:{minutes:0>2}")
