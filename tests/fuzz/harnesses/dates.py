"""Date text to UTC: every result is what arithmetic of another kind says; no range leaves out a day that is named."""

import calendar
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from shim.contracts.date_pattern import DatePattern
from shim.contracts.dates import Bound, DateReader, bound_of_day
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
    *(b"YYYY", b"YY", b"MONTH", b"MON", b"MM", b"DD", b"HH", b"hh", b"mm", b"ss", b"AM/PM"),
    *(b"April", b"Apr", b"Monday, ", b" 12:00:00 AM", b" 11:59 PM", b" GMT", b"21-Apr-2025", b"4/21/2025"),
)

_ISO: Final = "ISO 8601"
_DOTNET: Final = ".NET en-US"
_LISTED: Final = (_ISO, "YYYY-MM-DD", "MM/DD/YYYY")
_PIVOT: Final = 2049
_PATTERNS: Final = {
    name: DatePattern(name, _PIVOT)
    for name in (
        "M/D/YYYY h:mm:ss AM/PM",
        "DD-MON-YYYY",
        "MONTH D, YYYY",
        "D/M/YY",
        "YYYYMMDDTHHmmss",
        "D.M.YYYY H:mm",
    )
}
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
_SECOND: Final = timedelta(seconds=1)
_LAST_MINUTE: Final = time(23, 59)


def run(data: bytes) -> None:
    """A zone, then a date as text or as numbers, or a pattern."""
    choices = Choices(data)
    zone = choices.pick(_ZONES)
    kind = choices.number(3)
    if kind == 2:
        moment = datetime(1950, 1, 1) + timedelta(seconds=choices.number(2**31))  # noqa: DTZ001 - as written
        _check_pattern(choices.rest().decode(errors="replace"), moment, zone)
        return
    text = _written(choices) if kind else choices.rest().decode(errors="replace")
    plain = " ".join(text.split())
    _check_instant(text, plain)
    _check_forms(text, zone)
    day = _day(plain)
    if day is not None:
        _check_day(text, day, zone)
    else:
        assert _read(text, _reader(_LISTED[1:], zone), "start") is None
    for name, pattern in _PATTERNS.items():
        _check_named(text, pattern.read(plain), _reader((name,), zone), zone)


def _check_instant(text: str, plain: str) -> None:
    for bound in _BOUNDS:
        assert _read(text, _made(DateReader, (_ISO,), UTC, instants=True), bound) == _instant(plain)


def _check_forms(text: str, zone: tzinfo) -> None:
    for bound in _BOUNDS:
        known = {found for form in _LISTED if (found := _read(text, _reader((form,), zone), bound)) is not None}
        assert len(known) <= 1, "two forms read the same text as different dates"
        expected = next(iter(known), None)
        for forms in (_LISTED, _LISTED[::-1]):
            assert _read(text, _reader(forms, zone), bound) == expected
        assert _read(f"\t{text}\r\n ", _reader(_LISTED, zone), bound) == expected
        by_dotnet = _read(text, _reader((_DOTNET,), zone), bound)
        assert expected in (None, by_dotnet), ".NET reads it in another way"
        if by_dotnet is not None:
            assert by_dotnet.microsecond == 0
            assert by_dotnet.tzinfo is None


def _check_pattern(text: str, moment: datetime, zone: tzinfo) -> None:
    try:
        pattern = DatePattern(text, _PIVOT)
    except ValueError:
        return
    assert all(pattern.read(sample) is not None for sample in pattern.samples())
    written = pattern.write(moment)
    named = pattern.read(written)
    assert named is not None
    assert named.date() == moment.date()
    assert named.time() in (
        time.min,
        moment.time(),
        moment.time().replace(second=0),
        moment.time().replace(minute=0, second=0),
    )
    _check_named(written, named, DateReader((text,), zone, _PIVOT), zone)


def _check_named(text: str, named: datetime | None, reader: DateReader, zone: tzinfo) -> None:
    """The range of a text contains what it names: a day, or a moment however clocks show it."""
    start, end = (_read(text, reader, bound) for bound in _BOUNDS)
    if named is None or start is None or end is None:
        assert named is None
        assert start is end is None
        return
    if named.time() == time.min:
        assert (start, end) == tuple(bound_of_day(named.date(), bound, zone) for bound in _BOUNDS)
        return
    if named.year in (1, 9999):
        return
    for fold in (0, 1):
        moment = named.replace(tzinfo=zone, fold=fold).astimezone(UTC).replace(tzinfo=None)
        assert start <= moment <= end
    assert named.time() < _LAST_MINUTE or end >= bound_of_day(named.date(), "end", zone)


def _written(choices: Choices) -> str:
    """A date, right or nearly, in any form."""
    year, month, day = choices.number(10001), choices.number(14), choices.number(33)
    form = choices.number(6)
    if form == 0:
        return f"{month}/{day}/{year:04}"
    if form == 1:
        return f"{year:04}-{month:02}-{day:02}"
    hour, minute, second = choices.number(25), choices.number(61), choices.number(61)
    offset = ("", "Z", f"+{choices.number(15):02}:{choices.number(61):02}", f"-{choices.number(15):02}:00", "z")
    if form == 4:
        return f"{month}/{day}/{year:04} {hour % 13}:{minute:02}:{second:02} {choices.pick(('AM', 'pm'))}"
    if form == 5:
        name = calendar.month_name[month % 13][: 3 + 9 * choices.number(2)]
        written = (f"{day:02}-{name}-{year:04}", f"{name} {day}, {year:04}", f"{day} {name} {year % 100:02}")
        return f"{choices.pick(written)}{choices.pick(offset)}"
    fraction = ("", ".0", ".999999999")
    instant = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
    return f"{instant}{choices.pick(fraction)}{choices.pick(offset)}"


@cache
def _made(reader: type[DateReader], forms: tuple[str, ...], zone: tzinfo, *, instants: bool = False) -> DateReader:
    pivot = _PIVOT if any("YY" in form and "YYYY" not in form for form in forms) else None
    return reader(forms, zone, pivot, instants=instants)


def _reader(forms: tuple[str, ...], zone: tzinfo) -> DateReader:
    return _made(DateReader, forms, zone)


def _read(text: str, reader: DateReader, bound: Bound) -> datetime | None:
    try:
        return reader.to_utc(text, bound)
    except ValueError:
        return None


def _check_day(text: str, day: date, zone: tzinfo) -> None:
    start, end = (_read(text, _reader(_LISTED, zone), bound) for bound in _BOUNDS)
    assert start is not None
    assert end is not None
    if day.year < _EPOCH or day == date.max:
        return
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone).astimezone(UTC).astimezone(zone)
    if noon.date() != day:  # a zone that crossed the date line left this day out: nothing was reported in it
        assert start > end
        return
    assert start < end
    assert timedelta(hours=20) < end - start < timedelta(hours=28)
    for moment, before in ((start, True), (end, False)):
        assert _local(moment, zone) == day, "not within the day that the text names"
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
    """The instant of an xs:dateTime or an xs:date, without regular expressions or zones."""
    moment, east = text, 0
    if text[-1:] in ("Z", "z"):
        moment = text[:-1]
    elif text[-6:-5] in ("+", "-") and ":" in text[-6:]:
        moment, sign, offset = text[:-6], text[-6], _numbers(text[-5:])
        if len(offset) != 2 or offset[1] > 59 or 60 * offset[0] + offset[1] > 14 * 60:
            return None
        east = (60 * offset[0] + offset[1]) * (-60 if sign == "-" else 60)
    day_text, has_time, clock = moment.partition("T")
    day = _day(day_text) if "/" not in day_text else None
    clock = clock if has_time else "00:00:00"
    seconds, dot, fraction = clock.partition(".")
    numbers = _numbers(seconds)
    if day is None or len(numbers) != 3 or (dot and not (fraction.isascii() and fraction.isdigit())):
        return None
    if numbers[0] > 23 or numbers[1] > 59 or numbers[2] > 59:
        return None
    since = day.toordinal() * 86400 + 3600 * numbers[0] + 60 * numbers[1] + numbers[2] - east
    since = min(max(since, 86400), (date.max.toordinal() + 1) * 86400 - 1)
    return datetime(1, 1, 1) + timedelta(seconds=since - 86400)  # noqa: DTZ001 - UTC without a zone


def _numbers(text: str) -> list[int]:
    """Pairs of digits between colons; nothing if it is anything else."""
    parts = text.split(":")
    return [int(part) for part in parts] if all(len(p) == 2 and p.isascii() and p.isdigit() for p in parts) else []


def _calendar(year: int, month: int, day: int) -> date | None:
    if not (1 <= year <= 9999 and 1 <= month <= 12):
        return None
    return date(year, month, day) if 1 <= day <= calendar.monthrange(year, month)[1] else None
