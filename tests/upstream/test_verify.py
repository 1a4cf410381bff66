import json
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shim.errors import UpstreamError
from shim.query import Format
from shim.upstream.verify import LONGEST_RECORD, SHORTEST_RECORD, verifier_for

REFUSED = "refused"


def verdict(*chunks: bytes, wanted: Format = "text") -> tuple[int | None, bool] | str:
    """Number of records and whether there is nothing, or ``refused``."""
    looking = verifier_for(wanted)
    try:
        for chunk in chunks:
            looking.feed(chunk)
        return looking.finish(), looking.blank
    except UpstreamError as error:
        assert error.cause.slug == "upstream-not-scores"  # noqa: PT017 - a verdict is what is compared
        return REFUSED


def record(width: int = 900, name: str = "SYNTHETIC") -> str:
    """A record of so many characters."""
    return f"1234{'':38}{name:30}".ljust(width, ".")


def file(*records: str, separator: str = "\r\n", last: bool = True, encoding: str = "utf-8") -> bytes:
    return (separator.join(records) + (separator if last else "")).encode(encoding)


class TestText:
    @pytest.mark.parametrize("separator", ["\n", "\r\n"], ids=["LF", "CRLF"])
    @pytest.mark.parametrize("last", [True, False], ids=["last separator", "no last separator"])
    @pytest.mark.parametrize("width", [SHORTEST_RECORD, 900, 937, 1600, LONGEST_RECORD])
    @pytest.mark.parametrize("count", [1, 2, 50])
    def test_records_of_one_width(self, separator: str, last: bool, width: int, count: int) -> None:
        assert verdict(file(*[record(width)] * count, separator=separator, last=last)) == (count, False)

    def test_empty_lines_are_no_records(self) -> None:
        assert verdict(file("", record(), "", record(), "", " ")) == (2, False)

    @pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
    def test_records_of_one_width_in_characters(self, encoding: str) -> None:
        names = ("Zoe", "Zo\u00eb", "\u00c5\u00f8\u00fc\u00df")
        assert verdict(file(*(record(name=name) for name in names), encoding=encoding)) == (3, False)

    def test_records_of_one_width_in_bytes_with_names_in_utf_8(self) -> None:
        records = [
            record(900 - extra, name) for name, extra in (("Zoe", 0), ("Zo\u00eb", 1), ("\u00f8\u00fc\u00df", 3))
        ]
        assert {len(one.encode()) for one in records} == {900}
        assert verdict(file(*records)) == (3, False)

    @pytest.mark.parametrize("body", [b"", b"\n", b"\r\n", b" \t\r\n \n", b" " * 100], ids=repr)
    def test_blank(self, body: bytes) -> None:
        assert verdict(body) == (0, True)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(file(record(), record(899), record()), id="cut in the middle"),
            pytest.param(file(record(), record(901), record()), id="too long in the middle"),
            pytest.param(file(record(899), record()), id="cut at the start"),
            pytest.param(file(record(), record(899), last=False), id="cut at the end"),
            pytest.param(file(record(), record()[:450], record()[450:], record()), id="broken in two"),
            pytest.param(file(record(), record() + record(), record()), id="separator lost"),
            pytest.param(file(record(), record(name="Zo\u00eb")[:-1], record(name="\u00f8\u00fc")), id="cut, in UTF-8"),
            pytest.param(file(record(), "ERROR", record()), id="sentence in the middle"),
            pytest.param(file(record(SHORTEST_RECORD - 1)), id="too short"),
            pytest.param(file(record(LONGEST_RECORD + 1)), id="too long"),
            pytest.param(b"x" * 10_000, id="no lines at all"),
            pytest.param(b"<html><body>Service unavailable</body></html>", id="HTML"),
            pytest.param(b"<!DOCTYPE html>" + b" " * 900, id="HTML as long as a record"),
            pytest.param(b'{"data":[]}', id="JSON"),
            pytest.param(json.dumps({"data": ["x" * 900]}).encode(), id="JSON as long as a record"),
            pytest.param(b"[" + b"1," * 500 + b"1]", id="JSON array"),
            pytest.param(b"\r\n  " + json.dumps({"error": "x" * 900}).encode(), id="JSON after white space"),
            pytest.param(b" <html>" + b"x" * 900, id="HTML after a space"),
            pytest.param(b"\xef\xbb\xbf" + json.dumps({"error": "x" * 900}).encode(), id="JSON after a mark"),
            pytest.param(json.dumps({"data": [{"a": "b"}] * 200}, indent=1).encode(), id="JSON in lines"),
            pytest.param(b"startdate is required", id="sentence"),
            pytest.param(b"An internal error occurred. Please try again later.\r\n", id="sentence with a separator"),
        ],
    )
    def test_no_score_file(self, body: bytes) -> None:
        assert verdict(body) == REFUSED

    def test_what_cannot_be_is_refused_before_its_end(self) -> None:
        looking = verifier_for("text")
        with pytest.raises(UpstreamError):
            looking.feed(b"x" * 10_000)


class TestJson:
    @pytest.mark.parametrize(
        "body",
        [
            b'{"data":[]}',
            b"[]",
            b' \r\n{"data": [{"a": "}"}]}\r\n ',
            b"[1,2]\n",
            json.dumps({"data": [1] * 9}, indent=2).encode(),
        ],
        ids=repr,
    )
    def test_objects_and_arrays(self, body: bytes) -> None:
        assert verdict(body, wanted="json") == (None, False)

    @pytest.mark.parametrize("body", [b"", b" \r\n"], ids=repr)
    def test_blank(self, body: bytes) -> None:
        assert verdict(body, wanted="json") == (None, True)

    @pytest.mark.parametrize(
        "body",
        [
            b'{"data":[',
            b"{]",
            b"[}",
            b'"text"',
            b"null",
            b"<html/>",
            b"startdate is required",
            file(record()),
            b"}",
            b"{",
        ],
        ids=lambda body: repr(body[:24]),
    )
    def test_no_json(self, body: bytes) -> None:
        assert verdict(body, wanted="json") == REFUSED


lines = st.one_of(
    st.sampled_from(
        [record(), record(name="Zo\u00eb"), record(899), record(SHORTEST_RECORD - 1), "", " ", "{}", "<a>"]
    ),
    st.sampled_from([record(LONGEST_RECORD), record(LONGEST_RECORD + 1), " " * (LONGEST_RECORD + 9)]),
    st.text("x\u00eb {<\t", max_size=6),
)
files = st.builds(
    lambda parts, separator, last: file(*parts, separator=separator, last=last),
    st.lists(lines, max_size=6),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)


@settings(max_examples=400)
@given(files | st.binary(max_size=50), st.lists(st.floats(0, 1), max_size=6), st.sampled_from(["text", "json"]))
@example((record(LONGEST_RECORD) + "\r\n").encode(), [1 - 1.5 / (LONGEST_RECORD + 2)], "text")
@example(b" " * 5000 + b"\n", [0.999], "text")
def test_chunking_never_changes_the_verdict(body: bytes, cuts: list[float], wanted: Format) -> None:
    places = sorted({0, len(body), *(int(cut * len(body)) for cut in cuts)})
    assert verdict(*(body[start:end] for start, end in pairwise(places)), wanted=wanted) == verdict(body, wanted=wanted)


@given(st.integers(SHORTEST_RECORD, 1700), st.integers(1, 8), st.data())
def test_any_record_that_lost_or_gained_bytes_is_noticed(width: int, count: int, data: st.DataObject) -> None:
    records = [record(width)] * (count + 1)
    which, lost = data.draw(st.integers(0, count)), data.draw(st.integers(1, width - 60))
    for damaged in (records[which][:-lost], records[which] + "x" * lost):
        assert verdict(file(*records[:which], damaged, *records[which + 1 :])) == REFUSED
