"""SOAP over HTTP by hand: for what no client library would send, and to see exactly what comes back."""

import base64
import contextlib
import http.client
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
MEDIA_TYPES = {SOAP_11: "text/xml", SOAP_12: "application/soap+xml"}


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        headers: HTTP headers, by name in lower case.
        body: As sent.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def version(self) -> str:
        """The namespace of the envelope; whatever is not well-formed raises."""
        name = etree.QName(etree.fromstring(self.body))
        assert name.localname == "Envelope"
        return str(name.namespace)

    @property
    def fault(self) -> str:
        """The words of the fault; empty when it is none."""
        envelope = etree.fromstring(self.body)
        return envelope.findtext(".//faultstring") or envelope.findtext(f".//{{{SOAP_12}}}Text") or ""

    @property
    def slug(self) -> str:
        """The stable name in the words of the fault."""
        return self.fault.rpartition("(")[2].partition(";")[0]

    @property
    def result(self) -> bytes | None:
        """The score file; ``None`` when the result element is absent."""
        elements = etree.fromstring(self.body).iter()
        text = next((element.text for element in elements if str(element.tag).endswith("Result")), None)
        return None if text is None else base64.b64decode(text, validate=True)


def envelope(
    version: str = SOAP_11, start: str = "2025-04-21T16:45:03", end: str = "2025-04-22T16:52:13", more: str = ""
) -> bytes:
    """A call of GetScores."""
    return (
        f'<s:Envelope xmlns:s="{version}"><s:Body><GetScores xmlns="https://ets.org/edm/webservices/"><request>'
        f"<StartDate>{start}</StartDate><EndDate>{end}</EndDate><Type>TOEFL</Type>"
        f"<ReportBy>scorelinkbyreportdate</ReportBy>{more}</request></GetScores></s:Body></s:Envelope>"
    ).encode()


def post(url: str, body: bytes, version: str = SOAP_11, headers: dict[str, str] | None = None) -> Answer:
    """Post a body and read the whole answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        declared = {"Content-Type": f"{MEDIA_TYPES[version]}; charset=utf-8"}
        connection.request("POST", parts.path, body, declared | (headers or {}))
        return _read(connection.getresponse())
    finally:
        connection.close()


def send(url: str, request: bytes, *, end: bool = False) -> Answer:
    """Send a request byte for byte, and no more if ``end``; read the answer, which may follow a ``100 Continue``."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as connection:
        connection.sendall(request)
        if end:
            with contextlib.suppress(OSError):  # the other side may have ended it
                connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return _read(response)


def _read(response: http.client.HTTPResponse) -> Answer:
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
