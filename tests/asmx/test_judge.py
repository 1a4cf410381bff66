"""The judge itself: what it reads in an answer, and when it finds two answers alike."""

import base64
from datetime import datetime
from typing import Final

import pytest

from tests.asmx import reading
from tests.asmx.reading import NO_DATES
from tests.asmx.understood import Document, Query, asked, meant
from tests.asmx.verdict import Comparison, Verdict
from tests.asmx.wire import Response

_QUERY: Final = "startdate=2025-04-21T00:00:00&enddate=2025-04-22T23:59:59&type=TOEFL&reportby=scorelinkbyreportdate"
_STATED: Final = "operation=getScorelinkDataByReportDate&start=2025-04-21T00:00:00&end=2025-04-22T00:00:00"


def _answer(result: str) -> Response:
    encoded = base64.b64encode(result.encode()).decode()
    return Response(200, {"content-type": "text/xml"}, f"<a><OpResult>{encoded}</OpResult></a>".encode())


def _query(start: str, end: str, kind: str = "TOEFL", reportby: str = "scorelinkbyreportdate") -> Query:
    return Query(datetime.fromisoformat(start), datetime.fromisoformat(end), kind, reportby)


@pytest.mark.parametrize(
    ("operation", "stated", "expected"),
    [
        pytest.param(
            "GetScores",
            ("2025-04-21T00:00:00.0000000", "2025-04-22T00:00:00.0000000"),
            ("2025-04-21T00:00:00", "2025-04-22T00:00:00"),
            id="instants at midnight",
        ),
        pytest.param(
            "GetScores",
            ("2025-04-21T16:45:03.9999999-04:00", "2025-04-22T16:52:13.9999999+05:30"),
            ("2025-04-21T20:45:03", "2025-04-22T11:22:13"),
            id="offsets and fractions",
        ),
        pytest.param(
            "ByDay",
            ("2025-04-21T00:00:00.0000000-04:00", "2025-04-22T00:00:00.0000000+05:30"),
            ("2025-04-21T00:00:00", "2025-04-22T23:59:59"),
            id="days as they were written",
        ),
        pytest.param(
            "getScorelinkDataByReportDate",
            ("2025-04-21T00:00:00.0000000", "2025-04-22T16:52:13.0000000-04:00"),
            ("2025-04-21T00:00:00", "2025-04-22T20:52:13"),
            id="a day and an instant",
        ),
        pytest.param(
            "ByTime",
            ("2025-04-21T00:00:00.0000000", "9999-12-31T23:59:59.9999999"),
            ("2025-04-21T00:00:00", "9999-12-31T23:59:59"),
            id="the last instant of .NET",
        ),
    ],
)
def test_dates_mean_what_their_operation_selects_by(
    operation: str, stated: tuple[str, str], expected: tuple[str, str]
) -> None:
    assert meant({"operation": operation, "start": stated[0], "end": stated[1]}) == _query(*expected)


def test_values_that_are_left_out_have_defaults() -> None:
    stated = {"operation": "GetScores", "start": "2025-04-21T00:00:00", "end": "2025-04-22T00:00:00"}
    assert meant(stated | {"type": "", "reportby": " "}) == meant(stated | {"type": "TOEFL"})


def test_characters_that_asp_net_replaced_are_no_difference() -> None:
    stated = {"operation": "GetScores", "start": "2025-04-21T00:00:00", "end": "2025-04-22T00:00:00", "type": "a??b"}
    query = {"startdate": stated["start"], "enddate": stated["end"], "type": "aéb", "reportby": "scorelinkbyreportdate"}
    assert meant(stated) == asked(query)
    assert meant(stated) != asked(query | {"type": "ab"})


@pytest.mark.parametrize(
    ("service", "gateway", "expected"),
    [
        pytest.param(_answer(_STATED), _answer(_QUERY), Comparison.AGREED, id="agreed"),
        pytest.param(
            _answer(_STATED), _answer(_QUERY.replace("23:59:59", "00:00:00")), Comparison.DIFFERENT, id="different"
        ),
        pytest.param(_answer(_STATED), Response(500, {}, b"<a/>"), Comparison.SERVICE_ALONE, id="refused"),
        pytest.param(
            _answer(_STATED),
            _answer("Logon failure: no. (bad-date; request 0123456789abcdef)"),
            Comparison.SERVICE_ALONE,
            id="refused in the result",
        ),
        pytest.param(_answer("operation=GetScores"), _answer(_QUERY), Comparison.GATEWAY_ALONE, id="no dates"),
        pytest.param(Response(400, {}, b""), Response(500, {}, b"<a/>"), Comparison.NEITHER, id="neither"),
        pytest.param(
            Response(200, {"content-type": "text/html"}, b"<html></html>"),
            Response(200, {"content-type": "text/plain"}, b"page"),
            Comparison.DIFFERENT,
            id="other documents",
        ),
    ],
)
def test_answers_compare_by_what_was_understood(service: Response, gateway: Response, expected: Comparison) -> None:
    assert Verdict.of([service], [gateway]).comparison is expected


def test_the_second_answer_on_a_connection_counts() -> None:
    answers = Verdict.of([_answer(_STATED), _answer(_STATED)], [_answer(_QUERY), Response(400, {}, b"")])
    assert answers.comparison is Comparison.SERVICE_ALONE


def test_what_is_told_is_the_same_in_every_run() -> None:
    fault = Response(500, {}, b"<a>No. (bad-date; request 0123456789abcdef)</a>")
    assert reading.of_gateway(fault).told == "500 bad-date"
    assert reading.of_service(_answer("operation=GetScores")).told == NO_DATES
    assert reading.of_service(Response(415, {}, b"")).told == "415 without a body"


def test_a_document_is_known_by_its_root_or_its_media_type() -> None:
    wsdl = Response(200, {"content-type": "text/xml"}, b"<d:definitions xmlns:d='urn:d'/>")
    assert reading.of_service(wsdl).meaning == Document("a WSDL")
    assert reading.of_gateway(Response(200, {"content-type": "text/html; charset=utf-8"}, b"<p>")).meaning == Document(
        "an HTML page"
    )
