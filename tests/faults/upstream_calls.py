"""Calls of a gateway whose upstream fails, and what must hold of each answer."""

import base64
import json
import time
from typing import Final

from lxml import etree

from shim import errors
from shim.wire import inband
from tests.faults.upstream_played import PLANTED
from tests.gateway import Gateway
from tests.soap_http import SOAP_11, SOAP_12, Answer, envelope, post

SETTINGS: Final = {
    "UPSTREAM__CONNECT_TIMEOUT": "1",
    "UPSTREAM__READ_TIMEOUT": "1.5",
    "UPSTREAM__DEADLINE": "12",
    "UPSTREAM__ATTEMPTS": "3",
    "UPSTREAM__MAX_BYTES": "20000000",
    # Hundreds of failures in a row are what these tests are about.
    "UPSTREAM__BREAKER_FAILURES": "100000",
}
PATIENCE: Final = 25.0
"""Seconds; the deadline, and room for a machine that does other things besides."""

FORMS: Final = {"SOAP 1.1": SOAP_11, "SOAP 1.2": SOAP_12, "in band": SOAP_11}

_BY_REPORT_DATE: Final = (
    '<s:Envelope xmlns:s="{version}"><s:Body>'
    '<getScorelinkDataByReportDate xmlns="https://ets.org/edm/webservices/">'
    "<reportstartdate>{start}</reportstartdate><reportenddate>2025-04-22</reportenddate>"
    "</getScorelinkDataByReportDate></s:Body></s:Envelope>"
)
_LARGEST_FAULT: Final = 2000
# The line in the log follows the answer.
_LOG_PATIENCE: Final = 10.0


def call(gateway: Gateway, form: str = "SOAP 1.1", start: str = "2025-04-21") -> Answer:
    """Call for the scores since a day, in a SOAP version, or by an operation that has its errors in the result."""
    version = FORMS[form]
    body = _BY_REPORT_DATE.format(version=version, start=start).encode()
    return post(gateway.url, body if form == "in band" else envelope(version, f"{start}T00:00:00"), version)


def scores(answer: Answer) -> bytes:
    """The score file in an answer, of any size."""
    assert answer.status == 200, answer.body[:1000]
    root = etree.fromstring(answer.body, etree.XMLParser(huge_tree=True))
    (result,) = root.iter("{*}GetScoresResult")
    return base64.b64decode(result.text or "", validate=True)


def assert_refused(gateway: Gateway, slug: str, form: str = "SOAP 1.1") -> Answer:
    """Call, and see the fault and nothing but the fault, within the patience."""
    began = time.monotonic()
    answer = call(gateway, form)
    assert time.monotonic() - began < PATIENCE
    assert_fault(gateway, answer, slug, form)
    return answer


def assert_fault(gateway: Gateway, answer: Answer, slug: str, form: str) -> None:
    """See the fault and nothing but the fault, in the answer and in the log."""
    number = answer.headers["x-request-id"]
    text = errors.CAUSES[slug].error().fault_text(number)
    assert answer.version == FORMS[form]
    if form == "in band":
        assert (answer.status, answer.result) == (200, inband.sentence(text).encode())
    else:
        assert (answer.status, answer.fault, answer.result) == (500, text, None)
    assert len(answer.body) < _LARGEST_FAULT
    assert PLANTED.encode() not in answer.body
    assert _logged(gateway, number)["outcome"] == slug
    assert PLANTED not in gateway.log.read_text(encoding="utf-8")


def _logged(gateway: Gateway, number: str) -> dict[str, object]:
    until = time.monotonic() + _LOG_PATIENCE
    while time.monotonic() < until:
        for line in gateway.log.read_text(encoding="utf-8").splitlines():
            fields: dict[str, object] = json.loads(line)
            if fields.get("event") == "call" and fields.get("request") == number:
                return fields
        time.sleep(0.01)
    raise AssertionError(f"no line for request {number} in {gateway.log}")
