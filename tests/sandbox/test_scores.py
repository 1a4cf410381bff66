import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shim.sandbox import FIRST_REPORTED, LAST_REPORTED, Names, Options, Scale, sample, select
from shim.upstream import scorelink

_moments = st.datetimes(FIRST_REPORTED - timedelta(days=1), LAST_REPORTED + timedelta(days=1)).map(
    lambda moment: moment.replace(microsecond=0)
)


@given(st.integers(0, 200), _moments, _moments)
def test_a_range_selects_what_was_reported_in_it(records: int, start: datetime, end: datetime) -> None:
    options = Options(records=records)
    selected = select(options, start, end)
    assert list(selected.numbers) == [n for n in range(records) if start <= options.reported(n) <= end]
    assert selected.length == sum(map(len, selected.chunks()))


def test_scores_are_always_the_same_and_spread_over_the_time() -> None:
    options = Options()
    assert (options.reported(0), options.reported(29)) == (FIRST_REPORTED, LAST_REPORTED)
    assert options.values(7) == Options().values(7)
    assert len({options.values(number)["registration_number"] for number in range(30)}) == 30


@pytest.mark.parametrize("separator", ["\n", "\r\n"])
@pytest.mark.parametrize("width", [774, 900, 1600])
def test_records_have_their_width_and_separator(width: int, separator: str) -> None:
    options = Options(width=width, separator="\n" if separator == "\n" else "\r\n")
    body = b"".join(select(options, options.first, options.last).chunks())
    records = body.split(separator.encode())
    assert records.pop() == b""
    assert {len(record) for record in records} == {width}
    assert len(records) == 30
    assert scorelink.read(records[3])["report_date"] == "04212025"


@pytest.mark.parametrize(("scale", "expected"), [("old", {False}), ("ibt26", {True}), ("mixed", {False, True})])
def test_scales(scale: Scale, expected: set[bool]) -> None:
    options = Options(scale=scale)
    people = [options.values(number) for number in range(options.records)]
    assert {"ibt26" in person for person in people} == expected
    for person in people:
        if "ibt26" in person:
            *scores, _ = person["ibt26"].split()
            *sections, total = map(float, scores)
            assert all(1 <= score <= 6 and score * 2 == int(score * 2) for score in (*sections, total))
            assert abs(total - sum(sections) / 4) <= 0.25
        else:
            sections = [int(person[f"ibt_{name}"]) for name in ("listening", "reading", "speaking", "writing")]
            assert sum(sections) == int(person["ibt_total"])
            assert all(0 <= section <= 30 for section in sections)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_names_beyond_ascii(encoding: Names) -> None:
    options = Options(names=encoding)
    body = b"".join(select(options, options.first, options.last).chunks())
    assert not body.isascii()
    assert {len(line) for line in body.splitlines()} == {1600}
    assert "Müller" in {scorelink.read(line, encoding)["last_name"] for line in body.splitlines()}


def test_json_is_the_same_scores() -> None:
    options = Options(records=150)
    selected = select(options, options.first, options.last)
    assert json.loads(b"".join(selected.json_chunks())) == {"data": [options.values(n) for n in selected.numbers]}
    nothing = select(Options(records=0), options.first, options.last)
    assert json.loads(b"".join(nothing.json_chunks())) == {"data": []}


def test_the_sample_is_eleven_scores_of_which_two_are_of_2026() -> None:
    selected = sample(Options(width=900))
    records = [scorelink.read(line) for line in b"".join(selected.chunks()).splitlines()]
    assert [bool(record["ibt26"]) for record in records] == [False] * 9 + [True] * 2


def test_the_sample_is_written_as_all_scores_are() -> None:
    body = b"".join(sample(Options(separator="\n", names="latin-1")).chunks())
    assert b"\r" not in body
    assert not body.isascii()


def test_a_hundred_thousand_scores_are_never_all_in_memory() -> None:
    options = Options(records=100_000)
    selected = select(options, options.first, options.last)
    chunks = selected.chunks()
    assert max(len(next(chunks)) for _ in range(20)) < 256 * 1024
    assert selected.length == 100_000 * 1602


@pytest.mark.parametrize(
    "arguments",
    [
        {"width": 773},
        {"width": 936, "scale": "ibt26"},
        {"records": -1},
        {"first": LAST_REPORTED, "last": FIRST_REPORTED},
    ],
)
def test_impossible_options_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^(width|records): must be at least"):
        Options(**arguments)  # type: ignore[arg-type]
