"""A request that is put together from parts, each of which can be odd."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.soap_http import MEDIA_TYPES, SOAP_11, SOAP_12

PATH: Final = "/TOEFLWebService/TOEFLEdm.asmx"
NAMESPACE: Final = "https://ets.org/edm/webservices/"
GET_SCORES: Final = "GetScores"
BY_REPORT_DATE: Final = "getScorelinkDataByReportDate"
VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    GET_SCORES: {
        "StartDate": "2025-04-21T16:45:03",
        "EndDate": "2025-04-22T16:52:13",
        "Type": "TOEFL",
        "ReportBy": "scorelinkbyreportdate",
    },
    BY_REPORT_DATE: {
        "userName": "user",
        "password": "secret",
        "reportstartdate": "04/21/2025",
        "reportenddate": "04/22/2025",
    },
}
"""The parameters of an ordinary call, by operation."""

_INSTANCE: Final = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'


@dataclass(frozen=True, slots=True)
class Value:
    """One parameter.

    Attributes:
        name: Its name.
        markup: What stands between its tags.
        attributes: Its attributes, with a blank before each.
    """

    name: str
    markup: str
    attributes: str = ""


def _no_values() -> tuple[Value, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A request.

    Attributes:
        operation: The operation.
        version: The namespace of the envelope.
        values: Its parameters, in order.
        declaration: The XML declaration; empty for none.
        soap_prefix: Prefix of the SOAP namespace.
        prefix: Prefix of the operation's namespace; empty for a default namespace.
        gap: What stands between elements.
        headers: The content of the SOAP header; None for no header.
        after_operation: What follows the operation in the body.
        lead: Bytes before the envelope.
        trail: Bytes after it.
        encoding: Python's name of the encoding.
        media_type: The Content-Type without the action; empty for the usual.
        action: The value of SOAPAction, or of the action parameter; None for the usual, empty for none.
        http: More HTTP headers.
        path: The path.
        protocol: The version of HTTP.
        in_chunks: Whether the body comes in chunks.
    """

    operation: str = GET_SCORES
    version: str = SOAP_11
    values: tuple[Value, ...] = field(default_factory=_no_values)
    declaration: str = '<?xml version="1.0" encoding="utf-8"?>'
    soap_prefix: str = "soap"
    prefix: str = ""
    gap: str = ""
    headers: str | None = None
    after_operation: str = ""
    lead: bytes = b""
    trail: bytes = b""
    encoding: str = "utf-8"
    media_type: str = ""
    action: str | None = None
    http: tuple[str, ...] = ()
    path: str = PATH
    protocol: str = "HTTP/1.1"
    in_chunks: bool = False

    def envelope(self) -> str:
        """Return the envelope as text."""
        soap, own, gap = self.soap_prefix, f"{self.prefix}:" if self.prefix else "", self.gap
        values = gap.join(
            f"<{own}{value.name}{value.attributes}>{value.markup}</{own}{value.name}>" for value in self.values
        )
        inner = f"<{own}request>{gap}{values}{gap}</{own}request>" if self.operation == GET_SCORES else values
        declared = f' xmlns{":" if self.prefix else ""}{self.prefix}="{NAMESPACE}"'
        call = f"<{own}{self.operation}{declared}>{gap}{inner}{gap}</{own}{self.operation}>"
        header = "" if self.headers is None else f"<{soap}:Header>{self.headers}</{soap}:Header>{gap}"
        return (
            f'{self.declaration}{gap}<{soap}:Envelope xmlns:{soap}="{self.version}"{_INSTANCE}>{gap}{header}'
            f"<{soap}:Body>{gap}{call}{gap}{self.after_operation}</{soap}:Body>{gap}</{soap}:Envelope>"
        )

    def request(self) -> bytes:
        """Return all bytes of the request."""
        body = self.lead + self.envelope().encode(self.encoding) + self.trail
        action = f'"{NAMESPACE}{self.operation}"' if self.action is None else self.action
        media_type = self.media_type or f"{MEDIA_TYPES[self.version]}; charset=utf-8"
        is_12 = self.version == SOAP_12
        lines = [
            f"POST {self.path} {self.protocol}",
            "Host: scores.example.edu",
            "Connection: close",
            f"Content-Type: {media_type}{f'; action={action}' if is_12 and action else ''}",
            *([f"SOAPAction: {action}"] if action and not is_12 else []),
            *self.http,
            "Transfer-Encoding: chunked" if self.in_chunks else f"Content-Length: {len(body)}",
        ]
        framed = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if self.in_chunks else body
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + framed


def ordinary(operation: str = GET_SCORES, version: str = SOAP_11) -> Draft:
    """Return a request without any oddity."""
    values = tuple(Value(name, text) for name, text in VALUES[operation].items())
    return Draft(operation=operation, version=version, values=values)
