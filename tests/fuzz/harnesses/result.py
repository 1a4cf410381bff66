"""A score file in its envelope: well-formed in every dialect, as long as announced, and the file byte for byte."""

import base64
import io
import re
from typing import Final
from xml.etree import ElementTree as ET

from lxml import etree

from shim import errors
from shim.query import ScoreFile
from shim.wire import answer
from shim.wire.addressing import ADDRESSING, Addressing
from shim.wire.answer_format import AnswerFormat, EmptyForm, ResultType
from shim.wire.dialect import Dialect, Version
from shim.wire.encoding import BYTE_ORDER_MARKS
from shim.wire.namespaces import XSI
from shim.wire.qname import QName
from shim.wire.result import Result
from tests.fuzz.inputs import Choices, expanded

WORDS: Final = (
    b"]]>",
    b"&",
    b"<",
    b"\r\n",
    b"\xed\xa0\x80",
    b"\xef\xbf\xbf",
    b"\xf0\x9f\x98\x80",
    b"\x1a\x03\x0f",
    b"\x1a\x01\x10",
)

_ADDRESSING: Final[tuple[Addressing | None, ...]] = (None, *ADDRESSING.values())
_KINDS: Final[tuple[ResultType, ...]] = ("base64Binary", "string")
_EMPTY: Final[tuple[EmptyForm, ...]] = ("absent", "empty", "nil")
_PATHS: Final = (
    (QName("AResponse", "urn:a"), QName("AResult", "urn:a")),
    (QName("AResponse", "urn:a&'b"), QName("AResult", "")),
    (QName("AResponse", ""), QName("AResult", "urn:b")),
    (QName("AResult", "urn:a"),),
    (QName("\u00c4", "urn:a"), QName("B", "urn:b"), QName("C", "urn:b"), QName("D", "")),
)
# Python's own reader of XML is another than the one in the gateway.
_XML_CHARACTERS: Final = re.compile("[\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
_NUMBER: Final = "0123456789abcdef"
_CAUSES: Final = tuple(errors.CAUSES.values())


def run(data: bytes) -> None:
    """A dialect, the elements around the result, a line with the name of the message; then the file."""
    choices = Choices(data)
    addressing = choices.pick(_ADDRESSING)
    version, encoding = choices.pick(list(Version)), choices.pick(list(BYTE_ORDER_MARKS))
    result_type, empty, path = choices.pick(_KINDS), choices.pick(_EMPTY), choices.pick(_PATHS)
    cause = choices.pick(_CAUSES)
    # Only what a parser read comes here, of which a bare CR is the one thing that XML cannot tell from an LF.
    message_id = "".join(_XML_CHARACTERS.findall(choices.line().decode(errors="replace"))).replace("\r", "")
    dialect = Dialect(version, encoding, addressing, message_id if addressing else "")
    file = expanded(choices.rest())
    _check_fault(dialect, cause)
    answer_format = AnswerFormat(dialect, path, "urn:a/\u00c4<&>Response", result_type, empty, in_band=False)
    spool = io.BytesIO(file)
    try:
        result = Result(ScoreFile(spool, len(file), None), answer_format)
    except errors.OperatorError as error:
        assert error.cause is errors.NOT_TEXT
        assert result_type == "string"
        assert _text(file) is None
        return
    body = b"".join(result)
    assert len(body) == result.length
    assert body.startswith(BYTE_ORDER_MARKS[encoding]) == (encoding != "utf-8")
    root = ET.fromstring(body)  # noqa: S314 - what is read is the gateway's own
    assert etree.fromstring(body, etree.XMLParser(huge_tree=True)).tag == root.tag
    _check_frame(root, dialect)
    element = root[-1]
    absent = not file and empty == "absent" and len(path) > 1
    for name in path[:-1] if absent else path:
        (element,) = list(element)
        assert element.tag == (f"{{{name.namespace}}}{name.local}" if name.namespace else name.local)
    assert not len(element)
    assert (element.get(f"{{{XSI}}}nil") == "true") == (not file and empty == "nil")
    text = element.text or ""
    assert text == _text(file) if result_type == "string" else base64.b64decode(text, validate=True) == file


def _check_fault(dialect: Dialect, cause: errors.Cause) -> None:
    root = ET.fromstring(answer.fault(dialect, cause, cause.error("<Name>&").fault_text(_NUMBER)))  # noqa: S314 - same
    _check_frame(root, dialect)
    (fault,) = root[-1]
    assert fault.tag == f"{{{dialect.version.namespace}}}Fault"
    words = fault.findtext("faultstring") or fault.findtext(".//{*}Text") or ""
    assert words == cause.error("<Name>&").fault_text(_NUMBER)
    code = fault.findtext("faultcode") or fault.findtext(".//{*}Value") or ""
    assert code == f"soap:{cause.code_11 if dialect.version is Version.SOAP_11 else cause.code_12}"


def _check_frame(root: ET.Element, dialect: Dialect) -> None:
    assert root.tag == f"{{{dialect.version.namespace}}}Envelope"
    assert [child.tag.rpartition("}")[2] for child in root] == (["Header", "Body"] if dialect.addressing else ["Body"])
    if dialect.addressing:
        assert root[0].findtext(f"{{{dialect.addressing.namespace}}}RelatesTo") == dialect.message_id


def _text(file: bytes) -> str | None:
    """The file as text that XML can carry."""
    try:
        text = file.decode()
    except UnicodeDecodeError:
        return None
    return text if _XML_CHARACTERS.fullmatch(text) else None
