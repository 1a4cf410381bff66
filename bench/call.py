"""The call that all systems answer, and the check that an answer has the right scores."""

import base64
import hashlib
import http.client
import re
from dataclasses import dataclass
from typing import Final, Literal

Form = Literal["rest", "soap", "stream"]
"""How a system is called: as the REST API is, by SOAP, or by SOAP with the query in the address as well."""

EDGE: Final = 64
"""Bytes of either end of an answer that are compared."""

_QUERY: Final = (
    "/scores?startdate=2025-04-21T16:45:03&enddate=2025-04-22T16:52:13&type={kind}&reportby=scorelinkbyreportdate"
)
_ENVELOPE: Final = """\
<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
  <soap:Body>
    <GetScores xmlns="https://ets.org/edm/webservices/">
      <request>
        <StartDate>2025-04-21T16:45:03</StartDate>
        <EndDate>2025-04-22T16:52:13</EndDate>
        <Type>{kind}</Type>
        <ReportBy>scorelinkbyreportdate</ReportBy>
      </request>
    </GetScores>
  </soap:Body>
</soap:Envelope>"""
_HEADERS: Final = {
    "Content-Type": "text/xml; charset=utf-8",
    "SOAPAction": '"https://ets.org/edm/webservices/GetScores"',
}
_RESULT: Final = re.compile(rb"GetScoresResult(?:\s[^>]*)?>([^<]*)<")


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a port of this machine; the body is empty for GET."""

    port: int
    method: str
    target: str
    body: str

    @property
    def headers(self) -> dict[str, str]:
        """What it says beside its length."""
        return _HEADERS if self.body else {}

    def send(self) -> bytes:
        """Send it on a connection of its own, and give the body of the answer.

        Raises:
            OSError: It is not answered.
            ValueError: It is not answered with 200.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(self.method, self.target, self.body or None, self.headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise ValueError(f"answered {response.status}: {body[:500]!r}")
        return body


@dataclass(frozen=True, slots=True)
class Answer:
    """The length of the right body in bytes, and both its ends in hexadecimal."""

    length: int
    head: str
    tail: str


def make(port: int, form: Form, kind: str) -> Call:
    """The call for a kind of answer, which travels as the type of the scores."""
    if form == "rest":
        return Call(port, "GET", _QUERY.format(kind=kind), "")
    target = "/TOEFLWebService/TOEFLEdm.asmx" if form == "soap" else _QUERY.format(kind=kind)
    return Call(port, "POST", target, _ENVELOPE.format(kind=kind))


def verified(call: Call, digest: str) -> Answer:
    """Make the call once, and hold the scores in its answer against their SHA-256.

    Raises:
        ValueError: They are not the scores.
    """
    body = scores = call.send()
    if call.body:
        # No scores may be an empty result or none.
        found = _RESULT.search(body)
        scores = base64.b64decode(found[1]) if found else b""
    if hashlib.sha256(scores).hexdigest() != digest:
        raise ValueError(f"{len(scores)} bytes that are not the scores: {body[:500]!r}")
    return Answer(len(body), body[:EDGE].hex(), body[-EDGE:].hex())
