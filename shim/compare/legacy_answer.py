"""The answer of the legacy service, read without zeep, which takes an empty answer or no base64 for no scores.

Errors are described without a word that the service sent: its sentences may hold a user name, and its faults anything.
"""

import base64
import binascii
from http import HTTPStatus

from lxml import etree

from shim.contracts.description import OperationDescription


class LegacyError(Exception):
    """The legacy service did not give a score file; the message says why."""


def read_result(status: int, content: bytes, described: OperationDescription) -> bytes:
    """Return the bytes of the result; empty if there are no scores.

    Args:
        status: The HTTP status.
        content: The body.
        described: The operation.

    Raises:
        LegacyError: The answer has no result of this operation.
    """
    element = _find_result(_open_body(status, content), described)
    if element is None:
        return b""
    text = "".join(map(str, element.itertext()))
    if described.result_type == "string":
        return text.encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise LegacyError("its result is no base64") from None


def describe_text(result: bytes) -> str:
    """Describe a result that holds no scores, by the four tests of the service's public clients."""
    text = result.decode("utf-8", "replace").strip()
    if (
        text.startswith("Logon failure")
        or text.endswith("Please check your username, password.")
        or "is not authenticated" in text
        or "user name or password is incorrect" in text
    ):
        return "it refused the log-on, with a sentence in its result"
    return "its result is no score file"


def _open_body(status: int, content: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        body = etree.fromstring(content, parser).find("{*}Body")
    except etree.XMLSyntaxError:
        raise LegacyError(f"it answered HTTP {status} and no XML") from None
    if body is None:
        raise LegacyError(f"it answered HTTP {status} and no SOAP")
    if body.find("{*}Fault") is not None or status != HTTPStatus.OK:
        raise LegacyError(f"it answered HTTP {status} and a SOAP fault")
    return body


def _find_result(element: etree._Element, described: OperationDescription) -> etree._Element | None:
    """Return the element of the result; None where the service left it out because there are no scores."""
    for depth, name in enumerate(described.result_path):
        inner = element.find(f"{{*}}{name.local}")
        if inner is None and depth and not len(element):
            return None
        if inner is None:
            raise LegacyError("its answer has no result in the place that its WSDL says")
        element = inner
    return element
