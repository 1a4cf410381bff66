"""Date text to UTC: every result is what arithmetic of another kind says, and within the day that the text names."""

import calendar
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from shim.contracts.dates import Bound, DateForm, to_utc
from tests.fuzz.inputs import Choices

WORDS: Final = (
    b"T",
    b"Z",
    b"-",
    b":",
    b"/",
    b"+14:00",
    b"-14:00",
    b"2024-02-29",
    b"24:00:00",
    b"23:59:60",
    b"9999-12-31",
)

_FORMS: Final[tuple[DateForm, ...]] = ("ISO 8601", "YYYY-MM-DD", "MM/DD/YYYY")
_BOUNDS: Final[tuple[Bound, ...]] = ("start", "end")
# With days that are missing, begin at one, are 23 or 25 hours long, or are there twice; and both ends of the world.
_ZONES: Final[tuple[tzinfo, ...]] = (
    UTC,
    *map(
        ZoneInfo,
        (
            "America/New_York",
            "America/Sao_Paulo",
            "America/St_Johns",
            "America/Nuuk",
            "America/Scoresbysund",
            "America/Havana",
            "America/Asuncion",
            "America/Anchorage",
            "Africa/Cairo",
            "Africa/Monrovia",
            "Antarctica/Troll",
            "Asia/Amman",
            "Asia/Beirut",
            "Asia/Gaza",
            "Asia/Kathmandu",
            "Asia/Tehran",
            "Atlantic/Azores",
            "Australia/Lord_Howe",
            "Europe/Dublin",
            "Europe/London",
            "Pacific/Apia",
            "Pacific/Chatham",
            "Pacific/Kiritimati",
            "Pacific/Kwajalein",
            "Etc/GMT+12",
            "Etc/GMT-14",
        ),
    ),
)
_EPOCH: Final = 1970
"""Before it, zones are guesses: the database itself says so."""
_XML_SPACE: Final = " \t\r\n"
_SECOND: Final = timedelta(seconds=1)


def run(data: bytes) -> None:
    """A zone, then a date as numbers or as text."""
    choices = Choices(data)
    zone = choices.pick(_ZONES)
    text = _written(choices) if choices.number(2) else choices.rest().decode(errors="replace")
    day = _day(text.strip(_XML_SPACE))
    for bound in _BOUNDS:
        results = {form: _read(text, (form,), bound, zone) for form in _FORMS}
        assert sum(result is not None for result in results.values()) <= 1, "two forms take the same text"
        known = next((result for result in results.values() if result is not None), None)
        assert _read(text, _FORMS, bound, zone) == known == _read(text, _FORMS[::-1], bound, zone)
        assert _read(f"\t{text}\r\n ", _FORMS, bound, zone) == known
        assert results["ISO 8601"] == _instant(text.strip(_XML_SPACE))
        if known is not None:
            assert known.microsecond == 0
            assert known.tzinfo is None
    if day is not None:
        _check_day(text, day, zone)
    else:
        assert _read(text, _FORMS[1:], "start", zone) is None


def _written(choices: Choices) -> str:
    """A date, right or nearly, in any form."""
    year, month, day = choices.number(10001), choices.number(14), choices.number(33)
    form = choices.number(4)
    if form == 0:
        return f"{month}/{day}/{year:04}"
    if form == 1:
        return f"{year:04}-{month:02}-{day:02}"
    hour, minute, second = choices.number(25), choices.number(61), choices.number(61)
    offset = ("", "Z", f"+{choices.number(15):02}:{choices.number(61):02}", f"-{choices.number(15):02}:00")
    fraction = ("", ".0", ".999999999")
    instant = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
    return f"{instant}{choices.pick(fraction)}{choices.pick(offset)}"


def _read(text: str, forms: tuple[DateForm, ...], bound: Bound, zone: tzinfo) -> datetime | None:
    try:
        return to_utc(text, forms, bound, zone)
    except ValueError:
        return None


def _check_day(text: str, day: date, zone: tzinfo) -> None:
    start, end = (_read(text, _FORMS, bound, zone) for bound in _BOUNDS)
    if start is None:
        assert day.year in (1, 9999)
    if end is None:
        assert day.year in (1, 9999)
    if day.year < _EPOCH or start is None or end is None:
        return
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone).astimezone(UTC).astimezone(zone)
    if noon.date() != day:  # a zone that crossed the date line left this day out: nothing was reported in it
        assert start > end
        return
    assert start < end
    if day not in (date.min, date.max):
        assert timedelta(hours=20) < end - start < timedelta(hours=28)
    for moment, before in ((start, True), (end, False)):
        assert _local(moment, zone) == day, "not within the day that the text names"
        if day not in (date.min, date.max):
            beyond = _local(moment - _SECOND if before else moment + _SECOND, zone)
            assert (beyond < day) if before else (beyond > day), "a part of the day is left out"


def _local(moment: datetime, zone: tzinfo) -> date:
    return moment.replace(tzinfo=UTC).astimezone(zone).date()


def _day(text: str) -> date | None:
    """The day, of a text without a time."""
    if text.count("/") == 2:
        month, day, year = text.split("/")
        lengths = {1, 2}, {1, 2}, {4}
    elif text.count("-") == 2:
        year, month, day = text.split("-")
        lengths = {2}, {2}, {4}
    else:
        return None
    for part, allowed in zip((month, day, year), lengths, strict=True):
        if not (part.isascii() and part.isdigit() and len(part) in allowed):
            return None
    return _calendar(int(year), int(month), int(day))


def _instant(text: str) -> datetime | None:
    """The instant, without regular expressions or zones."""
    day_text, _, rest = text.partition("T")
    day = _day(day_text) if "/" not in day_text else None
    clock, east = rest, 0
    if rest.endswith("Z"):
        clock = rest[:-1]
    elif rest[-6:-5] in ("+", "-"):
        clock, sign, offset = rest[:-6], rest[-6], _numbers(rest[-5:])
        if len(offset) != 2 or offset[1] > 59 or 60 * offset[0] + offset[1] > 14 * 60:
            return None
        east = (60 * offset[0] + offset[1]) * (-60 if sign == "-" else 60)
    seconds, dot, fraction = clock.partition(".")
    time = _numbers(seconds)
    if day is None or len(time) != 3 or (dot and not (fraction.isascii() and fraction.isdigit())):
        return None
    if time[0] > 23 or time[1] > 59 or time[2] > 59:
        return None
    since = day.toordinal() * 86400 + 3600 * time[0] + 60 * time[1] + time[2] - east
    try:
        return datetime(1, 1, 1) + timedelta(seconds=since - 86400)  # noqa: DTZ001 - UTC without a zone
    except OverflowError:
        return None


def _numbers(text: str) -> list[int]:
    """Pairs of digits between colons; nothing if it is anything else."""
    parts = text.split(":")
    return [int(part) for part in parts] if all(len(p) == 2 and p.isascii() and p.isdigit() for p in parts) else []


def _calendar(year: int, month: int, day: int) -> date | None:
    if not (1 <= year <= 9999 and 1 <= month <= 12):
        return None
    return date(year, month, day) if 1 <= day <= calendar.monthrange(year, month)[1] else None
