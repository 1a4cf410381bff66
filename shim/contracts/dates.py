"""Reads the dates of legacy calls, which are text, as moments of UTC.

A mapping names the forms that an operation takes:

``ISO 8601``
    ``xs:dateTime`` and ``xs:date``, as ``shim.wire.xsd`` reads them.
``.NET en-US``
    What ``DateTime.Parse`` reads under en-US, as ``shim.contracts.dotnet_dates`` reads it.
Any other
    A pattern such as ``MM/DD/YYYY`` or ``M/D/YYYY h:mm:ss AM/PM``, as ``shim.contracts.date_pattern`` reads it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Final, Literal

from shim.contracts import dotnet_dates
from shim.contracts.date_pattern import DatePattern
from shim.wire import xsd

Bound = Literal["start", "end"]
"""The end of a range that a date is."""

ISO_8601: Final = "ISO 8601"
DOTNET: Final = ".NET en-US"
DAY: Final = "YYYY-MM-DD"

_US_DAY: Final = "MM/DD/YYYY"
_LAST_SECOND: Final = time(23, 59, 59)
_LAST_MINUTE: Final = time(23, 59)
# The forms that most clients write are tried first: it takes half the time. None of them is read in another way.
_EXPANDED: Final = {DOTNET: (_US_DAY, DAY, ISO_8601, DOTNET)}
_Read = Callable[[str], datetime | None]
_READERS: Final[Mapping[str, _Read]] = {ISO_8601: xsd.read_written, DOTNET: dotnet_dates.read}


def check_forms(forms: Sequence[str], pivot: int | None) -> None:
    """Check the forms of an operation.

    Args:
        forms: The names of the forms.
        pivot: The last year that two digits mean in a pattern; None if no pattern has a year of two digits.

    Raises:
        ValueError: A form is unknown, two forms read one text as different dates, or the pivot is not needed.
    """
    patterns = _patterns(forms, pivot)
    if pivot is not None and not any(pattern.has_short_year for pattern in patterns.values()):
        raise ValueError("pivot is the last year that YY means, and no pattern has YY: delete pivot")
    readers = _readers(forms, patterns)
    for pattern in patterns.values():
        for text in pattern.samples():
            _check_sample(text, readers)


def _patterns(forms: Iterable[str], pivot: int | None) -> dict[str, DatePattern]:
    return {form: DatePattern(form, pivot) for form in forms if form not in _READERS}


def _readers(forms: Iterable[str], patterns: Mapping[str, DatePattern]) -> dict[str, _Read]:
    return {form: patterns[form].read if form in patterns else _READERS[form] for form in forms}


def _check_sample(text: str, readers: Mapping[str, _Read]) -> None:
    found = [(form, written) for form, read in readers.items() if (written := read(text)) is not None]
    for (one, first), (other, second) in pairwise(found):
        if first != second:
            raise ValueError(f'"{one}" and "{other}" read {text} as different dates: keep the form that clients write')


def bound_of_day(day: date, bound: Bound, zone: tzinfo) -> datetime:
    """Return the first or the last second of a day of a zone, in UTC without a zone."""
    if zone is UTC:  # the zone of most operations
        return datetime.combine(day, time.min if bound == "start" else _LAST_SECOND)
    if bound == "start":
        return xsd.to_utc(datetime.combine(day, time.min, zone))
    if day == date.max:  # there is no next day; clients send this one to mean no end
        return xsd.to_utc(datetime.combine(day, _LAST_SECOND, zone))
    # Not 23:59:59, which comes twice where clocks go back at midnight.
    next_day = xsd.to_utc(datetime.combine(day + timedelta(days=1), time.min, zone))
    return next_day - timedelta(seconds=1)


class DateReader:
    """Reads the dates of one operation."""

    def __init__(
        self, forms: Sequence[str], zone: tzinfo = UTC, pivot: int | None = None, *, instants: bool = False
    ) -> None:
        """Prepare the forms.

        Args:
            forms: The names of the forms, in the order in which they are tried.
            zone: The time zone of the days, and of times without an offset.
            pivot: The last year that two digits mean in a pattern.
            instants: Whether the operation is one of instants: midnight is then a moment and not a day, and a time
                without an offset is in UTC, as in the REST API.

        Raises:
            ValueError: A form is unknown.
        """
        self._forms = [form for name in forms for form in _EXPANDED.get(name, (name,))]
        self._patterns = _patterns(self._forms, pivot)
        self._readers = tuple(_readers(self._forms, self._patterns).values())
        self._zone = UTC if instants else zone
        self._instants = instants

    def to_utc(self, text: str, bound: Bound) -> datetime:
        """Read a date in the first of the forms that it has.

        In an operation of whole days, midnight is the day that is written, whatever its offset, and an end in the last
        minute of a day is at least the end of that day: clients write 11:59 PM.

        Fractions of a second are cut at both ends: 23:59:59.9999999, which .NET programs make for the end of a day,
        would be rounded up to the next day.

        Args:
            text: The date as the caller sent it; white space around it does not count.
            bound: Whether the date is the start or the end of the range.

        Returns:
            UTC without a zone, whole seconds.

        Raises:
            ValueError: The text has none of the forms, or is not in the calendar.
        """
        written = self._written(" ".join(text.split()))
        if self._instants:
            return xsd.to_utc(written)
        if written.time() == time.min:
            return bound_of_day(written.date(), bound, self._zone)
        moment = self._moment(written, bound)
        if bound == "end" and written.time() >= _LAST_MINUTE:
            return max(moment, bound_of_day(written.date(), bound, self._zone))
        return moment

    def write(self, moment: datetime) -> Iterator[str]:
        """Return the texts by which a moment may be written, in the order of the forms.

        Args:
            moment: UTC without a zone.
        """
        local = moment.replace(tzinfo=UTC).astimezone(self._zone).replace(tzinfo=None)
        for form in self._forms:
            if form != DOTNET:
                yield self._patterns[form].write(local) if form in self._patterns else local.isoformat()

    def _written(self, text: str) -> datetime:
        for read in self._readers:
            if (written := read(text)) is not None:
                return written
        raise ValueError("not a date in a form that the operation takes")

    def _moment(self, written: datetime, bound: Bound) -> datetime:
        if written.tzinfo is not None:
            return xsd.to_utc(written)
        # Clocks show some times twice or never: the range is then the wider one.
        first, second = (xsd.to_utc(written.replace(tzinfo=self._zone, fold=fold)) for fold in (0, 1))
        return min(first, second) if bound == "start" else max(first, second)
