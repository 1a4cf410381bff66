from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shim.contracts.dates import Bound, DateForm, to_utc

ISO: Sequence[DateForm] = ("ISO 8601",)
ALL: Sequence[DateForm] = ("MM/DD/YYYY", "YYYY-MM-DD", "ISO 8601")

days = st.dates(date(1, 1, 3), date(9999, 12, 29))


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


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        pytest.param("2025-04-21T16:45:03", "2025-04-21T16:45:03", id="no offset is UTC"),
        pytest.param("2025-04-21T16:45:03Z", "2025-04-21T16:45:03", id="zulu"),
        pytest.param("2025-04-21T16:45:03-04:00", "2025-04-21T20:45:03", id="west"),
        pytest.param("2025-04-21T01:15:03+05:30", "2025-04-20T19:45:03", id="east, the day before"),
        pytest.param("2025-04-21T16:45:03+14:00", "2025-04-21T02:45:03", id="furthest east"),
        pytest.param("2025-04-21T16:45:03-14:00", "2025-04-22T06:45:03", id="furthest west"),
        pytest.param("2025-04-21T16:45:03-00:00", "2025-04-21T16:45:03", id="minus nothing"),
        pytest.param("2025-04-21T16:45:03.9999999", "2025-04-21T16:45:03", id="fraction of .NET is cut"),
        pytest.param("2025-04-21T16:45:03.1234567-04:00", "2025-04-21T20:45:03", id="fraction and offset"),
        pytest.param(f"2025-04-21T16:45:03.{'9' * 200}", "2025-04-21T16:45:03", id="long fraction"),
        pytest.param(" \t\r\n2025-04-21T16:45:03\n ", "2025-04-21T16:45:03", id="white space of XML"),
        pytest.param("2024-02-29T00:00:00", "2024-02-29T00:00:00", id="leap day"),
        pytest.param("2025-04-21T23:59:59", "2025-04-21T23:59:59", id="last second"),
        pytest.param("0001-01-01T00:00:00", "0001-01-01T00:00:00", id="first second of all"),
        pytest.param("9999-12-31T23:59:59", "9999-12-31T23:59:59", id="last second of all"),
    ],
)
@pytest.mark.parametrize("bound", ["start", "end"])
def test_an_instant(text: str, utc: str, bound: Bound) -> None:
    assert to_utc(text, ISO, bound) == moment(utc)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("  ", id="blank"),
        pytest.param("2025-04-21", id="form that is not taken"),
        pytest.param("2025-04-21T16:45", id="no seconds"),
        pytest.param("2025-04-21 16:45:03", id="space for T"),
        pytest.param("2025-04-21t16:45:03z", id="lower case"),
        pytest.param("2025-04-21T16:45:03.", id="fraction of no digits"),
        pytest.param("2025-04-21T16:45:03,5", id="comma"),
        pytest.param("2025-04-21T16:45:03 Z", id="space before the zone"),
        pytest.param("2025-04-21T24:00:00", id="24:00:00"),
        pytest.param("2025-04-21T16:60:03", id="minute 60"),
        pytest.param("2025-04-21T16:45:60", id="second 60"),
        pytest.param("2025-02-30T16:45:03", id="30 February"),
        pytest.param("2025-02-29T16:45:03", id="29 February of no leap year"),
        pytest.param("2025-13-01T16:45:03", id="month 13"),
        pytest.param("2025-00-01T16:45:03", id="month 0"),
        pytest.param("0000-01-01T00:00:00", id="year 0"),
        pytest.param("-2025-04-21T16:45:03", id="before Christ"),
        pytest.param("12025-04-21T16:45:03", id="year of five digits"),
        pytest.param("2025-04-21T16:45:03+14:01", id="offset +14:01"),
        pytest.param("2025-04-21T16:45:03-15:00", id="offset -15:00"),
        pytest.param("2025-04-21T16:45:03+99:99", id="offset +99:99"),
        pytest.param("2025-04-21T16:45:03+04:60", id="offset of 60 minutes"),
        pytest.param("2025-04-21T16:45:03+0400", id="offset without a colon"),
        pytest.param("2025-04-21T16:45:03+04", id="offset without minutes"),
        pytest.param("0001-01-01T00:00:00+00:01", id="before the year 1 in UTC"),
        pytest.param("9999-12-31T23:59:59-00:01", id="after the year 9999 in UTC"),
        pytest.param("\u0662\u0660\u0662\u0665-04-21T16:45:03", id="Arabic digits"),
        pytest.param("\uff12\uff10\uff12\uff15-04-21T16:45:03", id="full-width digits"),
        pytest.param("\u00a02025-04-21T16:45:03", id="no-break space"),
        pytest.param("2025-04-21T16:45:03\x00", id="NUL"),
        pytest.param("2025-04-21T16:45:03\n2025-04-21T16:45:03", id="two lines"),
    ],
)
def test_text_that_is_not_an_instant(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - no one reads the message
        to_utc(text, ISO, "start")


@given(
    st.datetimes(moment("0001-01-03T00:00:00"), moment("9999-12-29T00:00:00")),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_any_instant_with_any_offset(local: datetime, zone: tzinfo) -> None:
    there = local.replace(tzinfo=zone)
    expected = there.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    assert to_utc(there.isoformat(), ISO, "start") == expected


@given(st.text(), st.sampled_from(["start", "end"]))
def test_any_text_is_a_date_or_a_value_error(text: str, bound: Bound) -> None:
    try:
        found = to_utc(text, ALL, bound)
    except ValueError:
        return
    assert found.tzinfo is None
    assert found.microsecond == 0


@given(days)
def test_a_whole_day_is_inclusive_at_both_ends(day: date) -> None:
    for text in (day.isoformat(), f"{day.month:02}/{day.day:02}/{day.year:04}", f"{day.month}/{day.day}/{day.year:04}"):
        start, end = to_utc(text, ALL, "start"), to_utc(text, ALL, "end")
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
    assert to_utc(text, ALL, "start", new_york) == moment(start)
    assert to_utc(text, ALL, "end", new_york) == moment(end)


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
def test_a_range_of_whole_days_over_a_change_of_the_clock(
    name: str, first: str, last: str, start: str, end: str
) -> None:
    zone = of_the_system(name)
    assert to_utc(first, ALL, "start", zone) == moment(start)
    assert to_utc(last, ALL, "end", zone) == moment(end)


@given(
    st.sampled_from(["America/New_York", "America/Havana", "America/Santiago", "Pacific/Apia", "Africa/Casablanca"]),
    st.dates(date(1990, 1, 1), date(2037, 12, 30)),
)
def test_a_day_begins_a_second_after_the_end_of_the_one_before(name: str, day: date) -> None:
    zone = of_the_system(name)
    next_day = (day + timedelta(days=1)).isoformat()
    between = to_utc(next_day, ALL, "start", zone) - to_utc(day.isoformat(), ALL, "end", zone)
    assert between == timedelta(seconds=1)


def test_the_zone_is_for_whole_days_only(new_york: tzinfo) -> None:
    assert to_utc("2025-04-21T16:45:03", ALL, "start", new_york) == moment("2025-04-21T16:45:03")


def test_the_last_day_of_the_calendar_has_an_end() -> None:
    """Clients send it to mean no end."""
    assert to_utc("12/31/9999", ALL, "end") == moment("9999-12-31T23:59:59")


@pytest.mark.parametrize("text", ["02/30/2025", "13/01/2025", "00/10/2025", "4/0/2025", "2025-02-30", "04/21/0000"])
def test_a_day_that_is_not_in_the_calendar(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - no one reads the message
        to_utc(text, ALL, "start")


@pytest.mark.parametrize("text", ["04/21/25", "04-21-2025", "2025/04/21", "21.04.2025", "2025-4-21", "004/21/2025"])
def test_an_unknown_form(text: str) -> None:
    with pytest.raises(ValueError, match="in no form"):
        to_utc(text, ALL, "start")


@pytest.mark.parametrize(
    ("text", "bound", "east"), [("0001-01-01", "start", 14), ("9999-12-31", "end", -14)], ids=["first", "last"]
)
def test_a_day_outside_the_years_of_utc(text: str, bound: Bound, east: int) -> None:
    with pytest.raises(ValueError, match="year"):
        to_utc(text, ALL, bound, timezone(timedelta(hours=east)))
