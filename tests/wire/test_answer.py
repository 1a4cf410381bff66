from collections.abc import Iterator
from itertools import product
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from shim import errors
from shim.errors import Cause
from shim.wire import answer
from shim.wire.addressing import ADDRESSING, Addressing
from shim.wire.answer_format import AnswerFormat, EmptyForm
from shim.wire.dialect import Dialect, Version
from shim.wire.encoding import BYTE_ORDER_MARKS
from shim.wire.qname import QName
from tests.web import calls

ADDRESSINGS = (None, *ADDRESSING.values())


def dialect_of(version: Version, encoding: str, addressing: Addressing | None) -> Dialect:
    return Dialect(version, encoding, addressing, "urn:uuid:1" if addressing else "")


DIALECTS = [dialect_of(*features) for features in product(Version, BYTE_ORDER_MARKS, ADDRESSINGS)]
FORMS: tuple[EmptyForm, ...] = ("absent", "empty", "nil")


def id_of(dialect: Dialect) -> str:
    addressing = dialect.addressing.namespace if dialect.addressing else "plain"
    return f"{dialect.version.name} {dialect.encoding} {addressing}"


every_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=id_of)


def causes_in_dialects() -> Iterator[tuple[Cause, Dialect]]:
    """Return pairs such that every cause meets each version, encoding and addressing, and every dialect some cause."""
    versions = list(Version)
    for i, cause in enumerate(errors.CAUSES.values()):
        for j, encoding in enumerate(BYTE_ORDER_MARKS, start=i):
            yield cause, dialect_of(versions[j % len(versions)], encoding, ADDRESSINGS[j % len(ADDRESSINGS)])


def get_scores(namespace: str = calls.NAMESPACE, *, qualified: bool = True) -> tuple[QName, ...]:
    """Return the path to the result of ``GetScores``."""
    return QName("GetScoresResponse", namespace), QName("GetScoresResult", namespace if qualified else "")


def framed(
    dialect: Dialect, path: tuple[QName, ...], text: str = "", *, empty: EmptyForm = "absent", action: str = "urn:a"
) -> bytes:
    """Return an answer with a text in its result; without a text, an answer without scores."""
    answer_format = AnswerFormat(dialect, path, action, "string", empty, in_band=False)
    if not text:
        return answer.empty(answer_format)
    head, tail = answer.frame(answer_format)
    return head + answer.encode(text, dialect) + tail


def opened(body: bytes, dialect: Dialect) -> tuple[etree._Element, etree._Element | None]:
    """Return the one element in the body, and the header."""
    root = etree.fromstring(body)
    soap = f"{{{dialect.version.namespace}}}"
    assert root.tag == f"{soap}Envelope"
    children = list(root)
    header = children.pop(0) if len(children) == 2 else None
    assert header is None or header.tag == f"{soap}Header"
    assert [child.tag for child in children] == [f"{soap}Body"]
    (element,) = children[0]
    return element, header


def assert_related(header: etree._Element | None, dialect: Dialect, action: str) -> None:
    if dialect.addressing is None:
        assert header is None
        return
    assert header is not None
    addressing = f"{{{dialect.addressing.namespace}}}"
    assert [(child.tag, child.text) for child in header] == [
        (f"{addressing}Action", action),
        (f"{addressing}RelatesTo", dialect.message_id),
    ]


@every_dialect
class TestEveryDialect:
    def test_a_frame_around_a_text_is_an_answer(self, dialect: Dialect) -> None:
        element, header = opened(framed(dialect, get_scores(), "QUJD"), dialect)
        assert element.tag == f"{{{calls.NAMESPACE}}}GetScoresResponse"
        assert [(child.tag, child.text) for child in element] == [(f"{{{calls.NAMESPACE}}}GetScoresResult", "QUJD")]
        assert_related(header, dialect, "urn:a")

    @pytest.mark.parametrize(
        ("form", "results"),
        [("absent", []), ("empty", [{}]), ("nil", [{f"{{{calls.XSI}}}nil": "true"}])],
        ids=FORMS,
    )
    def test_an_empty_answer_has_no_result_or_one_without_a_value(
        self, dialect: Dialect, form: EmptyForm, results: list[dict[str, str]]
    ) -> None:
        element, header = opened(framed(dialect, get_scores(), empty=form), dialect)
        assert element.tag == f"{{{calls.NAMESPACE}}}GetScoresResponse"
        assert [dict(child.attrib) for child in element] == results
        assert all(child.tag == f"{{{calls.NAMESPACE}}}GetScoresResult" for child in element)
        assert "".join(element.itertext()) == ""  # type: ignore[arg-type]
        assert_related(header, dialect, "urn:a")

    def test_a_byte_order_mark_is_at_the_start_of_utf_16_and_nowhere_else(self, dialect: Dialect) -> None:
        scores = framed(dialect, get_scores(), "QUJD")
        empty = (framed(dialect, get_scores(), empty=form) for form in FORMS)
        for body in (scores, *empty, answer.fault(dialect, errors.INTERNAL, "text")):
            text = body.decode(dialect.encoding)
            assert text.startswith("\ufeff") == (dialect.encoding != "utf-8")
            assert "\ufeff" not in text[1:]


def test_faults_are_tested_in_every_dialect() -> None:
    assert {dialect for _, dialect in causes_in_dialects()} == set(DIALECTS)


@pytest.mark.parametrize(
    ("cause", "dialect"),
    [pytest.param(cause, dialect, id=f"{cause.slug} {id_of(dialect)}") for cause, dialect in causes_in_dialects()],
)
def test_a_fault_of_every_cause(cause: Cause, dialect: Dialect) -> None:
    text = cause.error("Start<&>Date").sentence
    element, header = opened(answer.fault(dialect, cause, text), dialect)
    soap = f"{{{dialect.version.namespace}}}"
    assert element.tag == f"{soap}Fault"
    has_detail = cause is not errors.MUST_UNDERSTAND or not is_asmx(dialect)
    if dialect.version is Version.SOAP_11:
        assert [child.tag for child in element] == ["faultcode", "faultstring", "detail"][: 2 + has_detail]
        code, said, *details = element
        assert cause.code_11 == local(code)
    else:
        tags = [f"{soap}Code", f"{soap}Reason", f"{soap}Detail"]
        assert [child.tag for child in element] == tags[: 2 + has_detail]
        ((code,), (said,), *details) = element
        assert (code.tag, said.tag) == (f"{soap}Value", f"{soap}Text")
        assert said.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
        assert cause.code_12 == local(code)
    assert said.text == text
    assert all((len(detail), len(detail.attrib), detail.text) == (0, 0, None) for detail in details)
    assert not list(element.iter("{*}Subcode"))
    if cause is errors.VERSION and dialect.addressing is None:
        assert header is not None
        assert [child.tag for child in header] == [f"{{{Version.SOAP_12.namespace}}}Upgrade"]
        assert [envelope.nsmap[(envelope.get("qname") or "").partition(":")[0]] for envelope in header[0]] == [
            version.namespace for version in Version
        ]
    else:
        assert_related(header, dialect, dialect.addressing.fault_action if dialect.addressing else "")


def is_asmx(dialect: Dialect) -> bool:
    """Whether ASMX would have answered so: it spoke neither UTF-16 nor WS-Addressing."""
    return dialect.encoding == "utf-8" and dialect.addressing is None


def local(code: etree._Element) -> str:
    """Return the local name of a fault code, whose prefix must be SOAP's."""
    prefix, _, name = (code.text or "").partition(":")
    assert code.nsmap[prefix] in {version.namespace for version in Version}
    return name


@pytest.mark.parametrize(
    ("namespace", "qualified", "response", "result"),
    [
        ("urn:x", True, "{urn:x}GetScoresResponse", "{urn:x}GetScoresResult"),
        ("urn:x", False, "{urn:x}GetScoresResponse", "GetScoresResult"),
        ("", True, "GetScoresResponse", "GetScoresResult"),
        ("", False, "GetScoresResponse", "GetScoresResult"),
    ],
)
def test_the_result_is_qualified_as_the_call_was(
    namespace: str,
    qualified: bool,
    response: str,
    result: str,
) -> None:
    path = get_scores(namespace, qualified=qualified)
    element, _ = opened(framed(Dialect(), path, "x"), Dialect())
    assert (element.tag, element[0].tag) == (response, result)
    for form in FORMS:
        element, _ = opened(framed(Dialect(), path, empty=form), Dialect())
        assert (element.tag, [child.tag for child in element]) == (response, [] if form == "absent" else [result])


@pytest.mark.parametrize(
    ("path", "tags", "without"),
    [
        pytest.param(
            [("Answer", "urn:a"), ("Part", "urn:b"), ("Scores", "urn:a")],
            ["{urn:a}Answer", "{urn:b}Part", "{urn:a}Scores"],
            ["{urn:a}Answer", "{urn:b}Part"],
            id="nested, in two namespaces",
        ),
        pytest.param([("Scores", "urn:a")], ["{urn:a}Scores"], ["{urn:a}Scores"], id="bare"),
        pytest.param([("Scores", "")], ["Scores"], ["Scores"], id="bare, of no namespace"),
        pytest.param(
            [("A", ""), ("B", "urn:b"), ("C", "")], ["A", "{urn:b}B", "C"], ["A", "{urn:b}B"], id="in and out"
        ),
    ],
)
def test_a_result_at_any_depth(path: list[tuple[str, str]], tags: list[str], without: list[str]) -> None:
    deep = tuple(QName(*name) for name in path)
    assert [element.tag for element in opened(framed(Dialect(), deep, "x"), Dialect())[0].iter()] == tags
    for form in FORMS:
        element, _ = opened(framed(Dialect(), deep, empty=form), Dialect())
        assert [part.tag for part in element.iter()] == (without if form == "absent" else tags)


ASMX_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{}" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>'
)
TAIL = "</soap:Body></soap:Envelope>"
RESPONSE = '<GetScoresResponse xmlns="https://ets.org/edm/webservices/">'


@pytest.mark.parametrize("version", list(Version))
class TestBytesOfAsmx:
    def head(self, version: Version) -> str:
        return ASMX_HEAD.format(version.namespace)

    def test_a_result(self, version: Version) -> None:
        inner = f"{RESPONSE}<GetScoresResult>QUJD</GetScoresResult></GetScoresResponse>"
        expected = f"{self.head(version)}{inner}{TAIL}"
        assert framed(Dialect(version), get_scores(), "QUJD").decode() == expected

    @pytest.mark.parametrize(
        ("form", "inner"),
        [
            ("absent", f"{RESPONSE[:-1]} />"),
            ("empty", f"{RESPONSE}<GetScoresResult /></GetScoresResponse>"),
            ("nil", f'{RESPONSE}<GetScoresResult xsi:nil="true" /></GetScoresResponse>'),
        ],
        ids=FORMS,
    )
    def test_no_scores(self, version: Version, form: EmptyForm, inner: str) -> None:
        expected = f"{self.head(version)}{inner}{TAIL}"
        assert framed(Dialect(version), get_scores(), empty=form).decode() == expected

    @pytest.mark.parametrize("cause", [errors.BAD_DATE, errors.MUST_UNDERSTAND], ids=lambda cause: str(cause.slug))
    def test_a_fault(self, version: Version, cause: Cause) -> None:
        detail = ["<detail />", "<soap:Detail />"][version is Version.SOAP_12] if cause is errors.BAD_DATE else ""
        said = (
            f"<faultcode>soap:{cause.code_11}</faultcode><faultstring>a &lt;b&gt;</faultstring>"
            if version is Version.SOAP_11
            else f"<soap:Code><soap:Value>soap:{cause.code_12}</soap:Value></soap:Code>"
            '<soap:Reason><soap:Text xml:lang="en">a &lt;b&gt;</soap:Text></soap:Reason>'
        )
        expected = f"{self.head(version)}<soap:Fault>{said}{detail}</soap:Fault>{TAIL}"
        assert answer.fault(Dialect(version), cause, "a <b>").decode() == expected


def test_the_bytes_of_asmx_for_an_envelope_of_another_version() -> None:
    upgrade = (
        '<soap:Header><soap12:Upgrade xmlns:soap12="http://www.w3.org/2003/05/soap-envelope">'
        '<soap12:SupportedEnvelope qname="soap:Envelope" xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" />'
        '<soap12:SupportedEnvelope qname="soap12:Envelope" xmlns:soap12="http://www.w3.org/2003/05/soap-envelope" />'
        "</soap12:Upgrade></soap:Header><soap:Body><soap:Fault><faultcode>soap:VersionMismatch</faultcode>"
        "<faultstring>a</faultstring><detail /></soap:Fault></soap:Body></soap:Envelope>"
    )
    expected = ASMX_HEAD.format(Version.SOAP_11.namespace).removesuffix("<soap:Body>") + upgrade
    assert answer.fault(Dialect(), errors.VERSION, "a").decode() == expected


@pytest.mark.parametrize("dialect", [dialect for dialect in DIALECTS if not is_asmx(dialect)], ids=id_of)
def test_utf_16_and_ws_addressing_have_no_needless_white_space_and_namespace(dialect: Dialect) -> None:
    empty = framed(dialect, get_scores(), empty="nil").decode(dialect.encoding)
    assert empty.endswith(
        f'{RESPONSE}<GetScoresResult xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>'
        f"</GetScoresResponse>{TAIL}"
    )
    fault = answer.fault(dialect, errors.MUST_UNDERSTAND, "a").decode(dialect.encoding)
    assert fault.endswith(
        f"{'<detail/>' if dialect.version is Version.SOAP_11 else '<soap:Detail/>'}</soap:Fault>{TAIL}"
    )
    assert "XMLSchema" not in empty.partition("<soap:Body>")[0] + fault


def test_a_path_in_several_namespaces_has_prefixes() -> None:
    path = (QName("A", "urn:a"), QName("B", ""), QName("C", "urn:c"))
    assert b'<n0:A xmlns:n0="urn:a" xmlns:n2="urn:c"><B><n2:C>x</n2:C></B></n0:A>' in framed(Dialect(), path, "x")


def test_the_text_of_a_fault_is_the_same_in_both_versions() -> None:
    texts = {
        opened(answer.fault(dialect, errors.INTERNAL, "a <&> b"), dialect)[0].xpath("string()") for dialect in DIALECTS
    }
    assert {str(text).removeprefix("soap:Server").removeprefix("soap:Receiver") for text in texts} == {"a <&> b"}


# The characters of XML, except carriage returns: all these texts are URIs, whose white space is collapsed.
xml_text = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=30,
)


def is_namespace(text: str) -> bool:
    try:
        etree.fromstring(f"<a:x xmlns:a={quoteattr(text)}/>".encode())
    except etree.XMLSyntaxError:
        return False
    return True


namespaces = (st.text("abz:/?#&'=%20.;~+\u00e9<>\"", min_size=1, max_size=20).map("urn:{}".format) | xml_text).filter(
    is_namespace
)


@given(st.sampled_from(DIALECTS), namespaces, st.booleans(), xml_text)
def test_any_namespace_and_action_are_escaped(
    dialect: Dialect,
    namespace: str,
    qualified: bool,
    action: str,
) -> None:
    path = get_scores(namespace, qualified=qualified)
    empty = (framed(dialect, path, empty=form, action=action) for form in FORMS)
    for body in (framed(dialect, path, "x", action=action), *empty):
        element, header = opened(body, dialect)
        assert etree.QName(element).namespace == namespace
        assert_related(header, dialect, action)


@given(
    st.sampled_from(Version),
    st.sampled_from(tuple(BYTE_ORDER_MARKS)),
    st.sampled_from(tuple(ADDRESSING.values())),
    xml_text,
)
def test_any_message_id_is_escaped(version: Version, encoding: str, addressing: object, text: str) -> None:
    dialect = Dialect(version, encoding, addressing, text)  # type: ignore[arg-type]
    element, header = opened(answer.fault(dialect, errors.INTERNAL, text), dialect)
    assert text in str(element.xpath("string()"))
    assert header is not None
    assert header[1].text == text
