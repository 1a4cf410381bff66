"""A request's bytes to a ``Call``. The parser's own messages about bad input are never passed on."""

import re
from collections.abc import Container, Iterator
from dataclasses import replace
from typing import Final

from lxml import etree

from shim import errors
from shim.wire import encoding, xsd
from shim.wire.addressing import ADDRESSING, Addressing
from shim.wire.call import Call
from shim.wire.dialect import Dialect, Version
from shim.wire.elements import text_of
from shim.wire.namespaces import WSSE, XML
from shim.wire.parser import hardened_parser

_UNDERSTOOD: Final = frozenset({WSSE, *ADDRESSING})
_SECURITY: Final = f"{{{WSSE}}}Security"
_MESSAGE_ID, _ACTION, _REPLY_TO, _FAULT_TO = (
    tuple(f"{{{namespace}}}{name}" for namespace in ADDRESSING)
    for name in ("MessageID", "Action", "ReplyTo", "FaultTo")
)
# The roles that address the gateway (SOAP 1.1 §4.2.2, SOAP 1.2 part 1 §2.2).
_OWN_ROLES: Final = frozenset(
    {
        "",
        "http://schemas.xmlsoap.org/soap/actor/next",
        "http://www.w3.org/2003/05/soap-envelope/role/next",
        "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
    }
)
# The start tag of an envelope with its prefix and its attributes, and the namespaces that these declare.
_START_TAG: Final = re.compile(r"<(?:([^\s<>/:]{1,100}):)?Envelope\s([^<>]*)")
_DECLARED: Final = re.compile(r"""xmlns(?::([^\s=]{1,100}))?\s*=\s*["']\s*([^"']*)""")


def parse(body: bytes, content_type: str) -> "Envelope":
    """Read an envelope.

    Args:
        body: The request's body, decompressed.
        content_type: The request's Content-Type, for its charset.

    Raises:
        CallerError: The body is not a SOAP envelope. ``guess_dialect`` then tells how to answer.
    """
    document = encoding.read_document(body, content_type)
    parser = hardened_parser(document.encoding, len(body))
    try:
        root = etree.fromstring(document.data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise errors.NOT_XML.error() from error
    # lxml raises by the last entry of its log alone: a warning hides the error of an undeclared prefix before it.
    if any(entry.level >= etree.ErrorLevels.ERROR for entry in parser.error_log):
        raise errors.NOT_XML.error()
    if root.getroottree().docinfo.internalDTD is not None:
        raise errors.DOCTYPE.error()
    return Envelope(root, document.encoding)


def guess_dialect(body: bytes, content_type: str) -> Dialect:
    """Return the dialect in which to answer a request that cannot be read as an envelope.

    Args:
        body: The body, or its beginning.
        content_type: The Content-Type; it counts only if the body does not tell the SOAP version.
    """
    marked = encoding.of_byte_order_mark(body) or "utf-8"
    # Without its NULs, UTF-16 without a byte order mark reads as ASCII.
    text = body.decode(marked, "ignore").replace("\0", "")
    return Dialect(_version_in(text) or _version_of_type(content_type), marked)


def _version_in(text: str) -> Version | None:
    if start_tag := _START_TAG.search(text):
        declared: dict[str, str] = dict(_DECLARED.findall(start_tag[2]))
        text = declared.get(start_tag[1] or "", text)
    return next((version for version in Version if version.namespace in text), None)


def _version_of_type(content_type: str) -> Version:
    media_type, _, parameters = content_type.lower().partition(";")
    # In a multipart request, a parameter names the media type of the envelope.
    declared = parameters if media_type.strip().startswith("multipart/") else media_type
    return Version.SOAP_12 if Version.SOAP_12.media_type in declared else Version.SOAP_11


class Envelope:
    """A well-formed SOAP envelope.

    Attributes:
        dialect: The dialect to answer in, known before headers and body are checked.
    """

    def __init__(self, root: etree._Element, document_encoding: str) -> None:
        """Read the version and the message's id.

        Args:
            root: The root element of a document.
            document_encoding: The encoding of the document, in which to answer.

        Raises:
            CallerError: The root is not a SOAP envelope, or one of an unknown version.
        """
        name = etree.QName(root)
        version = next((version for version in Version if version.namespace == name.namespace), None)
        if name.localname != "Envelope":
            raise errors.NOT_SOAP.error()
        if version is None:
            raise errors.VERSION.error()
        soap = f"{{{version.namespace}}}"
        self._must_understand = f"{soap}mustUnderstand"
        self._role = f"{soap}{version.actor}"
        self._blocks = list(root.iterchildren(f"{soap}Header"))
        self._bodies = list(root.iterchildren(f"{soap}Body"))
        self.dialect = self._related(Dialect(version, document_encoding))

    def call(self, operations: Container[str] = ()) -> Call:
        """Check headers and body, and return the call in the body.

        Args:
            operations: The names of the elements that call an operation. As ASMX did, the gateway ignores other
                elements beside one of these.

        Raises:
            CallerError: A header that must be understood is unknown, a reply is wanted at another address, or the body
                has no element, or two different calls.
        """
        is_addressed = self._check_understood()
        if is_addressed:
            self._check_replies()
        element = self._body_element(operations)
        name = etree.QName(element)
        if name.namespace == XML:  # an answer would have to declare it, which XML forbids
            raise errors.NOT_SOAP.error()
        return Call(
            dialect=self.dialect,
            name=name.localname,
            namespace=name.namespace or "",
            qualified=len(element) == 0 or etree.QName(element[0]).namespace is not None,
            element=element,
            security=tuple(self._headers(_SECURITY)),
            action=self._addressed(_ACTION)[1] if is_addressed else "",
        )

    def _body_element(self, operations: Container[str]) -> etree._Element:
        elements = [child for body in self._bodies for child in body]
        if not elements:
            raise errors.NOT_SOAP.error()
        found, *others = [one for one in elements if one.tag.rpartition("}")[2] in operations] or elements[:1]
        if others and any(_content(other) != _content(found) for other in others):
            raise errors.NOT_SOAP.error()
        return found

    def _related(self, dialect: Dialect) -> Dialect:
        addressing, message_id = self._addressed(_MESSAGE_ID)
        return replace(dialect, addressing=addressing, message_id=message_id) if message_id else dialect

    def _headers(self, *names: str) -> Iterator[etree._Element]:
        # lxml compares the names in C, so tens of thousands of other headers cost next to nothing.
        return (header for block in self._blocks for header in block.iterchildren(*names))

    def _addressed(self, names: tuple[str, ...]) -> tuple[Addressing | None, str]:
        header = next(self._headers(*names), None)
        if header is None:
            return None, ""
        return ADDRESSING[etree.QName(header).namespace or ""], text_of(header).strip(xsd.SPACE)

    def _check_understood(self) -> bool:
        """Return whether the caller marks a header of WS-Addressing; ASMX ignored all that are not marked."""
        marked = {etree.QName(header).namespace for header in self._headers("*") if self._is_mandatory(header)}
        if marked - _UNDERSTOOD:
            raise errors.MUST_UNDERSTAND.error()
        return not marked.isdisjoint(ADDRESSING)

    def _is_mandatory(self, header: etree._Element) -> bool:
        """Whether a header must be understood here (SOAP 1.1 §4.2.3, SOAP 1.2 part 1 §5.2.3)."""
        return xsd.is_true(header.get(self._must_understand, "")) and header.get(self._role, "") in _OWN_ROLES

    def _check_replies(self) -> None:
        for header in self._headers(*_REPLY_TO, *_FAULT_TO):
            namespace = etree.QName(header).namespace or ""
            address = header.find(f"{{{namespace}}}Address")
            wanted = "" if address is None else text_of(address).strip(xsd.SPACE)
            # A caller that wants no reply gets one in the HTTP response, as from ASMX.
            if wanted not in (ADDRESSING[namespace].anonymous, f"{namespace}/none"):
                raise errors.REPLY_ELSEWHERE.error()


def _content(element: etree._Element) -> list[tuple[object, ...]]:
    """Return what an element says, to compare: its names, texts and attributes, without white space around texts."""
    return [(part.tag, (part.text or "").strip(), *sorted(part.attrib.items())) for part in element.iter()]
