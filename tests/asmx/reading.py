"""What a response shows of how its request was understood."""

import base64
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from lxml import etree

from tests.asmx.understood import Document, Query, asked, meant
from tests.asmx.wire import Response
from tests.soap_http import SOAP_12

NO_DATES: Final = "200 without the dates"
"""What is told of an ASMX answer to a call in which the service found no start or no end."""

_SLUG: Final = re.compile(r"\(([a-z-]+); request [0-9a-f]{16}\)")
_DOCUMENTS: Final = {"definitions": "a WSDL", "discovery": "a discovery document", "html": "an HTML page"}
_MEDIA_TYPES: Final = {"text/xml": "an XML document", "text/html": "an HTML page"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One response, as the judge reads it.

    Attributes:
        meaning: What its request was understood as; None for a refusal.
        told: The response in a few words, which are the same in every run.
    """

    meaning: Query | Document | None
    told: str


def of_service(response: Response) -> Reading:
    """Read a response of the ASMX service."""
    result = _result(response)
    if result is None:
        return _document(response) or Reading(None, f"{response.status} {_fault_code(response)}")
    stated = dict(parse_qsl(result.decode("utf-8"), keep_blank_values=True))
    if not {"start", "end"} <= stated.keys():
        return Reading(None, NO_DATES)
    return _understood(meant(stated))


def of_gateway(response: Response) -> Reading:
    """Read a response of a gateway in front of an upstream that states the query."""
    result = _result(response)
    if result is None:
        return _document(response) or Reading(None, f"{response.status} {_slug(response.body)}")
    parameters = dict(parse_qsl(result.decode("utf-8").strip()))
    if "startdate" not in parameters:
        return Reading(None, f"{response.status} {_slug(result)}, in the result")
    return _understood(asked(parameters))


def _understood(meaning: Query | Document) -> Reading:
    return Reading(meaning, str(meaning))


def _result(response: Response) -> bytes | None:
    """Return the bytes of the result; None where no result is. An answer to a form POST has the bare value."""
    root = _root(response.body)
    if response.status != 200 or root is None:
        return None
    elements = ((str(element.tag).rpartition("}")[2], element) for element in root.iter())
    found = next((one for name, one in elements if name.endswith("Result") or name == "base64Binary"), None)
    return base64.b64decode(found.text or "", validate=True) if found is not None else None


def _document(response: Response) -> Reading | None:
    if response.status != 200:
        return None
    media_type = response.headers.get("content-type", "").partition(";")[0].lower()
    if not response.body:
        return _understood(Document(_MEDIA_TYPES.get(media_type, media_type)))
    root = _root(response.body)
    name = str(root.tag).rpartition("}")[2] if root is not None else "html" if media_type == "text/html" else ""
    return _understood(Document(_DOCUMENTS.get(name, media_type)))


def _root(body: bytes) -> etree._Element | None:
    try:
        return etree.fromstring(body)
    except etree.XMLSyntaxError:
        return None


def _fault_code(response: Response) -> str:
    root = _root(response.body)
    code = None if root is None else root.findtext(".//faultcode") or root.findtext(f".//{{{SOAP_12}}}Value")
    return code or ("without a body" if not response.body else "without a fault")


def _slug(text: bytes) -> str:
    found = _SLUG.search(text.decode("utf-8", "replace").replace("\0", ""))
    return found[1] if found else "without a fault"
