from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shim.sandbox.people import person
from shim.upstream import scorelink
from tests.guide import START

_CEFR = {6: "C2", 5.5: "C1", 5: "C1", 4.5: "B2", 4: "B2", 3.5: "B1", 3: "B1", 2.5: "A2", 2: "A2", 1.5: "A1", 1: "A1"}
_WIDTHS = {field.name: field.width for field in (*scorelink.FIELDS, scorelink.IBT26)}
_numbers = st.integers(0, 100_000)


@given(_numbers, st.booleans(), st.booleans())
def test_a_person_is_always_the_same_and_fits_the_record(number: int, of_2026: bool, beyond_ascii: bool) -> None:
    values = person(number, START, of_2026=of_2026, beyond_ascii=beyond_ascii)
    assert values == person(number, START, of_2026=of_2026, beyond_ascii=beyond_ascii)
    assert all(0 < len(value.encode()) <= _WIDTHS[name] for name, value in values.items())


@given(_numbers)
def test_two_people_differ(number: int) -> None:
    values, others = (person(n, START, of_2026=False, beyond_ascii=False) for n in (number, number + 1))
    assert all(values[name] != others[name] for name in ("registration_number", "email", "security_id_number"))


@given(_numbers)
def test_old_scores_add_up(number: int) -> None:
    values = person(number, START, of_2026=False, beyond_ascii=False)
    sections = [int(values[f"ibt_{name}"]) for name in ("listening", "reading", "speaking", "writing")]
    assert all(0 <= score <= 30 for score in sections)
    assert int(values["ibt_total"]) == sum(sections)
    assert "ibt26" not in values


@given(_numbers)
def test_the_total_of_2026_is_the_mean_to_the_nearest_half_and_has_its_level(number: int) -> None:
    values = person(number, START, of_2026=True, beyond_ascii=False)
    *scores, level = values["ibt26"].split()
    *sections, total = map(float, scores)
    assert len(sections) == 4
    assert {*sections, total} <= _CEFR.keys()
    assert abs(total - sum(sections) / 4) <= 0.25
    assert level == _CEFR[total]
    assert "ibt_total" not in values


@pytest.mark.parametrize(("beyond_ascii", "ascii_alone"), [(False, True), (True, False)])
def test_names_have_letters_beyond_ascii_where_asked(beyond_ascii: bool, ascii_alone: bool) -> None:
    names = "".join(person(n, START, of_2026=False, beyond_ascii=beyond_ascii)["last_name"] for n in range(20))
    assert names.isascii() == ascii_alone


def test_dates_are_month_day_and_year() -> None:
    values = person(0, datetime.fromisoformat("2025-12-31T23:00:00"), of_2026=False, beyond_ascii=False)
    assert (values["report_date"], values["test_date"]) == ("12312025", "12252025")
