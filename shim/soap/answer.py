"""Answers as bytes: the frame around a score file, or a fault. Pure, as ``envelope`` is."""

from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from shim.errors import Cause
from shim.soap.dialect import MARKS, Dialect, Version


@dataclass(frozen=True, slots=True)
class Wrapper:
    """The element that an answer comes in.

    Attributes:
        response: Local name of the body's element.
        result: Local name of the element with the score file.
        namespace: Namespace of the first; empty for none.
        qualified: Whether the result is in that namespace too.
        action: What WS-Addressing calls the answer.
    """

    response: str
    result: str
    namespace: str
    qualified: bool
    action: str


_DECLARATION: Final = '<?xml version="1.0" encoding="{}"?>'
_FAULT: Final = {
    Version.SOAP_11: "<faultcode>soap:{code}</faultcode><faultstring>{text}</faultstring><detail/>",
    Version.SOAP_12: "<soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code>"
    '<soap:Reason><soap:Text xml:lang="en">{text}</soap:Text></soap:Reason><soap:Detail/>',
}


def frame(dialect: Dialect, wrapper: Wrapper) -> tuple[bytes, bytes]:
    """What stands before and after the text of the result, in the caller's encoding."""
    response, result = wrapper.response, wrapper.result
    if not wrapper.namespace:
        names = f"<{response}>", f"</{response}>"
    elif wrapper.qualified:
        names = f"<{response} xmlns={quoteattr(wrapper.namespace)}>", f"</{response}>"
    else:
        names = f"<a:{response} xmlns:a={quoteattr(wrapper.namespace)}>", f"</a:{response}>"
    head, tail = _envelope(dialect, wrapper.action)
    return (
        encode(f"{head}{names[0]}<{result}>", dialect, mark=True),
        encode(f"</{result}>{names[1]}{tail}", dialect),
    )


def empty(dialect: Dialect, wrapper: Wrapper) -> bytes:
    """An answer with no result element in it."""
    name, prefix = wrapper.response, ""
    if wrapper.namespace:
        prefix = f" xmlns={quoteattr(wrapper.namespace)}"
    head, tail = _envelope(dialect, wrapper.action)
    return encode(f"{head}<{name}{prefix}/>{tail}", dialect, mark=True)


def fault(dialect: Dialect, cause: Cause, text: str) -> bytes:
    """A whole fault.

    Its detail is empty, as ASMX wrote it: without one System.Web.Services takes the
    fault for one about headers, and on a free-form one Mono's WCF throws.
    """
    code = cause.code_11 if dialect.version is Version.SOAP_11 else cause.code_12
    head, tail = _envelope(dialect, dialect.addressing.fault_action if dialect.addressing else "")
    body = _FAULT[dialect.version].format(code=code, text=escape(text))
    return encode(f"{head}<soap:Fault>{body}</soap:Fault>{tail}", dialect, mark=True)


def base64_length(size: int, dialect: Dialect) -> int:
    """Length in bytes of the base64 of so many bytes."""
    characters = 4 * ((size + 2) // 3)
    return characters if dialect.encoding == "utf-8" else 2 * characters


def encode(text: str, dialect: Dialect, *, mark: bool = False) -> bytes:
    """Encode a part of an answer; the first part of UTF-16 gets the mark that tells its order."""
    data = text.encode(dialect.encoding)
    return MARKS[dialect.encoding] + data if mark and dialect.encoding != "utf-8" else data


def _envelope(dialect: Dialect, action: str) -> tuple[str, str]:
    declaration = _DECLARATION.format(dialect.content_type.partition("charset=")[2])
    header = ""
    if dialect.addressing is not None:
        namespace = quoteattr(dialect.addressing.namespace)
        header = (
            f"<soap:Header><Action xmlns={namespace}>{escape(action)}</Action>"
            f"<RelatesTo xmlns={namespace}>{escape(dialect.message_id)}</RelatesTo></soap:Header>"
        )
    head = f'{declaration}<soap:Envelope xmlns:soap="{dialect.version.namespace}">{header}<soap:Body>'
    return head, "</soap:Body></soap:Envelope>"
