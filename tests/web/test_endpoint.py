import base64
import gzip
import io
import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from structlog.testing import capture_logs

from shim import errors
from shim.contracts import contract
from shim.contracts.contract import Contract
from shim.log import FIELDS
from shim.query import ScoreFile, ScoreQuery
from shim.web.endpoint import Endpoint, EndpointSettings
from shim.web.request import RequestLimits
from shim.wire.dialect import Dialect, Version
from shim.wire.encoding import BYTE_ORDER_MARKS
from tests.contracts import wsdls
from tests.pipelines import Fetch, pipeline
from tests.web import calls

LIMIT = 64 * 1024
SETTINGS = EndpointSettings(RequestLimits(LIMIT, 30))


def endpoint(fetch: Fetch | None = None, served: Contract | None = None) -> Endpoint:
    return Endpoint(pipeline(served, fetch), SETTINGS, lambda _: None)


SERVED = endpoint()


def failing(error: Exception) -> Fetch:
    def fetch(_: ScoreQuery) -> ScoreFile:
        raise error

    return fetch


def post(body: str | bytes | None = None, served: Endpoint = SERVED, /, **changes: object) -> calls.Reply:
    sent = calls.envelope() if body is None else body
    return calls.send(served, calls.request(sent.encode() if isinstance(sent, str) else sent, **changes))


class TestAnswer:
    @pytest.mark.parametrize("version", list(Version))
    @pytest.mark.parametrize("encoding", list(BYTE_ORDER_MARKS))
    def test_the_guides_call(self, version: Version, encoding: str) -> None:
        upstream = calls.Upstream(b"synthetic\r\n")
        body = BYTE_ORDER_MARKS[encoding] + calls.envelope(version=version).encode(encoding)
        reply = post(body, endpoint(upstream), CONTENT_TYPE=version.media_type)
        assert reply.code == HTTPStatus.OK
        assert reply.headers["Content-Type"] == Dialect(version, encoding).content_type
        assert reply.content.tag == f"{{{calls.NAMESPACE}}}GetScoresResponse"
        assert base64.b64decode(reply.content[0].text or "") == b"synthetic\r\n"
        (query,) = upstream.queries
        assert (query.start.isoformat(), query.end.isoformat()) == (calls.GUIDE["StartDate"], calls.GUIDE["EndDate"])
        assert (query.type, query.reportby) == ("TOEFL", "scorelinkbyreportdate")
        assert upstream.spools[0].closed

    def test_no_scores(self) -> None:
        reply = post(None, endpoint(calls.Upstream(b"")))
        assert (reply.code, len(reply.content)) == (HTTPStatus.OK, 0)

    def test_compressed_and_chunked(self) -> None:
        body = gzip.compress(calls.envelope().encode())
        assert post(body, HTTP_CONTENT_ENCODING="gzip", CONTENT_LENGTH=None).code == HTTPStatus.OK

    def test_the_answer_is_in_the_namespace_of_the_call(self) -> None:
        reply = post(calls.envelope(calls.get_scores(namespace="urn:x?a=1&amp;b=2")))
        assert reply.content.tag == "{urn:x?a=1&b=2}GetScoresResponse"

    def test_a_call_in_the_namespace_of_xml_is_answered_in_xml(self) -> None:
        body = f"<xml:GetScores><request>{calls.elements()}</request></xml:GetScores>"
        assert post(calls.envelope(body)).root is not None

    @pytest.mark.parametrize(
        "action", ['"https://ets.org/edm/webservices/GetScores"', '"*"', '""', "urn:x/#GetScores", None]
    )
    def test_actions_of_real_clients(self, action: str | None) -> None:
        assert post(HTTP_SOAPACTION=action).code == HTTPStatus.OK

    def test_its_line_in_the_log(self) -> None:
        with capture_logs() as lines:
            reply = post()
        (line,) = lines
        assert line.pop("seconds") >= line.pop("upstream") >= 0
        assert line == {
            "event": "call",
            "log_level": "info",
            "request": reply.headers["X-Request-ID"],
            "address": "127.0.0.1",
            "caller": "registrar",
            "operation": "GetScores",
            "start": "2025-04-21T16:45:03",
            "end": "2025-04-22T16:52:13",
            "records": 1,
            "bytes": 9,
            "outcome": "ok",
        }


NO_DATE = calls.get_scores(calls.elements({**calls.GUIDE, "StartDate": "30 February"}))
NO_START = calls.get_scores(calls.elements({**calls.GUIDE, "StartDate": ""}))


class TestFault:
    @pytest.mark.parametrize("version", list(Version))
    @pytest.mark.parametrize(
        ("body", "changes", "slug"),
        [
            pytest.param("<s:Body/>", {}, "not-soap", id="empty body"),
            pytest.param("<s:Body><Other/></s:Body>", {}, "unknown-operation", id="operation"),
            pytest.param(
                f"<s:Body>{calls.get_scores()}</s:Body>", {"HTTP_SOAPACTION": "getEDIData"}, "action", id="action"
            ),
            pytest.param(f"<s:Body>{NO_DATE}</s:Body>", {}, "bad-date", id="date"),
            pytest.param(f"<s:Body>{NO_START}</s:Body>", {}, "missing-parameter", id="parameter"),
            pytest.param("<s:Body><GetScores/></s:Body>", {}, "missing-parameter", id="nothing in it"),
            pytest.param('<s:Header><a s:mustUnderstand="1"/></s:Header>', {}, "must-understand", id="header"),
        ],
    )
    def test_it_is_in_the_version_of_the_call(
        self, version: Version, body: str, changes: dict[str, object], slug: str
    ) -> None:
        # The other version's media type: the envelope decides.
        other = Version.SOAP_11.media_type if version is Version.SOAP_12 else Version.SOAP_12.media_type
        sent = f'<s:Envelope xmlns:s="{version.namespace}">{body}</s:Envelope>'
        upstream = calls.Upstream()
        reply = post(sent, endpoint(upstream), CONTENT_TYPE=other, **changes)
        cause = errors.CAUSES[slug]
        assert reply.slug == slug
        assert reply.headers["Content-Type"] == Dialect(version).content_type
        assert reply.code == cause.http
        assert not upstream.queries

    @pytest.mark.parametrize(
        ("body", "changes", "slug"),
        [
            pytest.param(None, {"CONTENT_TYPE": "application/json"}, "content-type", id="media type"),
            pytest.param(b"\x1f\x8b-", {"HTTP_CONTENT_ENCODING": "gzip"}, "compression", id="compression"),
            pytest.param(None, {"CONTENT_LENGTH": str(LIMIT + 1)}, "too-large", id="announced too large"),
            pytest.param(b"x" * (LIMIT + 1), {"CONTENT_LENGTH": None}, "too-large", id="too large"),
            pytest.param(None, {"CONTENT_LENGTH": "60000"}, "cut-request", id="cut"),
            pytest.param("\u00e9", {"CONTENT_TYPE": "text/xml; charset=utf-7"}, "encoding", id="encoding"),
            pytest.param("<a", {}, "not-xml", id="not XML"),
            pytest.param("", {}, "not-xml", id="nothing"),
            pytest.param("<!DOCTYPE a><a/>", {}, "doctype", id="DOCTYPE"),
            pytest.param('<Envelope xmlns="urn:x"/>', {}, "version", id="version"),
        ],
    )
    def test_before_the_version_is_known(self, body: str | bytes | None, changes: dict[str, object], slug: str) -> None:
        reply = post(body, **changes)
        assert reply.slug == slug
        assert reply.headers["Content-Type"] == Dialect().content_type

    @pytest.mark.parametrize("version", list(Version))
    @pytest.mark.parametrize(
        ("method", "changes", "slug"),
        [
            pytest.param("POST", {"CONTENT_TYPE": "application/json"}, "content-type", id="media type"),
            pytest.param("POST", {"CONTENT_LENGTH": str(LIMIT + 1)}, "too-large", id="announced too large"),
            pytest.param("POST", {"CONTENT_LENGTH": "60000"}, "cut-request", id="cut"),
            pytest.param("PUT", {}, "method", id="method"),
        ],
    )
    def test_what_is_refused_early_is_in_the_version_of_the_envelope(
        self, version: Version, method: str, changes: dict[str, object], slug: str
    ) -> None:
        other = Version.SOAP_11.media_type if version is Version.SOAP_12 else Version.SOAP_12.media_type
        body = calls.envelope(version=version).encode()
        reply = calls.send(SERVED, calls.request(body, method, **{"CONTENT_TYPE": other, **changes}))
        assert (reply.slug, reply.headers["Content-Type"]) == (slug, Dialect(version).content_type)

    def test_damaged_compression_is_in_the_version_of_the_envelope(self) -> None:
        body = gzip.compress(calls.envelope(version=Version.SOAP_12).encode())[:-1]
        reply = post(body, HTTP_CONTENT_ENCODING="gzip")
        assert (reply.slug, reply.headers["Content-Type"]) == ("compression", Dialect(Version.SOAP_12).content_type)

    @pytest.mark.parametrize("encoding", list(BYTE_ORDER_MARKS))
    def test_an_envelope_of_another_version_is_told_of_both(self, encoding: str) -> None:
        body = BYTE_ORDER_MARKS[encoding] + '<Envelope xmlns="urn:x"/>'.encode(encoding)
        reply = post(body, CONTENT_TYPE="application/soap+xml")
        assert (reply.code, reply.slug) == (500, "version")
        assert reply.headers["Content-Type"] == Dialect(Version.SOAP_11, encoding).content_type
        assert len(reply.root[0][0]) == len(Version)

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
    def test_other_methods(self, method: str) -> None:
        reply = calls.send(SERVED, calls.request(b"", method))
        assert (reply.code, reply.slug, reply.headers["Allow"]) == (405, "method", "GET, HEAD, POST")

    @pytest.mark.parametrize(
        "cause", [errors.UPSTREAM_CUT, errors.UPSTREAM_AUTHCODE, errors.SPOOL], ids=lambda cause: str(cause.slug)
    )
    def test_what_went_wrong_upstream(self, cause: errors.Cause) -> None:
        with capture_logs() as lines:
            reply = post(None, endpoint(failing(cause.error(note="HTTP 401"))))
        assert (reply.code, reply.slug) == (500, cause.slug)
        assert "HTTP 401" not in reply.fault
        assert [(line["outcome"], line["note"], line["start"]) for line in lines] == [
            (cause.slug, "HTTP 401", calls.GUIDE["StartDate"])
        ]

    @pytest.mark.parametrize("error", [KeyError("synthetic-secret"), RecursionError("synthetic-secret"), MemoryError()])
    def test_an_unexpected_exception_tells_nothing_of_its_text(
        self, error: Exception, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        with capture_logs() as lines:
            reply = post(None, endpoint(failing(error)))
        assert (reply.code, reply.slug) == (500, "internal")
        (line,) = lines
        assert str(line["note"]).startswith(f"{type(error).__name__} in tests.web.test_endpoint:")
        for text in (reply.body.decode(), str(lines), caplog.text, *capsys.readouterr()):
            assert "synthetic-secret" not in text

    def test_no_value_of_a_request_is_echoed_or_logged(self) -> None:
        bodies = [
            calls.envelope(NO_DATE.replace("30 February", "synthetic-secret")),
            calls.envelope("<synthetic-secret/>"),
            calls.envelope("<a>synthetic-secret"),
            "synthetic-secret",
        ]
        for body in bodies:
            with capture_logs() as lines:
                reply = post(body, HTTP_SOAPACTION="synthetic-secret")
            assert reply.code == 500
            assert "synthetic-secret" not in reply.body.decode() + str(lines)

    def test_lines_in_the_log_hold_fields_of_the_list_alone(self) -> None:
        with capture_logs() as lines:
            post()
            post("<a")
            post(None, endpoint(failing(ValueError())))
        assert len(lines) == 3
        for line in lines:
            assert line.keys() - {"log_level"} <= FIELDS


BY_REPORT_DATE = (
    '<getScorelinkDataByReportDate xmlns="urn:x"><userName>u</userName><password>p</password>'
    "<reportstartdate>{}</reportstartdate><reportenddate>4/22/2025</reportenddate></getScorelinkDataByReportDate>"
)
GOOD = BY_REPORT_DATE.format("4/21/2025")
LEGACY: Sequence[Callable[[str], bool]] = [
    lambda text: text.startswith("Logon failure"),
    lambda text: text.endswith("Please check your username, password."),
    lambda text: "is not authenticated" in text,
    lambda text: "user name or password is incorrect" in text,
]


def adopted(folder: Path, more: str = "", result: str = wsdls.RESULT, fetch: Fetch | None = None) -> Endpoint:
    """The endpoint of another contract, with more said of its operation."""
    mapping = (
        '[operations.Fetch]\nstartdate = "fromDate"\nenddate = "untilDate"\ntype = { value = "TOEFL" }\n'
        f'reportby = {{ value = "synthetic" }}\ndates = ["YYYY-MM-DD"]\n{more}'
    )
    paths = calls.written(folder, wsdls.wsdl(wsdls.schema(wsdls.wrapped(result=result))), mapping)
    return endpoint(fetch, contract.load(*paths))


FETCH = '<Fetch xmlns="urn:legacy"><fromDate>{}</fromDate><untilDate>2025-04-22</untilDate></Fetch>'
STRING = wsdls.RESULT.replace("base64Binary", "string")


class TestInBand:
    @pytest.mark.parametrize("version", list(Version))
    @pytest.mark.parametrize(
        ("body", "fetch", "slug"),
        [
            pytest.param("<getEDIData/>", None, "unavailable", id="unavailable"),
            pytest.param("<getScorelinkDataByReportDate/>", None, "missing-parameter", id="parameter"),
            pytest.param(BY_REPORT_DATE.format("30 February"), None, "bad-date", id="date"),
            pytest.param(GOOD, failing(errors.UPSTREAM_AUTHCODE.error()), "upstream-authcode", id="authcode"),
            pytest.param(GOOD, failing(errors.UPSTREAM_BUSY.error()), "upstream-busy", id="busy"),
            pytest.param(GOOD, failing(KeyError("synthetic-secret")), "internal", id="our own bug"),
        ],
    )
    def test_it_is_a_sentence_that_every_legacy_client_takes_for_an_error(
        self, version: Version, body: str, fetch: Fetch | None, slug: str
    ) -> None:
        with capture_logs() as lines:
            reply = post(calls.envelope(body, version=version), endpoint(fetch), CONTENT_TYPE=version.media_type)
        assert reply.code == HTTPStatus.OK
        assert reply.headers["Content-Type"] == Dialect(version).content_type
        (result,) = reply.content
        sentence = base64.b64decode(result.text or "", validate=True).decode()
        assert all(test(sentence) for test in LEGACY)
        assert f"({slug}; request {reply.headers['X-Request-ID']})" in sentence
        assert "synthetic-secret" not in sentence
        assert [line["outcome"] for line in lines] == [slug]
        assert lines[0].keys() - {"log_level"} <= FIELDS

    @pytest.mark.parametrize(
        ("body", "changes", "slug"),
        [
            pytest.param("<getScorelink/>", {}, "unknown-operation", id="unknown operation"),
            pytest.param(GOOD, {"HTTP_SOAPACTION": "getEDIData"}, "action", id="another action"),
            pytest.param(GOOD, {"CONTENT_TYPE": "text/html"}, "content-type", id="media type"),
            pytest.param(f"{GOOD}<getEDIData/>", {}, "not-soap", id="two calls"),
            pytest.param(GOOD, {"CONTENT_LENGTH": str(LIMIT + 1)}, "too-large", id="too large"),
        ],
    )
    def test_before_the_operation_is_known_it_is_a_fault(
        self, body: str, changes: dict[str, object], slug: str
    ) -> None:
        assert post(calls.envelope(body), **changes).slug == slug

    def test_in_a_string(self, tmp_path: Path) -> None:
        reply = post(calls.envelope(FETCH.format("x")), adopted(tmp_path, 'errors = "in-band"', STRING))
        assert reply.code == HTTPStatus.OK
        text = reply.content[0].text or ""
        assert all(test(text) for test in LEGACY)
        assert "fromDate is not a valid date" in text

    @pytest.mark.parametrize(("errors_as", "code"), [("fault", 500), ("in-band", 200)])
    def test_a_file_that_a_string_cannot_carry(self, tmp_path: Path, errors_as: str, code: int) -> None:
        upstream = calls.Upstream(b"Q\xfcxyzzy\r\n")
        served = adopted(tmp_path, f'errors = "{errors_as}"', STRING, upstream)
        reply = post(calls.envelope(FETCH.format("2025-04-21")), served)
        assert reply.code == code
        assert b"(not-text; request" in reply.body
        assert b"xyzzy" not in reply.body
        assert upstream.spools[0].closed


class TestResult:
    def test_a_string(self, tmp_path: Path) -> None:
        data = "a <&> \u00e9\r\n]]>\r".encode()
        reply = post(calls.envelope(FETCH.format("2025-04-21")), adopted(tmp_path, "", STRING, calls.Upstream(data)))
        assert (reply.content[0].text or "").encode() == data
        assert int(reply.headers["Content-Length"]) == len(reply.body)

    @pytest.mark.parametrize("kind", ["base64Binary", "string"])
    @pytest.mark.parametrize(
        ("form", "attributes"), [("absent", None), ("empty", {}), ("nil", {f"{{{calls.XSI}}}nil": "true"})]
    )
    @pytest.mark.parametrize("blank", [b"", b" \r\n"], ids=["nothing", "white space"])
    def test_no_scores(
        self, tmp_path: Path, kind: str, form: str, attributes: dict[str, str] | None, blank: bytes
    ) -> None:
        def fetch(_: ScoreQuery) -> ScoreFile:
            return ScoreFile(io.BytesIO(blank), 0, 0)

        served = adopted(
            tmp_path, f'empty = "{form}"\nrecords = 900', wsdls.RESULT.replace("base64Binary", kind), fetch
        )
        reply = post(calls.envelope(FETCH.format("2025-04-21")), served)
        assert reply.code == HTTPStatus.OK
        assert int(reply.headers["Content-Length"]) == len(reply.body)
        assert [dict(child.attrib) for child in reply.content] == ([] if attributes is None else [attributes])
        assert not "".join(child.text or "" for child in reply.content)

    def test_a_cut_record_is_noted_without_its_data(self, tmp_path: Path) -> None:
        upstream = calls.Upstream(b"synthetic-secret\r\nabc\r\n")
        with capture_logs() as lines:
            reply = post(
                calls.envelope(FETCH.format("2025-04-21")), adopted(tmp_path, "records = 9", wsdls.RESULT, upstream)
            )
        assert base64.b64decode(reply.content[0].text or "") == b"synthetic\r\nabc      \r\n"
        assert [(line["cut"], line["bytes"], line["outcome"]) for line in lines] == [(1, 22, "ok")]
        assert "secret" not in str(lines)
        assert lines[0].keys() - {"log_level"} <= FIELDS
        assert upstream.spools[0].closed

    def test_a_record_that_may_not_be_cut(self, tmp_path: Path) -> None:
        upstream = calls.Upstream(b"synthetic-secret\r\n")
        served = adopted(tmp_path, 'records = { width = 9, wider = "refuse" }', wsdls.RESULT, upstream)
        with capture_logs() as lines:
            reply = post(calls.envelope(FETCH.format("2025-04-21")), served)
        assert reply.slug == "record-width"
        assert "secret" not in reply.body.decode() + str(lines)
        assert upstream.spools[0].closed


spaces = st.sampled_from(["", " ", "\n    ", "\r\n\t", "<!-- c -->"])


@settings(max_examples=150)
@given(
    st.permutations(list(calls.GUIDE)),
    st.sampled_from([calls.NAMESPACE, "urn:x", "http://tempuri.org/", "urn:a?b=1&amp;c=%20", ""]),
    st.sampled_from(["default", "prefix", "unqualified"]),
    st.sampled_from(["request", ""]),
    spaces,
    st.sampled_from([calls.NAMESPACE + "GetScores", "*", "", "urn:x/#GetScores"]),
    st.sampled_from(list(Version)),
)
def test_however_it_is_written_the_call_is_understood(  # noqa: PLR0913, PLR0917 - one for each freedom that clients take
    order: list[str], namespace: str, style: str, within: str, space: str, action: str, version: Version
) -> None:
    outer = "p:" if style != "default" and namespace else ""
    inner = outer if style == "prefix" else ""
    declared = f' xmlns:p="{namespace}"' if outer else f' xmlns="{namespace}"' if namespace else ""
    parameters = "".join(f"{space}<{inner}{name}>{calls.GUIDE[name]}</{inner}{name}>{space}" for name in order)
    wrapped = f"{space}<{inner}{within}>{parameters}</{inner}{within}>{space}" if within else parameters
    body = f"{space}<{outer}GetScores{declared}>{wrapped}</{outer}GetScores>{space}"
    upstream = calls.Upstream()
    reply = post(calls.envelope(body, version=version), endpoint(upstream), HTTP_SOAPACTION=f'"{action}"')
    assert reply.code == HTTPStatus.OK
    (query,) = upstream.queries
    assert (query.start.isoformat(), query.end.isoformat()) == (calls.GUIDE["StartDate"], calls.GUIDE["EndDate"])
    assert (query.type, query.reportby) == ("TOEFL", "scorelinkbyreportdate")
    mirrored = namespace.replace("&amp;", "&")
    assert etree.QName(reply.content).namespace == (mirrored or None)
    assert etree.QName(reply.content[0]).namespace == (None if style == "unqualified" and outer else mirrored or None)


@settings(max_examples=60)
@given(
    st.binary(max_size=300) | st.binary(max_size=8).map(lambda scrap: calls.envelope().encode()[:300] + scrap),
    st.sampled_from(
        ["text/xml", "application/soap+xml", "application/xml", "text/xml; charset=utf-16", "text/html", ""]
    ),
)
def test_any_request_is_answered_in_soap(body: bytes, content_type: str) -> None:
    reply = post(body, CONTENT_TYPE=content_type)
    assert reply.slug in errors.CAUSES
    assert reply.slug != "internal"


def test_a_spool_that_fails_while_it_is_sent_is_closed() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("synthetic")

    spool = Failing(b"x" * 9)
    with pytest.raises(OSError, match="synthetic"):
        post(None, endpoint(lambda _: ScoreFile(spool, 9, 1)))
    assert spool.closed
