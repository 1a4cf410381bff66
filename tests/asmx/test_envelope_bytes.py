"""The old envelope, byte for byte: for the same result the gateway's bytes are those of the ASMX service."""

import re
from collections.abc import Mapping
from typing import Final

import pytest

from tests.asmx.judge import EMPTY_PATH, PASSWORD, USER, Judge
from tests.asmx.upstream import FORBIDDEN, NO_SCORES
from tests.asmx.wire import Response, exchange
from tests.soap_http import MEDIA_TYPES, SOAP_11, SOAP_12

_PATH: Final = "/TOEFLWebService/TOEFLEdm.asmx"
_NAMESPACE: Final = "https://ets.org/edm/webservices/"
_OF_DAYS: Final = {
    "getScorelinkDataByReportDate": ("reportstartdate", "reportenddate"),
    "getScorelinkData": ("teststartdate", "testenddate"),
    "getEDIData": ("teststartdate", "testenddate"),
}
_WITH_SCORES: Final = ("GetScores", "getScorelinkDataByReportDate", "getScorelinkData")
_MARKED: Final = '<soap:Header><other xmlns="urn:other" soap:mustUnderstand="1">1</other></soap:Header>'
# The text of a result, and the words of a fault in both versions.
_WORDS: Final = re.compile(rb"(<\w+Result>|<faultstring>|<soap:Text[^>]*>)[^<]*")

every_version = pytest.mark.parametrize("version", [pytest.param(SOAP_11, id="1.1"), pytest.param(SOAP_12, id="1.2")])


def _call(operation: str, parameters: Mapping[str, str]) -> str:
    values = "".join(f"<{name}>{value}</{name}>" for name, value in parameters.items())
    inner = f"<request>{values}</request>" if operation == "GetScores" else values
    return f'<{operation} xmlns="{_NAMESPACE}">{inner}</{operation}>'


def _of_range(operation: str, start: str, kind: str = "", user: str = USER) -> str:
    """A call for scores from a start to a day later."""
    if operation == "GetScores":
        moments = {"StartDate": start, "EndDate": "2025-04-22T16:52:13"}
        return _call(operation, moments | {"Type": kind or "TOEFL", "ReportBy": "scorelinkbyreportdate"})
    first, last = _OF_DAYS[operation]
    return _call(operation, {"userName": user, "password": PASSWORD, first: start[:10], last: "2025-04-22"})


def _request(  # noqa: PLR0913 - the parts of a request
    version: str,
    operation: str,
    body: str,
    *,
    header: str = "",
    path: str = _PATH,
    namespace: str | None = None,
) -> bytes:
    envelope = (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{namespace or version}">'
        f"{header}<soap:Body>{body}</soap:Body></soap:Envelope>"
    )
    action = f'"{_NAMESPACE}{operation}"'
    parameter = f"; action={action}" if version == SOAP_12 else ""
    head = [
        f"POST {path} HTTP/1.1",
        "Host: scores.example.edu",
        "Connection: close",
        f"Content-Type: {MEDIA_TYPES[version]}; charset=utf-8{parameter}",
        *([f"SOAPAction: {action}"] if version == SOAP_11 else []),
        f"Content-Length: {len(envelope)}",
    ]
    return ("\r\n".join(head) + "\r\n\r\n" + envelope).encode()


def _both(judge: Judge, of_service: bytes, of_gateway: bytes | None = None) -> tuple[Response, Response]:
    (service,) = exchange(judge.service, of_service)
    (gateway,) = exchange(judge.gateway, of_gateway or of_service)
    return service, gateway


def _assert_same(service: Response, gateway: Response) -> None:
    assert gateway.status == service.status
    assert gateway.headers["content-type"] == service.headers["content-type"]
    assert _WORDS.sub(rb"\1", gateway.body) == _WORDS.sub(rb"\1", service.body)


@every_version
@pytest.mark.parametrize("operation", ["GetScores", *_OF_DAYS])
def test_a_result(operation: str, version: str, judge: Judge) -> None:
    """Of getEDIData the gateway's result is the sentence that TOEFL Access has no EDI form."""
    request = _request(version, operation, _of_range(operation, "2025-04-21T16:45:03"))
    _assert_same(*_both(judge, request))


@every_version
@pytest.mark.parametrize("operation", _WITH_SCORES)
def test_an_empty_result(operation: str, version: str, judge: Judge) -> None:
    told = _of_range(operation, "2025-04-21T16:45:03", kind="EMPTY", user="EMPTY")
    found = _of_range(operation, f"{NO_SCORES}-04-21T16:45:03")
    _assert_same(
        *_both(judge, _request(version, operation, told), _request(version, operation, found, path=EMPTY_PATH))
    )


@every_version
@pytest.mark.parametrize("operation", _WITH_SCORES)
def test_no_result(operation: str, version: str, judge: Judge) -> None:
    told = _of_range(operation, "2025-04-21T16:45:03", kind="NULL", user="NULL")
    found = _of_range(operation, f"{NO_SCORES}-04-21T16:45:03")
    _assert_same(*_both(judge, _request(version, operation, told), _request(version, operation, found)))


@every_version
def test_a_fault_of_the_caller(version: str, judge: Judge) -> None:
    _assert_same(*_both(judge, _request(version, "GetScores", _of_range("GetScores", "never"))))


@every_version
def test_a_fault_of_the_service(version: str, judge: Judge) -> None:
    body = _of_range("GetScores", "2025-04-21T16:45:03", kind=FORBIDDEN)
    _assert_same(*_both(judge, _request(version, "GetScores", body)))


@every_version
def test_an_unknown_operation(version: str, judge: Judge) -> None:
    _assert_same(*_both(judge, _request(version, "Nope", f'<Nope xmlns="{_NAMESPACE}" />')))


@every_version
@pytest.mark.parametrize("operation", ["GetScores", *_OF_DAYS])
def test_a_header_that_must_be_understood(operation: str, version: str, judge: Judge) -> None:
    body = _of_range(operation, "2025-04-21T16:45:03")
    _assert_same(*_both(judge, _request(version, operation, body, header=_MARKED)))


@every_version
def test_an_envelope_of_another_version(version: str, judge: Judge) -> None:
    """ASMX answers in SOAP 1.1, whatever the Content-Type says."""
    body = _of_range("GetScores", "2025-04-21T16:45:03")
    _assert_same(*_both(judge, _request(version, "GetScores", body, namespace="urn:soap")))


@every_version
def test_few_headers_are_ours(version: str, judge: Judge) -> None:
    request = _request(version, "GetScores", _of_range("GetScores", "2025-04-21T16:45:03"))
    service, gateway = _both(judge, request)
    assert gateway.headers["cache-control"] == "no-store"
    assert gateway.headers.keys() - service.headers.keys() <= {"x-request-id", "x-content-type-options"}
