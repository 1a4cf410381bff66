import base64
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from shim.errors import OperatorError
from shim.query import ScoreFile
from shim.wire.answer_format import AnswerFormat, EmptyForm, ResultType
from shim.wire.dialect import Dialect, Version
from shim.wire.encoding import BYTE_ORDER_MARKS
from shim.wire.qname import QName
from shim.wire.result import Result

CHUNK = 96 * 1024
PATH = (QName("FetchResponse", "urn:a"), QName("FetchResult", "urn:a"))
DIALECTS = [Dialect(version, encoding) for version in Version for encoding in BYTE_ORDER_MARKS]
every_dialect = pytest.mark.parametrize(
    "dialect", DIALECTS, ids=lambda dialect: f"{dialect.version.name} {dialect.encoding}"
)


def result(
    data: bytes, result_type: ResultType, dialect: Dialect, empty: EmptyForm = "absent", size: int | None = None
) -> Result:
    answer_format = AnswerFormat(dialect, PATH, "urn:action", result_type, empty, in_band=False)
    return Result(ScoreFile(io.BytesIO(data), len(data) if size is None else size, None), answer_format)


def results(made: Result) -> list[etree._Element]:
    """Return the result elements as a parser finds them, and check the announced length."""
    body = b"".join(made)
    assert made.length == len(body)
    return list(etree.fromstring(body, etree.XMLParser(huge_tree=True))[-1][0])


def text_of(made: Result) -> str:
    (element,) = results(made)
    assert element.tag == "{urn:a}FetchResult"
    assert not len(element)
    return element.text or ""


def not_text(data: bytes) -> str:
    with pytest.raises(OperatorError) as caught:
        result(data, "string", Dialect())
    assert caught.value.cause.slug == "not-text"
    return caught.value.note


def is_xml_text(data: bytes) -> bool:
    """Whether XML 1.0 §2.2 can carry bytes as text, by lxml instead of the code under test."""
    try:
        etree.Element("a").text = data.decode()
    except ValueError:
        return False
    return not {"\ufffe", "\uffff"} & set(data.decode())


anything = st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
markup = st.lists(
    st.sampled_from(["\r", "\n", "\r\n", "&", "<", ">", "]]>", "&#13;", "\u00e9", "\U0001f600", " ", '"'])
).map(lambda parts: "".join(parts).encode())


class TestBase64:
    @given(anything, st.sampled_from(DIALECTS))
    def test_any_bytes_come_back(self, data: bytes, dialect: Dialect) -> None:
        made = result(data or b"\0", "base64Binary", dialect)
        assert base64.b64decode(text_of(made), validate=True) == (data or b"\0")

    @every_dialect
    @pytest.mark.parametrize("size", [1, 2, 3, 4, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 2])
    def test_any_size_comes_back(self, size: int, dialect: Dialect) -> None:
        data = bytes(range(251)) * (size // 251 + 1)
        assert base64.b64decode(text_of(result(data[:size], "base64Binary", dialect)), validate=True) == data[:size]


class TestString:
    @given(anything | markup, st.sampled_from(DIALECTS))
    @example(b"\xff", Dialect())
    @example(b"\xc3", Dialect())
    @example(b"\xed\xa0\x80", Dialect())
    @example("\ufeffBOM\r".encode(), Dialect(Version.SOAP_11, "utf-16le"))
    @example(b"\0", Dialect())
    @example("\uffff".encode(), Dialect())
    def test_any_bytes_come_back_or_are_refused(self, data: bytes, dialect: Dialect) -> None:
        if not data:
            return
        if is_xml_text(data):
            assert text_of(result(data, "string", dialect)).encode() == data
        else:
            assert not_text(data)

    @every_dialect
    @pytest.mark.parametrize("around", [-3, -2, -1, 0, 1])
    @pytest.mark.parametrize(
        "text",
        ["\r\n", "\u00e9", "\u20ac", "\U0001f600", "&", "]]>", "\r\r"],
        ids=["CR LF", "two bytes", "three bytes", "four bytes", "ampersand", "]]>", "CR CR"],
    )
    def test_a_chunk_may_end_within_a_character(self, around: int, text: str, dialect: Dialect) -> None:
        data = (b"." * (CHUNK + around) + text.encode()) + b"." * CHUNK + text.encode()
        assert text_of(result(data, "string", dialect)).encode() == data

    @pytest.mark.parametrize(
        ("data", "note"),
        [
            pytest.param(b"abc\xff", "not UTF-8", id="no UTF-8"),
            pytest.param(b"M\xfcller", "not UTF-8", id="Latin-1"),
            pytest.param("\u00e9".encode()[:1], "not UTF-8", id="cut at the end"),
            pytest.param(b"." * CHUNK * 2 + b"\xc3", "not UTF-8", id="cut at the end of a later chunk"),
            pytest.param(b"a\0b", "a character that XML 1.0 cannot carry", id="NUL"),
            pytest.param(b"a\x1ab", "a character that XML 1.0 cannot carry", id="end of file of DOS"),
            pytest.param("\ufffe".encode(), "a character that XML 1.0 cannot carry", id="U+FFFE"),
        ],
    )
    def test_bytes_that_xml_cannot_carry_are_refused_before_anything_is_sent(self, data: bytes, note: str) -> None:
        assert not_text(data) == note

    def test_a_c1_control_is_carried(self) -> None:
        assert text_of(result("\x85\u2028".encode(), "string", Dialect())) == "\x85\u2028"

    def test_no_chunk_is_large(self) -> None:
        made = result(b"\r\n" * CHUNK * 2, "string", Dialect(Version.SOAP_11, "utf-16le"))
        # Each CR becomes five characters of two bytes.
        assert max(map(len, made)) <= CHUNK * 6


class TestEmpty:
    @every_dialect
    @pytest.mark.parametrize("result_type", ["base64Binary", "string"])
    @pytest.mark.parametrize(
        ("form", "attributes"),
        [
            ("absent", None),
            ("empty", {}),
            ("nil", {"{http://www.w3.org/2001/XMLSchema-instance}nil": "true"}),
        ],
    )
    def test_its_form(
        self, dialect: Dialect, result_type: ResultType, form: EmptyForm, attributes: dict[str, str] | None
    ) -> None:
        found = results(result(b"", result_type, dialect, form))
        assert [dict(element.attrib) for element in found] == ([] if attributes is None else [attributes])
        assert not "".join(element.text or "" for element in found)

    def test_a_blank_file_of_size_0_is_no_scores(self) -> None:
        assert results(result(b"\r\n", "string", Dialect(), size=0)) == []
