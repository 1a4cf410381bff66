import base64
import io
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from http import HTTPStatus
from typing import TYPE_CHECKING
from wsgiref.util import setup_testing_defaults

import pytest
import structlog
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree
from structlog.testing import capture_logs

from shim import errors, log
from shim.call_record import CallRecord
from shim.errors import Cause, GatewayError
from shim.pipeline import Answer, refuse
from shim.query import ScoreFile
from shim.web import correlation
from shim.web.response import METHODS, Document, respond, respond_with_document
from shim.wire import envelope, inband
from shim.wire.addressing import ADDRESSING
from shim.wire.answer_format import AnswerFormat
from shim.wire.dialect import Dialect, Version
from shim.wire.encoding import BYTE_ORDER_MARKS
from shim.wire.qname import QName
from shim.wire.result import Result
from tests.web import calls

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CHUNK = 96 * 1024
PATH = (QName("GetScoresResponse", calls.NAMESPACE), QName("GetScoresResult", calls.NAMESPACE))


def format_of(dialect: Dialect | None = None, *, in_band: bool = False) -> AnswerFormat:
    return AnswerFormat(dialect or Dialect(), PATH, "urn:a", "base64Binary", "absent", in_band)


def application(
    file: ScoreFile | None = None,
    *,
    fault: GatewayError | None = None,
    dialect: Dialect | None = None,
    answer_format: AnswerFormat | None = None,
) -> "WSGIApplication":
    """Answer every request with a score file or an error."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        record = correlation.record_of(environ)
        record.note(operation="GetScores")
        if fault is not None:
            guessed = envelope.guess_dialect(b"", environ.get("CONTENT_TYPE", ""))
            made = refuse(fault, dialect or guessed, record, answer_format)
        else:
            assert file is not None
            made = scores(file, answer_format or format_of(dialect), record)
        return respond(made, record, environ, start_response)

    return answer


def scores(file: ScoreFile, answer_format: AnswerFormat, record: CallRecord) -> Answer:
    with ExitStack() as held:
        held.enter_context(file)
        result = Result(file, answer_format)
        record.note(records=file.records, bytes=file.size)
        return Answer(answer_format.dialect, "ok", result.length, result, None, held.pop_all())


def score_file(data: bytes) -> ScoreFile:
    return ScoreFile(io.BytesIO(data), len(data), 3)


class TestScores:
    @settings(max_examples=60)
    @given(
        st.sampled_from([0, 1, 2, 3, 900, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 2])
        | st.integers(0, 3 * CHUNK),
        st.sampled_from([Dialect(version, encoding) for version in Version for encoding in BYTE_ORDER_MARKS]),
    )
    @example(CHUNK + 1, Dialect())
    def test_any_size_comes_back_whole_with_its_length(self, size: int, dialect: Dialect) -> None:
        data = bytes(range(251)) * (size // 251 + 1)
        file = score_file(data[:size])
        reply = calls.send(application(file, dialect=dialect), calls.request())
        assert reply.code == HTTPStatus.OK
        assert int(reply.headers["Content-Length"]) == len(reply.body)
        assert reply.headers["Content-Type"] == dialect.content_type
        results = list(reply.content)
        assert len(results) == (size > 0)
        huge = etree.XMLParser(huge_tree=True)
        (text,) = [element.text or "" for element in etree.fromstring(reply.body, huge)[-1][0]] or [""]
        assert base64.b64decode(text, validate=True) == data[:size]
        assert file.spool.closed

    def test_nothing_is_read_of_the_spool_before_it_is_sent(self) -> None:
        class Watched(io.BytesIO):
            longest = 0

            def read(self, size: int | None = -1, /) -> bytes:
                assert size is not None
                assert size > 0
                self.longest = max(self.longest, size)
                return super().read(size)

        spool = Watched(b"x" * 5 * CHUNK)
        environ = calls.request()
        setup_testing_defaults(environ)
        answer = application(ScoreFile(spool, 5 * CHUNK, 1))(environ, lambda *_: io.BytesIO().write)
        chunks = iter(answer)
        next(chunks)
        assert spool.longest == 0
        assert max(len(chunk) for chunk in chunks) <= 2 * CHUNK
        assert spool.longest <= CHUNK
        answer.close()  # type: ignore[attr-defined]

    @pytest.mark.parametrize("read", [0, 1, 2], ids=["before", "after the head", "in the middle"])
    def test_a_caller_that_leaves_closes_the_spool(self, read: int) -> None:
        file = score_file(b"x" * 5 * CHUNK)
        environ = calls.request()
        with capture_logs() as lines:
            answer = application(file)(environ, lambda *_: io.BytesIO().write)
            chunks: Iterator[bytes] = iter(answer)
            for _ in range(read):
                next(chunks)
            assert not file.spool.closed
            answer.close()  # type: ignore[attr-defined]
        assert file.spool.closed
        assert [line["outcome"] for line in lines] == ["caller-left"]

    def test_its_line_in_the_log(self) -> None:
        with capture_logs() as lines:
            reply = calls.send(application(score_file(b"synthetic")), calls.request())
        (line,) = lines
        assert line.pop("seconds") >= 0
        assert line == {
            "event": "call",
            "log_level": "info",
            "request": reply.headers["X-Request-ID"],
            "address": "127.0.0.1",
            "operation": "GetScores",
            "records": 3,
            "bytes": 9,
            "outcome": "ok",
        }

    def test_an_empty_score_file_is_logged_as_such(self) -> None:
        with capture_logs() as lines:
            calls.send(application(ScoreFile(io.BytesIO(b"\r\n"), 0, 0)), calls.request())
        assert [(line["bytes"], line["records"], line["outcome"]) for line in lines] == [(0, 0, "ok")]

    def test_white_space_alone_is_not_sent(self) -> None:
        reply = calls.send(application(ScoreFile(io.BytesIO(b"\r\n"), 0, 0)), calls.request())
        assert len(reply.content) == 0


class TestFault:
    @pytest.mark.parametrize("cause", list(errors.CAUSES.values()), ids=list(errors.CAUSES))
    @pytest.mark.parametrize("version", list(Version))
    def test_every_cause(self, cause: Cause, version: Version) -> None:
        error = cause.error("StartDate", note="for the log")
        with capture_logs() as lines:
            reply = calls.send(application(fault=error, dialect=Dialect(version)), calls.request())
        status = HTTPStatus(cause.http)
        assert reply.status == f"{status.value} {status.phrase}"
        assert int(reply.headers["Content-Length"]) == len(reply.body)
        answered = Version.SOAP_11 if cause is errors.VERSION else version
        assert reply.headers["Content-Type"] == Dialect(answered).content_type
        assert (reply.headers.get("Allow") == METHODS) == (cause is errors.METHOD)
        assert reply.fault == f"{error.sentence} ({cause.slug}; request {reply.headers['X-Request-ID']})"
        (line,) = lines
        assert (line["outcome"], line["party"], line["note"]) == (cause.slug, cause.party.__name__, "for the log")
        assert line.get("advice", "") == cause.advice

    @pytest.mark.parametrize("addressing", list(ADDRESSING.values()), ids=list(ADDRESSING))
    def test_it_is_related_to_its_message(self, addressing: object) -> None:
        dialect = Dialect(Version.SOAP_12, "utf-16le", addressing, "urn:uuid:1")  # type: ignore[arg-type]
        reply = calls.send(application(fault=errors.INTERNAL.error(), dialect=dialect), calls.request())
        assert reply.root.findtext(".//{*}RelatesTo") == "urn:uuid:1"
        assert reply.slug == "internal"

    @pytest.mark.parametrize(
        ("content_type", "version"),
        [("text/xml", Version.SOAP_11), ("application/soap+xml", Version.SOAP_12), ("", Version.SOAP_11)],
    )
    def test_before_the_dialect_is_known(self, content_type: str, version: Version) -> None:
        reply = calls.send(application(fault=errors.TOO_LARGE.error()), calls.request(CONTENT_TYPE=content_type))
        assert reply.headers["Content-Type"] == Dialect(version).content_type

    def test_request_numbers_differ(self) -> None:
        replies = [calls.send(application(fault=errors.INTERNAL.error()), calls.request()) for _ in range(20)]
        numbers = {reply.headers["X-Request-ID"] for reply in replies}
        assert len(numbers) == 20
        assert all(re.fullmatch(r"[0-9a-f]{16}", number) for number in numbers)


class TestInBand:
    @pytest.mark.parametrize("cause", list(errors.CAUSES.values()), ids=list(errors.CAUSES))
    @pytest.mark.parametrize("version", list(Version))
    def test_every_cause_is_a_sentence_in_the_result(self, cause: Cause, version: Version) -> None:
        dialect = Dialect(version)
        error = cause.error("StartDate", note="for the log")
        served = application(fault=error, dialect=dialect, answer_format=format_of(dialect, in_band=True))
        with capture_logs() as lines:
            reply = calls.send(served, calls.request())
        assert (reply.code, reply.headers["Content-Type"]) == (HTTPStatus.OK, dialect.content_type)
        assert int(reply.headers["Content-Length"]) == len(reply.body)
        assert reply.content.tag == f"{{{calls.NAMESPACE}}}GetScoresResponse"
        text = f"{error.sentence} ({cause.slug}; request {reply.headers['X-Request-ID']})"
        assert base64.b64decode(reply.content[0].text or "", validate=True).decode() == inband.sentence(text)
        (line,) = lines
        assert (line["outcome"], line["party"], line["note"]) == (cause.slug, cause.party.__name__, "for the log")
        assert line.get("advice", "") == cause.advice

    def test_before_the_operation_is_known_it_is_a_fault(self) -> None:
        reply = calls.send(application(fault=errors.NOT_XML.error(), answer_format=None), calls.request())
        assert (reply.code, reply.slug) == (500, "not-xml")

    def test_where_the_operation_does_not_do_so_it_is_a_fault(self) -> None:
        reply = calls.send(application(fault=errors.INTERNAL.error(), answer_format=format_of()), calls.request())
        assert (reply.code, reply.slug) == (500, "internal")


def test_a_result_that_cannot_carry_the_file_closes_it() -> None:
    file = ScoreFile(io.BytesIO(b"\xff"), 1, 1)
    text = AnswerFormat(Dialect(), PATH, "urn:a", "string", "absent", in_band=False)
    with pytest.raises(errors.OperatorError, match="not-text"):
        calls.send(application(file, answer_format=text), calls.request())
    assert file.spool.closed


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_page(method: str) -> None:
    def page(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        document = Document(b"synthetic", "text/plain; charset=utf-8")
        return respond_with_document(document, correlation.record_of(environ), environ, start_response)

    with capture_logs() as lines:
        reply = calls.send(page, calls.request(b"", method))
    assert (reply.code, reply.body) == (HTTPStatus.OK, b"synthetic" if method == "GET" else b"")
    assert (reply.headers["Content-Type"], reply.headers["Content-Length"]) == ("text/plain; charset=utf-8", "9")
    assert [line["outcome"] for line in lines] == ["page"]


@pytest.mark.parametrize(
    "answer", [application(score_file(b"x")), application(fault=errors.INTERNAL.error())], ids=["scores", "fault"]
)
def test_nobody_on_the_way_may_keep_or_guess_at_an_answer(answer: "WSGIApplication") -> None:
    reply = calls.send(answer, calls.request())
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("failure", [OSError("full"), ValueError("closed")], ids=["full", "closed"])
def test_a_log_that_cannot_be_written_does_not_fail_the_call(
    failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.StringIO):
        def write(self, _: str) -> int:
            raise failure

    file = score_file(b"x")
    monkeypatch.setattr(sys, "stderr", Broken())
    log.configure()
    try:
        assert calls.send(application(file), calls.request()).code == HTTPStatus.OK
        assert calls.send(application(fault=errors.INTERNAL.error()), calls.request()).slug == "internal"
    finally:
        structlog.reset_defaults()
    assert file.spool.closed
