"""Calls of a gateway whose upstream fails, and assertions about each answer."""

import base64
from typing import Final

from lxml import etree

from shim import errors
from shim.wire import inband
from tests.faults.upstream_cases import ATTEMPTS, PLANTED
from tests.gateway import Gateway
from tests.soap_http import SOAP_11, SOAP_12, Answer, envelope, post

UPSTREAM: Final = {
    "connect_timeout": 5,
    "read_timeout": 15,
    "deadline": 25,
    "attempts": ATTEMPTS,
    "max_bytes": 20_000_000,
    "breaker_failures": 100_000,  # these tests make hundreds of calls fail in a row
}
"""The gateway's settings for its upstream; its timeouts are too long to be reached by accident."""

FORMS: Final = {"SOAP 1.1": SOAP_11, "SOAP 1.2": SOAP_12, "in band": SOAP_11}
"""The forms of a call and their SOAP versions; "in band" calls an operation with its errors in the result."""

_BY_REPORT_DATE: Final = (
    '<s:Envelope xmlns:s="{version}"><s:Body>'
    '<getScorelinkDataByReportDate xmlns="https://ets.org/edm/webservices/">'
    "<reportstartdate>{start}</reportstartdate><reportenddate>2025-04-22</reportenddate>"
    "</getScorelinkDataByReportDate></s:Body></s:Envelope>"
)
_LARGEST_FAULT: Final = 2000


def call(gateway: Gateway, form: str = "SOAP 1.1", start: str = "2025-04-21") -> Answer:
    """Call for the scores since a day, in one of the forms."""
    version = FORMS[form]
    body = _BY_REPORT_DATE.format(version=version, start=start).encode()
    return post(gateway.url, body if form == "in band" else envelope(version, f"{start}T00:00:00"), version)


def scores(answer: Answer) -> bytes:
    """Return the score file in an answer, of any size."""
    assert answer.status == 200, answer.body[:1000]
    root = etree.fromstring(answer.body, etree.XMLParser(huge_tree=True))
    (result,) = root.iter("{*}GetScoresResult")
    return base64.b64decode(result.text or "", validate=True)


def assert_refused(gateway: Gateway, slug: str, form: str = "SOAP 1.1") -> Answer:
    """Call, assert that the answer is a fault, and return it."""
    answer = call(gateway, form)
    assert_fault(gateway, answer, slug, form)
    return answer


def assert_fault(gateway: Gateway, answer: Answer, slug: str, form: str) -> None:
    """Assert that the answer is the fault and nothing else, and that the log has its slug and no personal data."""
    number = answer.headers["x-request-id"]
    text = errors.CAUSES[slug].error().fault_text(number)
    assert answer.version == FORMS[form]
    if form == "in band":
        assert (answer.status, answer.result) == (200, inband.sentence(text).encode())
    else:
        assert (answer.status, answer.fault, answer.result) == (500, text, None)
    assert len(answer.body) < _LARGEST_FAULT
    assert PLANTED.encode() not in answer.body
    assert gateway.call(number)["outcome"] == slug
    assert PLANTED not in gateway.log_text
