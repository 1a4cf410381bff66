"""Answers as bytes: the frame around a result, an answer without scores, a fault."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from shim.errors import MUST_UNDERSTAND, VERSION, Cause
from shim.wire.answer_format import AnswerFormat
from shim.wire.dialect import Dialect, Version
from shim.wire.encoding import BYTE_ORDER_MARKS
from shim.wire.namespaces import XSD, XSI
from shim.wire.qname import QName

_FAULT: Final = {
    Version.SOAP_11: "<faultcode>soap:{code}</faultcode><faultstring>{text}</faultstring>",
    Version.SOAP_12: "<soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code>"
    '<soap:Reason><soap:Text xml:lang="en">{text}</soap:Text></soap:Reason>',
}
_DETAIL: Final = {Version.SOAP_11: "detail", Version.SOAP_12: "soap:Detail"}
# What a service of both versions sends to an envelope of another one (SOAP 1.2 part 1 §5.4.7).
_UPGRADE: Final = (
    '<soap:Header><soap12:Upgrade xmlns:soap12="{1}">'
    '<soap12:SupportedEnvelope qname="soap:Envelope" xmlns:soap="{0}" />'
    '<soap12:SupportedEnvelope qname="soap12:Envelope" xmlns:soap12="{1}" /></soap12:Upgrade></soap:Header>'
).format(*(version.namespace for version in Version))


class _Tag(NamedTuple):
    """An element's start tag without its angle brackets, and its name as written in the end tag."""

    start: str
    name: str


def frame(answer_format: AnswerFormat) -> tuple[bytes, bytes]:
    """Return the bytes before and after the text of the result, in the caller's encoding."""
    head, tail = _envelope(answer_format.dialect, _relation(answer_format.dialect, answer_format.action))
    tags = _tags(answer_format.path)
    before = encode(head + _opening(tags), answer_format.dialect, mark=True)
    return before, encode(_closing(tags) + tail, answer_format.dialect)


def empty(answer_format: AnswerFormat) -> bytes:
    """Return a whole answer without scores."""
    head, tail = _envelope(answer_format.dialect, _relation(answer_format.dialect, answer_format.action))
    tags = _tags(answer_format.path)
    if answer_format.empty == "absent" and len(tags) > 1:
        tags = tags[:-1]
    *outer, innermost = tags
    declared = "" if _is_asmx(answer_format.dialect) else f' xmlns:xsi="{XSI}"'
    nil = f' xsi:nil="true"{declared}' if answer_format.empty == "nil" else ""
    body = f"{_opening(outer)}{_element(innermost.start + nil, answer_format.dialect)}{_closing(outer)}"
    return encode(head + body + tail, answer_format.dialect, mark=True)


def fault(dialect: Dialect, cause: Cause, text: str) -> bytes:
    """Return a whole fault.

    The detail is empty, as ASMX wrote it. Without one, System.Web.Services takes the fault for one about headers: ASMX
    left it out of ``MustUnderstand``. On a free-form detail, Mono's WCF throws.
    """
    code = cause.code_11 if dialect.version is Version.SOAP_11 else cause.code_12
    header = _UPGRADE if cause is VERSION else ""
    if dialect.addressing is not None:
        header = _relation(dialect, dialect.addressing.fault_action)
    head, tail = _envelope(dialect, header)
    body = _FAULT[dialect.version].format(code=code, text=escape(text))
    is_header = cause is MUST_UNDERSTAND and _is_asmx(dialect)
    detail = "" if is_header else _element(_DETAIL[dialect.version], dialect)
    return encode(f"{head}<soap:Fault>{body}{detail}</soap:Fault>{tail}", dialect, mark=True)


def encode(text: str, dialect: Dialect, *, mark: bool = False) -> bytes:
    """Encode a part of an answer.

    Args:
        text: The part.
        dialect: The dialect of the caller.
        mark: Whether the part is the first one: in UTF-16 it then begins with a byte order mark.
    """
    data = text.encode(dialect.encoding)
    return BYTE_ORDER_MARKS[dialect.encoding] + data if mark and dialect.encoding != "utf-8" else data


@lru_cache(maxsize=16)  # 6 us of a call; the paths of a contract are few
def _tags(path: tuple[QName, ...]) -> tuple[_Tag, ...]:
    prefixes = _prefixes(dict.fromkeys(name.namespace for name in path))
    declarations = "".join(
        f" {'xmlns:' if prefix else 'xmlns'}{prefix}={quoteattr(namespace)}"
        for namespace, prefix in prefixes.items()
        if namespace
    )
    names = [_prefixed(prefixes[name.namespace], name.local) for name in path]
    return _Tag(names[0] + declarations, names[0]), *(_Tag(name, name) for name in names[1:])


def _prefixes(namespaces: Iterable[str]) -> dict[str, str]:
    """Return a prefix for each namespace; a namespace that is alone becomes the default one, without a prefix."""
    numbered = list(enumerate(namespaces))
    return {namespace: f"n{number}" if namespace and len(numbered) > 1 else "" for number, namespace in numbered}


def _prefixed(prefix: str, local: str) -> str:
    return f"{prefix}:{local}" if prefix else local


def _opening(tags: Sequence[_Tag]) -> str:
    return "".join(f"<{tag.start}>" for tag in tags)


def _closing(tags: Sequence[_Tag]) -> str:
    return "".join(f"</{tag.name}>" for tag in reversed(tags))


def _is_asmx(dialect: Dialect) -> bool:
    """Return whether to answer in ASMX's bytes, which tests/asmx compares; UTF-16 and WS-Addressing are WCF's."""
    return dialect.encoding == "utf-8" and dialect.addressing is None


def _element(start: str, dialect: Dialect) -> str:
    """Return an element without content; ASMX wrote a blank before the slash."""
    return f"<{start} />" if _is_asmx(dialect) else f"<{start}/>"


def _relation(dialect: Dialect, action: str) -> str:
    """Return the header that relates an answer to its call by WS-Addressing; empty for a call without it."""
    if dialect.addressing is None:
        return ""
    namespace = quoteattr(dialect.addressing.namespace)
    return (
        f"<soap:Header><Action xmlns={namespace}>{escape(action)}</Action>"
        f"<RelatesTo xmlns={namespace}>{escape(dialect.message_id)}</RelatesTo></soap:Header>"
    )


def _envelope(dialect: Dialect, header: str) -> tuple[str, str]:
    charset = dialect.content_type.partition("charset=")[2]
    declaration = f'<?xml version="1.0" encoding="{charset}"?>'
    namespaces = f' xmlns:xsi="{XSI}" xmlns:xsd="{XSD}"' if _is_asmx(dialect) else ""
    start = f'<soap:Envelope xmlns:soap="{dialect.version.namespace}"{namespaces}>'
    return f"{declaration}{start}{header}<soap:Body>", "</soap:Body></soap:Envelope>"
