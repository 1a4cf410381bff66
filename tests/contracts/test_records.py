import io
import re
from tempfile import TemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shim.contracts import records
from shim.contracts.mapping import RecordWidth
from shim.errors import OperatorError
from shim.query import ScoreFile
from shim.spool import SpoolQuota

MEBIBYTE = 1024 * 1024
QUOTA = SpoolQuota(100 * MEBIBYTE)


def score_file(data: bytes, count: int | None = 7) -> ScoreFile:
    return ScoreFile(io.BytesIO(data), len(data), count)


def fitted(data: bytes, width: RecordWidth) -> tuple[bytes, int]:
    """Fit bytes, and return them and the number of cut records; check that sizes and counts agree."""
    original = score_file(data)
    made, cut = records.fit(original, width, QUOTA)
    with made:
        assert original.spool.closed or made is original
        assert (made.spool.tell(), made.records) == (0, 7)
        found = made.spool.read()
        assert made.size == len(found)
    return found, cut


def refused(file: ScoreFile, width: RecordWidth) -> str:
    with pytest.raises(OperatorError) as caught:
        records.fit(file, width, QUOTA)
    assert caught.value.cause.slug == "record-width"
    assert file.spool.closed
    return caught.value.note


FOUR = RecordWidth(width=4)


@pytest.mark.parametrize(
    ("data", "expected", "cut"),
    [
        pytest.param(b"abcd\n", b"abcd\n", 0, id="as wide"),
        pytest.param(b"abcdef\nabcdefg\n", b"abcd\nabcd\n", 2, id="cut"),
        pytest.param(b"ab\n\n", b"ab  \n\n", 0, id="padded"),
        pytest.param(b"abcdef\r\nab\r\n", b"abcd\r\nab  \r\n", 1, id="CR LF"),
        pytest.param(b"abcdef\nab", b"abcd\nab  ", 1, id="no last separator"),
        pytest.param(b"abcdef", b"abcd", 1, id="one record without a separator"),
        pytest.param(b"\r\nabcd\n\n\r\nabcd\r\n", b"\r\nabcd\n\n\r\nabcd\r\n", 0, id="blank lines"),
        pytest.param(b"a\xc3\xa9\xff\x00z\n", b"a\xc3\xa9\xff\n", 1, id="bytes, not characters"),
        pytest.param(b"", b"", 0, id="nothing"),
    ],
)
def test_every_record_gets_the_width(data: bytes, expected: bytes, cut: int) -> None:
    assert fitted(data, FOUR) == (expected, cut)


@given(
    st.lists(
        st.tuples(
            st.binary(max_size=20).map(lambda data: data.translate(None, b"\r\n")), st.sampled_from([b"\n", b"\r\n"])
        ),
        max_size=12,
    ),
    st.integers(1, 15),
    st.booleans(),
)
def test_any_records(lines: list[tuple[bytes, bytes]], width: int, last: bool) -> None:
    data = b"".join(record + separator for record, separator in lines)
    data = data if last else data.removesuffix(b"\n").removesuffix(b"\r")
    found, cut = fitted(data, RecordWidth(width=width))
    separators = re.compile(rb"\r?\n")
    assert separators.findall(found) == separators.findall(data)
    before, after = separators.split(data), separators.split(found)
    assert [len(record) for record in after] == [width if record else 0 for record in before]
    for old, new in zip(before, after, strict=True):
        assert new.rstrip(b" ") == old[:width].rstrip(b" ")
    assert cut == sum(len(record) > width for record in before)
    if not cut:
        refusing, none = fitted(data, RecordWidth(width=width, wider="refuse"))
        assert (refusing, none) == (found, 0)


def test_a_wider_record_is_refused_where_the_policy_says_so() -> None:
    assert refused(score_file(b"abcd\nabcdef\n"), RecordWidth(width=4, wider="refuse")) == "a record of 6 bytes"


def test_a_narrower_record_is_padded_though_wider_ones_are_refused() -> None:
    assert fitted(b"ab\n", RecordWidth(width=4, wider="refuse")) == (b"ab  \n", 0)


def test_json_is_refused() -> None:
    assert refused(score_file(b'{"data": []}', None), FOUR) == "JSON has no fixed-length records"


def test_an_empty_score_file_stays_empty() -> None:
    """Its spool may still hold white space."""
    made, cut = records.fit(ScoreFile(io.BytesIO(b"  \r\n"), 0, 0), FOUR, QUOTA)
    with made:
        assert (made.size, made.records, cut) == (0, 0, 0)


def test_a_file_larger_than_the_memory_of_a_spool() -> None:
    count = 3 * MEBIBYTE // 1602
    with TemporaryFile() as spool:
        spool.write((b"x" * 1600 + b"\r\n") * count)
        size = spool.tell()
        spool.seek(0)
        made, cut = records.fit(ScoreFile(spool, size, count), RecordWidth(width=900), QUOTA)
        assert spool.closed
    with made:
        assert (made.size, made.records, cut) == (902 * count, count, count)
        assert set(made.spool) == {b"x" * 900 + b"\r\n"}


def test_a_spool_that_fails_is_closed() -> None:
    class Failing(io.BytesIO):
        def __next__(self) -> bytes:
            raise OSError("synthetic")

    spool = Failing(b"abcd")
    with pytest.raises((OSError, OperatorError)):
        records.fit(ScoreFile(spool, 4, 1), FOUR, QUOTA)
    assert spool.closed
