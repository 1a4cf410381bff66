"""A call in process: no server, no WSGI, nothing that waits."""

import base64
import io

import pytest
from lxml import etree
from structlog.testing import capture_logs

from shim import errors
from shim.access.concurrency import ConcurrencyLimit
from shim.access.source import Source
from shim.call_record import CallRecord
from shim.errors import Cause
from shim.pipeline import Answer, Request
from shim.query import ScoreFile, ScoreQuery
from shim.spool import SpoolQuota
from tests.pipelines import Fetch, OneCaller, pipeline
from tests.web import calls

NUMBER = "0123456789abcdef"


def request(body: str | None = None, action: str = "") -> Request:
    return Request((body or calls.envelope()).encode(), "text/xml; charset=utf-8", action, "", Source(None))


def record() -> CallRecord:
    return CallRecord(NUMBER)


def sent(answer: Answer) -> bytes:
    body = b"".join(answer.body)
    answer.close()
    assert len(body) == answer.length
    return body


def failing(error: Exception) -> Fetch:
    def fetch(_query: ScoreQuery) -> ScoreFile:
        raise error

    return fetch


def test_scores_come_back_whole() -> None:
    answer = pipeline(fetch=calls.Upstream(b"synthetic\r\n")).answer(request(), record())
    (result,) = etree.fromstring(sent(answer)).iter("{*}GetScoresResult")
    assert base64.b64decode(result.text or "") == b"synthetic\r\n"
    assert (answer.outcome, answer.error) == ("ok", None)


def test_the_answer_holds_the_slot_and_the_file_until_it_is_closed() -> None:
    upstream, limit = calls.Upstream(), ConcurrencyLimit(1)
    serving = pipeline(fetch=upstream, limit=limit)
    answer = serving.answer(request(), record())
    assert (limit.running, upstream.spools[0].closed) == (1, False)
    assert serving.answer(request(), record()).outcome == "busy"
    answer.close()
    assert (limit.running, upstream.spools[0].closed) == (0, True)
    assert serving.answer(request(), record()).outcome == "ok"


@pytest.mark.parametrize(
    ("body", "action", "fetch", "outcome"),
    [
        pytest.param("nonsense", "", None, "not-xml", id="envelope"),
        pytest.param(calls.envelope("<Other/>"), "", None, "unknown-operation", id="operation"),
        pytest.param(None, "urn:x/getEDIData", None, "action", id="action"),
        pytest.param(calls.envelope(calls.get_scores("")), "", None, "missing-parameter", id="parameter"),
        pytest.param(None, "", failing(errors.UPSTREAM_BUSY.error()), "upstream-busy", id="upstream"),
        pytest.param(None, "", failing(KeyError("jane.doe")), "internal", id="bug"),
    ],
)
def test_an_error_at_any_step_is_a_fault_and_holds_nothing(
    body: str | None, action: str, fetch: Fetch | None, outcome: str
) -> None:
    limit, quota = ConcurrencyLimit(1), SpoolQuota(1000)
    answer = pipeline(fetch=fetch, limit=limit, quota=quota).answer(request(body, action), record())
    assert (limit.running, quota.held) == (0, 0)
    assert answer.outcome == outcome
    assert answer.error is not None
    text = etree.fromstring(sent(answer)).findtext(".//faultstring") or ""
    assert text.endswith(f"({outcome}; request {NUMBER})")
    assert "jane.doe" not in text


@pytest.mark.parametrize("cause", [errors.NO_CREDENTIALS, errors.NOT_AUTHENTICATED, errors.THROTTLED])
def test_a_caller_that_is_not_known_asks_nothing_upstream(cause: Cause) -> None:
    upstream, callers = calls.Upstream(), OneCaller()
    callers.refusal = cause
    assert pipeline(fetch=upstream, callers=callers).answer(request(), record()).outcome == cause.slug
    assert not upstream.queries


def test_a_result_that_cannot_carry_the_file_closes_it() -> None:
    spool = io.BytesIO(b"x" * 10)
    answer = pipeline(fetch=lambda _: ScoreFile(spool, 10, None)).answer(request(), record())
    assert answer.outcome == "ok"  # as base64 any bytes can be carried
    answer.close()
    assert spool.closed


def test_the_record_knows_the_call() -> None:
    made = record()
    with capture_logs() as lines:
        answer = pipeline(fetch=calls.Upstream(b"synthetic")).answer(request(), made)
        answer.close()
        made.end(answer.outcome)
    (line,) = lines
    assert {name: line[name] for name in ("operation", "caller", "start", "end", "records", "bytes", "outcome")} == {
        "operation": "GetScores",
        "caller": "registrar",
        "start": calls.GUIDE["StartDate"],
        "end": calls.GUIDE["EndDate"],
        "records": 1,
        "bytes": 9,
        "outcome": "ok",
    }
