from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shim.upstream import scorelink
from shim.upstream.scorelink import FIELDS, IBT26, SHORTEST, WIDTH_2018

_letters = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x24F, exclude_categories=["Zs", "Cc", "Cf"]))


def test_the_layout_has_no_overlap_and_fits_its_record() -> None:
    places = [(field.start, field.end) for field in (*FIELDS, IBT26)]
    assert places == sorted(places)
    assert all(end < start for (_, end), (start, _) in pairwise(places))
    assert FIELDS[-1].end == SHORTEST < WIDTH_2018


def test_only_the_fillers_of_the_layout_are_in_no_field() -> None:
    covered = {byte for field in FIELDS for byte in range(field.start, field.end + 1)}
    fillers = [*range(5, 10), *range(12, 27), *range(552, 556), *range(570, 572)]
    assert sorted(set(range(1, SHORTEST + 1)) - covered) == fillers
    assert (IBT26.start, IBT26.end) == (832, 937)


def test_known_places() -> None:
    record = scorelink.write({"last_name": "Doe", "ibt_total": "110", "report_date": "04212025"}, WIDTH_2018)
    assert len(record) == WIDTH_2018
    assert record[42:72] == b"Doe".ljust(30)
    assert record[566:569] == b"110"
    assert record[766:774] == b"04212025"


@given(st.dictionaries(st.sampled_from([field.name for field in (*FIELDS, IBT26)]), _letters))
def test_what_is_written_is_read_up_to_the_width_of_its_field(values: dict[str, str]) -> None:
    record = scorelink.write(values, 1600)
    assert len(record) == 1600
    read = scorelink.read(record)
    for field in (*FIELDS, IBT26):
        value = values.get(field.name, "")
        assert value.startswith(read[field.name])
        cut = value.encode()[: field.width].decode(errors="ignore")
        assert read[field.name] == cut.strip()


def test_what_is_no_text_is_shown_as_such() -> None:
    record = b" " * 42 + "Müller".encode("latin-1").ljust(1558)
    assert scorelink.read(record)["last_name"] == "M\N{REPLACEMENT CHARACTER}ller"
    assert scorelink.read(record, "latin-1")["last_name"] == "Müller"


@pytest.mark.parametrize(
    ("values", "width", "encoding"), [({"report_date": "04212025"}, 773, "utf-8"), ({"city": "Łódź"}, 900, "latin-1")]
)
def test_what_cannot_be_written_is_refused(values: dict[str, str], width: int, encoding: str) -> None:
    with pytest.raises(ValueError, match=r"no room|can't encode"):
        scorelink.write(values, width, encoding)
