from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shim.contracts.date_pattern import DatePattern

MIDNIGHT = "2025-04-01T00:00:00"


def read(pattern: str, text: str, pivot: int | None = None) -> str:
    found = DatePattern(pattern, pivot).read(text)
    return "nothing" if found is None else found.isoformat()


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("D/M/YYYY", "1/4/2025", MIDNIGHT),
        ("D/M/YYYY", "01/04/2025", MIDNIGHT),
        ("D/M/YYYY", "001/04/2025", "nothing"),
        ("DD/MM/YYYY", "01/04/2025", MIDNIGHT),
        ("DD/MM/YYYY", "1/4/2025", "nothing"),
        ("MM/DD/YYYY", "4/1/2025", MIDNIGHT),
        ("MM/DD/YYYY", "04/01/2025", MIDNIGHT),
        ("YYYY-MM-DD", "2025-04-01", MIDNIGHT),
        ("YYYY-MM-DD", "2025-4-1", "nothing"),
        ("YYYYMMDD", "20250401", MIDNIGHT),
        ("D.M.YYYY", "1.4.2025", MIDNIGHT),
        ("D.M.YYYY", "1x4x2025", "nothing"),
        ("DD-MON-YYYY", "01-APR-2025", MIDNIGHT),
        ("DD-MON-YYYY", "01-apr-2025", MIDNIGHT),
        ("DD-MON-YYYY", "01-April-2025", "nothing"),
        ("DD-MON-YYYY", "01-Avr-2025", "nothing"),
        ("MONTH D, YYYY", "April 1, 2025", MIDNIGHT),
        ("MONTH D, YYYY", "Apr 1, 2025", "nothing"),
        ("M/D/YYYY h:mm:ss AM/PM", "4/1/2025 12:00:00 AM", MIDNIGHT),
        ("M/D/YYYY h:mm:ss AM/PM", "4/1/2025 4:45:03 pm", "2025-04-01T16:45:03"),
        ("M/D/YYYY h:mm:ss AM/PM", "4/1/2025 12:00:00 PM", "2025-04-01T12:00:00"),
        ("M/D/YYYY h:mm:ss AM/PM", "4/1/2025 13:00:00 AM", "nothing"),
        ("M/D/YYYY h:mm:ss AM/PM", "4/1/2025", "nothing"),
        ("M/D/YYYY h AM/PM", "4/1/2025 4 PM", "2025-04-01T16:00:00"),
        ("DD/MM/YYYY HH:mm", "01/04/2025 16:45", "2025-04-01T16:45:00"),
        ("DD/MM/YYYY HH:mm", "01/04/2025 24:00", "nothing"),
        ("YYYYMMDDTHHmmss", "20250401T164503", "2025-04-01T16:45:03"),
        ("YYYY-MM-DD HH:mm:ss.f", "2025-04-01 16:45:03.999", "2025-04-01T16:45:03"),
        ("YYYY-MM-DD  HH:mm", "2025-04-01 16:45", "2025-04-01T16:45:00"),
        ("D/M/YYYY", "31/4/2025", "nothing"),
        ("D/M/YYYY", "1/4/0000", "nothing"),
        ("D/M/YYYY", "\u0661/4/2025", "nothing"),
    ],
)
def test_a_text_of_a_pattern(pattern: str, text: str, expected: str) -> None:
    assert read(pattern, text) == expected


@pytest.mark.parametrize(
    ("pivot", "year", "expected"),
    [
        (2049, "25", 2025),
        (2049, "49", 2049),
        (2049, "50", 1950),
        (2029, "29", 2029),
        (2029, "30", 1930),
        (2099, "00", 2000),
        (1999, "00", 1900),
    ],
)
def test_a_year_of_two_digits_ends_with_the_pivot(pivot: int, year: str, expected: int) -> None:
    assert read("D/M/YY", f"1/4/{year}", pivot).startswith(f"{expected}-04-01")


@pytest.mark.parametrize("year", ["2025", "5", "025"])
def test_a_year_of_two_digits_has_two(year: str) -> None:
    assert read("D/M/YY", f"1/4/{year}", 2049) == "nothing"


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", '"" has no year'),
        ("D/M", '"D/M" has no year'),
        ("MONTH YYYY", '"MONTH YYYY" has no day'),
        ("YYYY-DD", '"YYYY-DD" has no month'),
        ("D/M/YYYY D", '"D/M/YYYY D" has the day twice'),
        ("MON M D YYYY", "has the month twice"),
        ("D/M/YYYY HH", "has no minute"),
        ("D/M/YYYY mm", "has no hour"),
        ("D/M/YYYY HH:ss", "has no minute"),
        ("D/M/YYYY HH:mm.f", "has no second"),
        ("D/M/YYYY h:mm", "has no AM/PM"),
        ("D/M/YYYY AM/PM", "has no hour"),
        ("DMYYYY", "does not say where D ends and M begins: put a mark between them"),
        ("DD/MM/YYYY H:mmss.fHH", "has the hour twice"),
        ("YYYYMMDDHmm", "does not say where DD ends and H begins"),
        ("D/M/YY", '"D/M/YY" needs pivot, the last year that its YY can mean, such as 2049'),
        ("dd/MM/yyyy", "has a part that stands for nothing: write YYYY, YY, MONTH"),
        ("DD/MM/YYYY Z", "has a part that stands for nothing"),
        ("DD/MM/YYYY {0}", "has a part that stands for nothing"),
        ("ISO8601", "has a part that stands for nothing"),
    ],
)
def test_a_pattern_that_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is checked
        DatePattern(pattern)
    assert reason in str(caught.value)


@given(st.text(st.sampled_from("YMDHhmsfTAMPON/-.,:; _x{}"), max_size=24))
def test_any_text_is_a_pattern_or_a_value_error(text: str) -> None:
    try:
        pattern = DatePattern(text, 2049)
    except ValueError:
        return
    for sample in pattern.samples():
        assert pattern.read(sample) is not None


@given(
    st.sampled_from(
        [
            *("D/M/YY", "DD-MON-YYYY", "YYYYMMDD", "MM/DD/YYYY", "MONTH D, YYYY", "M/D/YYYY h:mm:ss AM/PM"),
            *("hh:mm AM/PM D.M.YYYY", "YYYY-MM-DDTHH:mm:ss.f"),
        ]
    ),
    st.datetimes(datetime(1950, 1, 1), datetime(2049, 12, 31)),  # noqa: DTZ001 - as written
)
def test_what_is_written_is_read(pattern: str, moment: datetime) -> None:
    kept = moment.replace(microsecond=0)
    if "ss" not in pattern:
        kept = kept.replace(second=0)
    if "mm" not in pattern:
        kept = kept.replace(hour=0, minute=0)
    known = DatePattern(pattern, 2049)
    assert known.read(known.write(moment)) == kept
