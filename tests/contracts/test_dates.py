from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shim.contracts.dates import Bound, DateReader, bound_of_day, check_forms

INSTANTS = DateReader(["ISO 8601"], instants=True)
LISTED: Sequence[str] = ("MM/DD/YYYY", "YYYY-MM-DD", "ISO 8601")
DAYS = DateReader(LISTED)
PATTERNS: Sequence[str] = (
    *("D/M/YYYY", "DD/MM/YYYY", "M/D/YYYY", "MM/DD/YYYY", "YYYY-MM-DD", "YYYYMMDD", "DDMMYYYY", "DD-MON-YYYY"),
    *("D MONTH YYYY", "MONTH D, YYYY", "D.M.YYYY", "M/D/YYYY h:mm:ss AM/PM", "MM/DD/YYYY HH:mm", "YYYYMMDDHHmmss"),
    *("YYYY-MM-DDTHH:mm:ss.f", "D/M/YY", "YYMMDD", "hh:mm AM/PM DD-MON-YY"),
)

days = st.dates(date(1, 1, 3), date(9999, 12, 29))
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
bounds = st.sampled_from(["start", "end"])
zones = st.sampled_from(
    ["America/New_York", "America/Havana", "America/Santiago", "Pacific/Apia", "Africa/Casablanca", "Asia/Beirut"]
)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture
def new_york() -> tzinfo:
    return of_the_system("America/New_York")


def of_the_system(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        pytest.skip("this machine has no time zones")


def range_of(reader: DateReader, start: str, end: str | None = None) -> tuple[str, str]:
    """Return the range that two texts ask for, or that one text asks for as both ends."""
    last = start if end is None else end
    return reader.to_utc(start, "start").isoformat(), reader.to_utc(last, "end").isoformat()


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        pytest.param("2025-04-21T16:45:03", "2025-04-21T16:45:03", id="no offset is UTC"),
        pytest.param("2025-04-21T16:45:03Z", "2025-04-21T16:45:03", id="zulu"),
        pytest.param("2025-04-21T16:45:03z", "2025-04-21T16:45:03", id="lower-case zulu"),
        pytest.param("2025-04-21T16:45:03-04:00", "2025-04-21T20:45:03", id="west"),
        pytest.param("2025-04-21T01:15:03+05:30", "2025-04-20T19:45:03", id="east, the day before"),
        pytest.param("2025-04-21T16:45:03+14:00", "2025-04-21T02:45:03", id="furthest east"),
        pytest.param("2025-04-21T16:45:03-14:00", "2025-04-22T06:45:03", id="furthest west"),
        pytest.param("2025-04-21T16:45:03-00:00", "2025-04-21T16:45:03", id="minus nothing"),
        pytest.param("2025-04-21T16:45:03.9999999", "2025-04-21T16:45:03", id="fraction of .NET is cut"),
        pytest.param("2025-04-21T16:45:03.1234567-04:00", "2025-04-21T20:45:03", id="fraction and offset"),
        pytest.param(f"2025-04-21T16:45:03.{'9' * 200}", "2025-04-21T16:45:03", id="long fraction"),
        pytest.param(" \t\r\n2025-04-21T16:45:03\n ", "2025-04-21T16:45:03", id="white space of XML"),
        pytest.param("\u00a02025-04-21T16:45:03\u202f", "2025-04-21T16:45:03", id="other white space"),
        pytest.param("2024-02-29T00:00:00", "2024-02-29T00:00:00", id="leap day"),
        pytest.param("2025-04-21T00:00:00", "2025-04-21T00:00:00", id="midnight"),
        pytest.param("2025-04-21T23:59:59", "2025-04-21T23:59:59", id="last second"),
        pytest.param("2025-04-21", "2025-04-21T00:00:00", id="date alone is midnight"),
        pytest.param("2025-04-21Z", "2025-04-21T00:00:00", id="date alone, zulu"),
        pytest.param("2025-04-21-04:00", "2025-04-21T04:00:00", id="date alone, west"),
        pytest.param("2025-04-21+14:00", "2025-04-20T10:00:00", id="date alone, east"),
        pytest.param("0001-01-01T00:00:00", "0001-01-01T00:00:00", id="first second of all"),
        pytest.param("9999-12-31T23:59:59.9999999", "9999-12-31T23:59:59", id="last second of all"),
        pytest.param("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00", id="first second, east"),
        pytest.param("0001-01-01T05:00:00+14:00", "0001-01-01T00:00:00", id="first day, far east"),
        pytest.param("0001-01-01+14:00", "0001-01-01T00:00:00", id="first day alone, far east"),
        pytest.param("9999-12-31T23:59:59.9999999-05:00", "9999-12-31T23:59:59", id="last second, west"),
        pytest.param("9999-12-31T23:59:59+00:01", "9999-12-31T23:58:59", id="last second, east"),
    ],
)
@pytest.mark.parametrize("bound", ["start", "end"])
def test_an_instant(text: str, utc: str, bound: Bound) -> None:
    assert INSTANTS.to_utc(text, bound) == moment(utc)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("  ", id="blank"),
        pytest.param("04/21/2025", id="form that is not taken"),
        pytest.param("2025-04-21T16:45", id="no seconds"),
        pytest.param("2025-04-21 16:45:03", id="space for T"),
        pytest.param("2025-04-21t16:45:03z", id="lower-case T"),
        pytest.param("2025-04-21T16:45:03.", id="fraction of no digits"),
        pytest.param("2025-04-21T16:45:03,5", id="comma"),
        pytest.param("2025-04-21T16:45:03 Z", id="space before the zone"),
        pytest.param("2025-04-21 Z", id="space before the zone of a day"),
        pytest.param("2025-04-21T24:00:00", id="24:00:00"),
        pytest.param("2025-04-21T16:60:03", id="minute 60"),
        pytest.param("2025-04-21T16:45:60", id="second 60"),
        pytest.param("2025-02-30T16:45:03", id="30 February"),
        pytest.param("2025-02-29", id="29 February of no leap year"),
        pytest.param("2025-13-01T16:45:03", id="month 13"),
        pytest.param("2025-00-01T16:45:03", id="month 0"),
        pytest.param("0000-01-01T00:00:00", id="year 0"),
        pytest.param("-2025-04-21T16:45:03", id="before Christ"),
        pytest.param("12025-04-21T16:45:03", id="year of five digits"),
        pytest.param("2025-04", id="month alone"),
        pytest.param("16:45:03", id="time alone"),
        pytest.param("2025-04-21T16:45:03+14:01", id="offset +14:01"),
        pytest.param("2025-04-21T16:45:03+99:99", id="offset +99:99"),
        pytest.param("2025-04-21T16:45:03+04:60", id="offset of 60 minutes"),
        pytest.param("2025-04-21T16:45:03+0400", id="offset without a colon"),
        pytest.param("2025-04-21T16:45:03+04", id="offset without minutes"),
        pytest.param("\u0662\u0660\u0662\u0665-04-21T16:45:03", id="Arabic digits"),
        pytest.param("\uff12\uff10\uff12\uff15-04-21T16:45:03", id="full-width digits"),
        pytest.param("2025-04-21T16:45:03\x00", id="NUL"),
        pytest.param("2025-04-21T16:45:03\n2025-04-21T16:45:03", id="two lines"),
    ],
)
@pytest.mark.parametrize("reader", [INSTANTS, DateReader(["ISO 8601"])], ids=["instants", "days"])
def test_text_that_is_not_an_xml_date(text: str, reader: DateReader) -> None:
    with pytest.raises(ValueError, match="not a date in a form"):
        reader.to_utc(text, "start")


@given(st.datetimes(moment("0001-01-03T00:00:00"), moment("9999-12-29T00:00:00")), offsets)
def test_any_instant_with_any_offset(local: datetime, zone: tzinfo) -> None:
    there = local.replace(tzinfo=zone)
    expected = there.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    assert INSTANTS.to_utc(there.isoformat(), "start") == expected


@given(st.text(), bounds)
def test_any_text_is_a_date_or_a_value_error(text: str, bound: Bound) -> None:
    try:
        found = DateReader([".NET en-US", *LISTED]).to_utc(text, bound)
    except ValueError:
        return
    assert found.tzinfo is None
    assert found.microsecond == 0


@given(days)
def test_a_whole_day_is_inclusive_at_both_ends(day: date) -> None:
    for text in (day.isoformat(), f"{day.month:02}/{day.day:02}/{day.year:04}", f"{day.month}/{day.day}/{day.year:04}"):
        start, end = DAYS.to_utc(text, "start"), DAYS.to_utc(text, "end")
        assert start.date() == end.date() == day
        assert end - start == timedelta(hours=23, minutes=59, seconds=59)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        pytest.param("01/15/2025", "2025-01-15T05:00:00", "2025-01-16T04:59:59", id="winter"),
        pytest.param("2025-07-15", "2025-07-15T04:00:00", "2025-07-16T03:59:59", id="summer"),
        pytest.param("3/9/2025", "2025-03-09T05:00:00", "2025-03-10T03:59:59", id="day of 23 hours"),
        pytest.param("2025-11-02", "2025-11-02T04:00:00", "2025-11-03T04:59:59", id="day of 25 hours"),
    ],
)
def test_a_whole_day_of_a_zone(new_york: tzinfo, text: str, start: str, end: str) -> None:
    assert range_of(DateReader(LISTED, new_york), text) == (start, end)


@pytest.mark.parametrize(
    ("name", "first", "last", "start", "end"),
    [
        pytest.param(
            "America/New_York", "2025-03-08", "2025-03-09", "2025-03-08T05:00:00", "2025-03-10T03:59:59", id="spring"
        ),
        pytest.param(
            "America/New_York", "2025-11-02", "2025-11-03", "2025-11-02T04:00:00", "2025-11-04T04:59:59", id="autumn"
        ),
        pytest.param(
            "America/Havana", "2025-03-09", "2025-03-09", "2025-03-09T05:00:00", "2025-03-10T03:59:59", id="no midnight"
        ),
        pytest.param(
            "America/Havana",
            "2025-11-02",
            "2025-11-02",
            "2025-11-02T04:00:00",
            "2025-11-03T04:59:59",
            id="two midnights",
        ),
        pytest.param(
            "America/Santiago",
            "2025-04-05",
            "2025-04-05",
            "2025-04-05T03:00:00",
            "2025-04-06T03:59:59",
            id="23:00 twice",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            "2025-04-06",
            "2025-04-06",
            "2025-04-05T13:00:00",
            "2025-04-06T13:29:59",
            id="half hour",
        ),
        pytest.param(
            "Pacific/Apia", "2011-12-29", "2011-12-31", "2011-12-29T10:00:00", "2011-12-31T09:59:59", id="a day skipped"
        ),
        pytest.param(
            "Pacific/Apia", "2011-12-29", "2011-12-30", "2011-12-29T10:00:00", "2011-12-30T09:59:59", id="to that day"
        ),
        pytest.param(
            "Pacific/Apia", "2011-12-30", "2011-12-31", "2011-12-30T10:00:00", "2011-12-31T09:59:59", id="from that day"
        ),
    ],
)
@pytest.mark.parametrize("time", ["", "T00:00:00", "T00:00:00+03:00"], ids=["day", "midnight", "midnight with offset"])
def test_a_range_of_whole_days_over_a_change_of_the_clock(  # noqa: PLR0913, PLR0917 - a table
    name: str, first: str, last: str, start: str, end: str, time: str
) -> None:
    reader = DateReader(LISTED, of_the_system(name))
    assert range_of(reader, first + time, last + time) == (start, end)


@given(zones, st.dates(date(1990, 1, 1), date(2037, 12, 30)))
def test_a_day_begins_a_second_after_the_end_of_the_one_before(name: str, day: date) -> None:
    zone = of_the_system(name)
    between = bound_of_day(day + timedelta(days=1), "start", zone) - bound_of_day(day, "end", zone)
    assert between == timedelta(seconds=1)


class TestWholeDays:
    @pytest.mark.parametrize(
        ("text", "start", "end"),
        [
            pytest.param("2025-04-22T00:00:00", "2025-04-22T00:00:00", "2025-04-22T23:59:59", id="midnight"),
            pytest.param("2025-04-22T00:00:00.0000000", "2025-04-22T00:00:00", "2025-04-22T23:59:59", id="fraction"),
            pytest.param("2025-04-22T00:00:00Z", "2025-04-22T00:00:00", "2025-04-22T23:59:59", id="zulu"),
            pytest.param("2025-04-22T00:00:00-04:00", "2025-04-22T00:00:00", "2025-04-22T23:59:59", id="west"),
            pytest.param("2025-04-22T00:00:00+14:00", "2025-04-22T00:00:00", "2025-04-22T23:59:59", id="east"),
            pytest.param("2025-04-22+02:00", "2025-04-22T00:00:00", "2025-04-22T23:59:59", id="day with an offset"),
            pytest.param("2025-04-22T00:00:01", "2025-04-22T00:00:01", "2025-04-22T00:00:01", id="a second later"),
            pytest.param("2025-04-22T16:45:03-04:00", "2025-04-22T20:45:03", "2025-04-22T20:45:03", id="instant"),
            pytest.param("2025-04-22T23:59:59", "2025-04-22T23:59:59", "2025-04-22T23:59:59", id="last second"),
            pytest.param("2025-04-22T23:59:00", "2025-04-22T23:59:00", "2025-04-22T23:59:59", id="last minute"),
            pytest.param("2025-04-22T23:58:59", "2025-04-22T23:58:59", "2025-04-22T23:58:59", id="minute before"),
            pytest.param("2025-04-22T23:59:59.9999999", "2025-04-22T23:59:59", "2025-04-22T23:59:59", id="last tick"),
            pytest.param("2025-04-22T23:59:59+02:00", "2025-04-22T21:59:59", "2025-04-22T23:59:59", id="last, east"),
            pytest.param("2025-04-22T23:59:59-04:00", "2025-04-23T03:59:59", "2025-04-23T03:59:59", id="last, west"),
            pytest.param(
                "9999-12-31T23:59:59.9999999-05:00", "9999-12-31T23:59:59", "9999-12-31T23:59:59", id="no end"
            ),
            pytest.param("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00", "0001-01-01T23:59:59", id="no start"),
        ],
    )
    def test_midnight_is_the_day_that_is_written(self, text: str, start: str, end: str) -> None:
        assert range_of(DAYS, text) == (start, end)

    def test_times_without_an_offset_are_of_the_zone(self, new_york: tzinfo) -> None:
        reader = DateReader(LISTED, new_york)
        assert range_of(reader, "2025-04-21T00:00:00", "2025-04-21T23:59:59") == range_of(reader, "04/21/2025")
        assert range_of(reader, "2025-04-21T16:45:03")[0] == "2025-04-21T20:45:03"
        assert range_of(reader, "2025-04-21T16:45:03Z")[0] == "2025-04-21T16:45:03"

    @pytest.mark.parametrize(
        ("text", "start", "end"),
        [
            ("2025-11-02T01:30:00", "2025-11-02T05:30:00", "2025-11-02T06:30:00"),
            ("2025-03-09T02:30:00", "2025-03-09T06:30:00", "2025-03-09T07:30:00"),
        ],
        ids=["twice", "never"],
    )
    def test_a_time_that_clocks_show_twice_or_never(self, new_york: tzinfo, text: str, start: str, end: str) -> None:
        assert range_of(DateReader(LISTED, new_york), text) == (start, end)

    def test_the_zone_is_not_for_instants(self, new_york: tzinfo) -> None:
        reader = DateReader(["ISO 8601"], new_york, instants=True)
        assert range_of(reader, "2025-04-21", "2025-04-21T16:45:03") == ("2025-04-21T00:00:00", "2025-04-21T16:45:03")

    @pytest.mark.parametrize(
        ("first", "last", "zone"), [("0001-01-01", "9999-12-31", 14), ("1/1/0001", "12/31/9999", -14)]
    )
    def test_the_first_and_the_last_day_of_the_calendar(self, first: str, last: str, zone: int) -> None:
        """Clients send them to mean no start and no end."""
        start, end = range_of(DateReader(LISTED, timezone(timedelta(hours=zone))), first, last)
        assert start <= "0001-01-01T14:00:00"
        assert end >= "9999-12-31T09:59:59"


@given(
    st.sampled_from(PATTERNS),
    st.datetimes(datetime(1950, 1, 1), datetime(2049, 12, 31)),  # noqa: DTZ001 - as written
    st.booleans(),
    zones,
)
def test_a_range_contains_every_day_that_a_text_of_a_pattern_names(
    pattern: str, when: datetime, midnight: bool, zone: str
) -> None:
    written = datetime.combine(when.date(), datetime.min.time()) if midnight else when.replace(microsecond=0)
    reader = DateReader([pattern], of_the_system(zone), 2049)
    (text,) = DateReader([pattern], UTC, 2049).write(written)
    start, end = reader.to_utc(text, "start"), reader.to_utc(text, "end")
    if midnight or "mm" not in pattern:
        assert start <= bound_of_day(written.date(), "start", of_the_system(zone))
        assert end >= bound_of_day(written.date(), "end", of_the_system(zone))
    else:
        named = written if "ss" in pattern else written.replace(second=0)
        for fold in (0, 1):
            there = named.replace(tzinfo=of_the_system(zone), fold=fold).astimezone(UTC).replace(tzinfo=None)
            assert start <= there <= end or named.time() == datetime.min.time()


@pytest.mark.parametrize("text", ["02/30/2025", "13/01/2025", "00/10/2025", "4/0/2025", "2025-02-30", "04/21/0000"])
def test_a_day_that_is_not_in_the_calendar(text: str) -> None:
    with pytest.raises(ValueError, match="not a date in a form"):
        DAYS.to_utc(text, "start")


@pytest.mark.parametrize("text", ["04/21/25", "04-21-2025", "2025/04/21", "21.04.2025", "2025-4-21", "004/21/2025"])
def test_an_unknown_form(text: str) -> None:
    with pytest.raises(ValueError, match="not a date in a form"):
        DAYS.to_utc(text, "start")


@given(st.datetimes(datetime(1930, 1, 1), datetime(2029, 12, 31)), zones)  # noqa: DTZ001 - UTC without a zone
def test_what_is_written_names_the_day_that_is_meant(when: datetime, name: str) -> None:
    zone = of_the_system(name)
    reader = DateReader([".NET en-US", "D-MON-YY"], zone, 2029)
    start, end = bound_of_day(when.date(), "start", zone), bound_of_day(when.date(), "end", zone)
    local = start.replace(tzinfo=UTC).astimezone(zone)
    if local.date() != when.date() or start > end:  # a day that the zone left out
        return
    for first, last in zip(reader.write(start), reader.write(end), strict=True):
        assert reader.to_utc(first, "start") == start or local.hour  # a day that does not begin at midnight
        assert reader.to_utc(last, "end") == end


class TestCheck:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("MM/DD/YYYY", "DD/MM/YYYY"),
            ("M/D/YYYY", "D/M/YYYY"),
            ("MM/DD/YYYY", "D/M/YYYY"),
            ("YYYYMMDD", "YYYYDDMM"),
            ("YYYYMMDD", "DDMMYYYY"),
            ("YYMMDD", "DDMMYY"),
            ("D-MON-YY", "YY-MON-D"),
            ("D/M/YYYY H:mm", "M/D/YYYY H:mm"),
            ("D-MON-YY", ".NET en-US"),
            ("YYYY-DD-MM", "ISO 8601"),
            ("D/M/YYYY", ".NET en-US"),
            ("D.M.YYYY", ".NET en-US"),
            ("YYYY-MM-DD HH:mm:ss", "YYYY-MM-DD mm:HH:ss"),
        ],
    )
    def test_forms_that_read_a_text_as_different_dates_are_refused(self, one: str, other: str) -> None:
        pivot = 2049 if "YYYY" not in one else None
        for forms in ((one, other), (other, one), ("D MONTH YYYY", one, "DD.MON.YYYY", other)):
            with pytest.raises(ValueError, match=r"read .* as different dates: keep the form that clients write"):
                check_forms(forms, pivot)

    @pytest.mark.parametrize(
        "forms",
        [
            LISTED,
            (".NET en-US", *LISTED),
            ("ISO 8601", "DD-MON-YYYY", "YYYYMMDD", "M/D/YYYY h:mm:ss AM/PM", "M/D/YYYY"),
            ("D/M/YYYY", "DD/MM/YYYY", "D/M/YYYY H:mm", "D.M.YYYY"),
            ("D/M/YYYY", "D/M/YYYY"),
        ],
        ids=" ".join,
    )
    def test_forms_that_agree_are_taken(self, forms: Sequence[str]) -> None:
        check_forms(forms, None)

    @pytest.mark.parametrize("forms", [LISTED, (".NET en-US",), ("D/M/YYYY",)])
    def test_a_pivot_that_nothing_needs_is_refused(self, forms: Sequence[str]) -> None:
        with pytest.raises(ValueError, match="no pattern has YY: delete pivot"):
            check_forms(forms, 2049)
