"""Answers as bytes: the frame around a result, or a fault. Pure, as ``envelope`` is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from shim.errors import Cause
from shim.wire.dialect import MARKS, XSI, Dialect, Version

Empty = Literal["absent", "empty", "nil"]
"""How an answer without scores looks: no result element, an empty one, or one with ``xsi:nil``."""

_FAULT: Final = {
    Version.SOAP_11: "<faultcode>soap:{code}</faultcode><faultstring>{text}</faultstring><detail/>",
    Version.SOAP_12: "<soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code>"
    '<soap:Reason><soap:Text xml:lang="en">{text}</soap:Text></soap:Reason><soap:Detail/>',
}


class Name(NamedTuple):
    """The name of an element.

    Attributes:
        local: Its local name.
        namespace: Its namespace; empty for none.
    """

    local: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Wrapper:
    """The elements that a result comes in.

    Attributes:
        path: From the body's element to the one with the score file, which may be the same.
        action: What WS-Addressing calls the answer.
    """

    path: tuple[Name, ...]
    action: str


def frame(dialect: Dialect, wrapper: Wrapper) -> tuple[bytes, bytes]:
    """What stands before and after the text of the result, in the caller's encoding."""
    head, tail = _envelope(dialect, wrapper.action)
    elements = _elements(wrapper.path)
    opening = "".join(f"<{start}>" for start, _ in elements)
    return encode(head + opening, dialect, mark=True), encode(_closing(elements) + tail, dialect)


def empty(dialect: Dialect, wrapper: Wrapper, form: Empty) -> bytes:
    """An answer without scores."""
    head, tail = _envelope(dialect, wrapper.action)
    elements = _elements(wrapper.path)
    if form == "absent" and len(elements) > 1:
        elements = elements[:-1]
    *outer, (innermost, _) = elements
    opening = "".join(f"<{start}>" for start, _ in outer)
    nil = f' xsi:nil="true" xmlns:xsi="{XSI}"' if form == "nil" else ""
    return encode(f"{head}{opening}<{innermost}{nil}/>{_closing(outer)}{tail}", dialect, mark=True)


def fault(dialect: Dialect, cause: Cause, text: str) -> bytes:
    """A whole fault.

    Its detail is empty, as ASMX wrote it: without one System.Web.Services takes the
    fault for one about headers, and on a free-form one Mono's WCF throws.
    """
    code = cause.code_11 if dialect.version is Version.SOAP_11 else cause.code_12
    head, tail = _envelope(dialect, dialect.addressing.fault_action if dialect.addressing else "")
    body = _FAULT[dialect.version].format(code=code, text=escape(text))
    return encode(f"{head}<soap:Fault>{body}</soap:Fault>{tail}", dialect, mark=True)


def encode(text: str, dialect: Dialect, *, mark: bool = False) -> bytes:
    """Encode a part of an answer; the first part of UTF-16 gets the mark that tells its order."""
    data = text.encode(dialect.encoding)
    return MARKS[dialect.encoding] + data if mark and dialect.encoding != "utf-8" else data


@lru_cache(maxsize=16)
def _elements(path: tuple[Name, ...]) -> tuple[tuple[str, str], ...]:
    """The start tag of each element, without its angle brackets, and its name."""
    namespaces = list(dict.fromkeys(name.namespace for name in path))
    if len(namespaces) == 1:
        prefixes = {namespaces[0]: ""}
        declarations = f" xmlns={quoteattr(namespaces[0])}" if namespaces[0] else ""
    else:
        prefixes = {namespace: f"n{number}:" if namespace else "" for number, namespace in enumerate(namespaces)}
        declarations = "".join(f" xmlns:n{n}={quoteattr(uri)}" for n, uri in enumerate(namespaces) if uri)
    names = [prefixes[name.namespace] + name.local for name in path]
    return (names[0] + declarations, names[0]), *((name, name) for name in names[1:])


def _closing(elements: Sequence[tuple[str, str]]) -> str:
    return "".join(f"</{name}>" for _, name in reversed(elements))


def _envelope(dialect: Dialect, action: str) -> tuple[str, str]:
    charset = dialect.content_type.partition("charset=")[2]
    header = ""
    if dialect.addressing is not None:
        namespace = quoteattr(dialect.addressing.namespace)
        header = (
            f"<soap:Header><Action xmlns={namespace}>{escape(action)}</Action>"
            f"<RelatesTo xmlns={namespace}>{escape(dialect.message_id)}</RelatesTo></soap:Header>"
        )
    declaration = f'<?xml version="1.0" encoding="{charset}"?>'
    return (
        f'{declaration}<soap:Envelope xmlns:soap="{dialect.version.namespace}">{header}<soap:Body>',
        "</soap:Body></soap:Envelope>",
    )
