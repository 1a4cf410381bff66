"""A request's bytes to a ``Call``.

Pure: no sockets, no config, no logging. What the parser says of bad input is never
passed on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import Final

from lxml import etree

from shim import errors
from shim.wire import parser
from shim.wire.dialect import ADDRESSING, MARKS, WSSE, XSI, Addressing, Dialect, Version

_XML: Final = "http://www.w3.org/XML/1998/namespace"

_TRUE: Final = frozenset({"1", "true"})
_XML_SPACE: Final = " \t\r\n"

_UNDERSTOOD: Final = frozenset({WSSE, *ADDRESSING})
_SECURITY: Final = f"{{{WSSE}}}Security"
_MESSAGE_ID, _ACTION, _REPLY_TO, _FAULT_TO = (
    tuple(f"{{{namespace}}}{name}" for namespace in ADDRESSING)
    for name in ("MessageID", "Action", "ReplyTo", "FaultTo")
)
# Roles in which the gateway is a header's addressee (SOAP 1.1 §4.2.2, SOAP 1.2 part 1 §2.2).
_OWN_ROLES: Final = frozenset(
    {
        "",
        "http://schemas.xmlsoap.org/soap/actor/next",
        "http://www.w3.org/2003/05/soap-envelope/role/next",
        "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
    }
)


@dataclass(frozen=True, slots=True)
class Call:
    """One operation as it was called.

    Attributes:
        dialect: How to answer.
        root: Local name of the body's element.
        namespace: Its namespace; empty when it has none.
        qualified: Whether its parameters have a namespace too.
        element: The body's element.
        security: Its WS-Security headers.
        action: What WS-Addressing calls the action; empty when it is not used.
    """

    dialect: Dialect
    root: str
    namespace: str
    qualified: bool
    element: etree._Element
    security: tuple[etree._Element, ...]
    action: str


# By Python's names of its codecs' modules. ASCII is read as UTF-8, its superset; of UTF-16 without a mark the parser
# looks at the first bytes.
_CODECS: Final = {
    "utf_8": "utf-8",
    "ascii": "utf-8",
    "utf_16": None,
    "utf_16_le": "utf-16le",
    "utf_16_be": "utf-16be",
    "latin_1": "iso-8859-1",
    "cp1252": "windows-1252",
}
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*"?([^\s;"]{1,40})', re.IGNORECASE)


def parse(body: bytes, content_type: str) -> "Envelope":
    """Read an envelope.

    Args:
        body: The request's body, decompressed.
        content_type: The request's Content-Type: a byte order mark comes before
            its charset, its charset before the XML declaration (RFC 7303 §3.2).

    Raises:
        CallerError: It is no SOAP envelope. ``sniff`` then tells how to answer.
    """
    marked = _marked(body)
    encoding = marked or _declared(content_type)
    hardened = parser.hardened(encoding, len(body))
    try:
        root = etree.fromstring(body.removeprefix(MARKS[marked]) if marked else body, hardened)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise errors.NOT_XML.error() from error
    # A warning of a later namespace hides the error of an undeclared prefix from lxml, which goes by the last alone.
    if any(entry.level >= etree.ErrorLevels.ERROR for entry in hardened.error_log):
        raise errors.NOT_XML.error()
    document = root.getroottree().docinfo
    if document.internalDTD is not None:
        raise errors.DOCTYPE.error()
    return Envelope(root, encoding or document.encoding or "utf-8")


def _marked(body: bytes) -> str | None:
    return next((encoding for encoding, mark in MARKS.items() if body.startswith(mark)), None)


def _declared(content_type: str) -> str | None:
    charset = _CHARSET.search(content_type)
    if charset is None:
        return None
    # Not by codecs.lookup: it keeps every name that it was ever asked for, and anybody can ask.
    name = normalize_encoding(charset[1]).lower()
    try:
        return _CODECS[aliases.get(name, name)]
    except KeyError as error:
        raise errors.ENCODING.error() from error


def sniff(body: bytes, content_type: str) -> Dialect:
    """Tell from its bytes how to answer a request that is no SOAP envelope."""
    encoding = _marked(body) or "utf-8"
    # Without its NULs, UTF-16 of no mark reads as ASCII.
    text = body.decode(encoding, "ignore").replace("\0", "")
    if Version.SOAP_11.namespace in text:
        return Dialect(Version.SOAP_11, encoding)
    media_type, _, parameters = content_type.lower().partition(";")
    # With attachments, the type of the envelope is a parameter of that of all parts.
    declared = parameters if media_type.strip().startswith("multipart/") else media_type
    is_12 = Version.SOAP_12.media_type in declared or Version.SOAP_12.namespace in text
    return Dialect(Version.SOAP_12 if is_12 else Version.SOAP_11, encoding)


class Envelope:
    """A well-formed SOAP envelope.

    Attributes:
        dialect: How to answer it, known before its headers and body are checked.
    """

    def __init__(self, root: etree._Element, encoding: str) -> None:
        """Take the root of a document.

        Raises:
            CallerError: It is no SOAP envelope, or one of an unknown version.
        """
        name = etree.QName(root)
        version = next((version for version in Version if version.namespace == name.namespace), None)
        if name.localname != "Envelope":
            raise errors.NOT_SOAP.error()
        if version is None:
            raise errors.VERSION.error()
        self._version = version
        soap = f"{{{version.namespace}}}"
        self._blocks = list(root.iterchildren(f"{soap}Header"))
        self._bodies = list(root.iterchildren(f"{soap}Body"))
        self.dialect = self._related(Dialect(version, _answer_encoding(encoding)))

    def call(self) -> Call:
        """Check headers and body.

        Raises:
            CallerError: A header must be understood and is not, the reply is
                wanted elsewhere, or the body does not hold one element.
        """
        self._check_understood()
        self._check_replies()
        elements = [child for body in self._bodies for child in body]
        if len(self._bodies) != 1 or len(elements) != 1:
            raise errors.NOT_SOAP.error()
        (element,) = elements
        name = etree.QName(element)
        if name.namespace == _XML:  # no other prefix may be bound to it, so no answer could be written
            raise errors.NOT_SOAP.error()
        return Call(
            dialect=self.dialect,
            root=name.localname,
            namespace=name.namespace or "",
            qualified=len(element) == 0 or etree.QName(element[0]).namespace is not None,
            element=element,
            security=tuple(self._headers(_SECURITY)),
            action=self._addressed(_ACTION)[1],
        )

    def _related(self, dialect: Dialect) -> Dialect:
        addressing, message_id = self._addressed(_MESSAGE_ID)
        return replace(dialect, addressing=addressing, message_id=message_id) if message_id else dialect

    def _headers(self, *names: str) -> Iterator[etree._Element]:
        # lxml looks for the names, so that tens of thousands of others cost next to nothing.
        return (header for block in self._blocks for header in block.iterchildren(*names))

    def _addressed(self, names: tuple[str, ...]) -> tuple[Addressing | None, str]:
        header = next(self._headers(*names), None)
        if header is None:
            return None, ""
        return ADDRESSING[etree.QName(header).namespace or ""], text_of(header).strip(_XML_SPACE)

    def _check_understood(self) -> None:
        soap = f"{{{self._version.namespace}}}"
        must = f"{soap}mustUnderstand"
        for header in self._headers("*"):
            if (
                (told := header.get(must)) is not None
                and told.strip(_XML_SPACE) in _TRUE
                and header.get(f"{soap}{self._version.actor}", "") in _OWN_ROLES
                and etree.QName(header).namespace not in _UNDERSTOOD
            ):
                raise errors.MUST_UNDERSTAND.error()

    def _check_replies(self) -> None:
        for header in self._headers(*_REPLY_TO, *_FAULT_TO):
            namespace = etree.QName(header).namespace or ""
            address = header.find(f"{{{namespace}}}Address")
            wanted = "" if address is None else text_of(address).strip(_XML_SPACE)
            if wanted != ADDRESSING[namespace].anonymous:
                raise errors.REPLY_ELSEWHERE.error()


def _answer_encoding(encoding: str) -> str:
    # UTF-16 of no stated order is answered in the common one; the mark tells.
    return {"utf-16": "utf-16le", "utf-16le": "utf-16le", "utf-16be": "utf-16be"}.get(encoding.lower(), "utf-8")


def text_of(element: etree._Element) -> str:
    """All text in an element, in document order."""
    return "".join(element.itertext())  # type: ignore[arg-type]


def is_nil(element: etree._Element) -> bool:
    """Whether ``xsi:nil`` says that the element has no value; ``false`` says that it has one."""
    return element.get(f"{{{XSI}}}nil", "").strip(_XML_SPACE) in _TRUE
