"""A request's bytes to its answer's: well-formed, of the right version, and saying nothing but what it should."""

import base64
import binascii
import codecs
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

from lxml import etree

from shim import errors
from shim.access.concurrency import ConcurrencyLimit
from shim.config import SHIPPED
from shim.contracts import contract
from shim.contracts.contract import Contract
from shim.contracts.mapping import RecordWidth
from shim.contracts.operation import Operation
from shim.errors import Cause
from shim.query import ScoreFile, ScoreQuery
from shim.spool import SpoolQuota
from shim.web.endpoint import Endpoint, EndpointSettings
from shim.web.request import RequestLimits
from shim.wire import inband
from shim.wire.addressing import ADDRESSING
from shim.wire.dialect import Version
from shim.wire.encoding import BYTE_ORDER_MARKS
from shim.wire.namespaces import WSSE, XSI
from tests.fuzz import mutation
from tests.fuzz.inputs import Choices, expanded
from tests.pipelines import OneCaller, pipeline

_NAMESPACE: Final = "https://ets.org/edm/webservices/"
_NAMES: Final = (
    *(f"{{{version.namespace}}}{name}" for version in Version for name in ("Envelope", "Header", "Body", "Fault")),
    *(f"{{{namespace}}}{name}" for namespace in ADDRESSING for name in ("MessageID", "Action", "ReplyTo", "Address")),
    *(
        f"{{{namespace}}}{name}" if namespace else name
        for namespace in (_NAMESPACE, "urn:other", "")
        for name in (
            "GetScores",
            "GetScoresRequest",
            "getScorelinkDataByReportDate",
            "getScorelinkData",
            "getEDIData",
            "request",
            "StartDate",
            "EndDate",
            "Type",
            "ReportBy",
            "userName",
            "password",
            "reportstartdate",
            "reportenddate",
        )
    ),
    f"{{{WSSE}}}Security",
    f"{{{WSSE}}}UsernameToken",
    "{http://www.w3.org/XML/1998/namespace}GetScores",
    "\u00c4",
)
_VALUES: Final = (
    *("", " ", "true", "1", "false", "TOEFL", "scorelinkbyreportdate", "2025-04-21T16:45:03", "2025-04-22T16:52:13"),
    *("04/21/2025", "2025-04-22", "9999-12-31", "urn:uuid:1", "GetScores", f"{_NAMESPACE}GetScores", "]]>", "&<>\"'"),
    *("a\rb\r\nc\td", "\u00e9\U0001f600\u2028", "x" * 300),
    *(version.anonymous for version in ADDRESSING.values()),
    *("http://www.w3.org/2003/05/soap-envelope/role/next", "http://schemas.xmlsoap.org/soap/actor/next", "#1"),
)
_ATTRIBUTES: Final = (
    f"{{{XSI}}}nil",
    f"{{{XSI}}}type",
    "href",
    "id",
    *(f"{{{v.namespace}}}{name}" for v in Version for name in ("mustUnderstand", v.actor, "encodingStyle")),
)
WORDS: Final = (
    *BYTE_ORDER_MARKS.values(),
    b"\x1a\x03\x08",
    *(
        word.encode()
        for word in (
            *(name.rpartition("}")[2] for name in _NAMES[:-1]),
            *(version.namespace for version in Version),
            *(
                "<!DOCTYPE a [",
                "<!ENTITY a 'b'>",
                "&a;",
                "&#x3C;",
                "<![CDATA[",
                "<!--",
                "<?xml version='1.0' encoding='",
            ),
            *(
                "text/xml",
                "application/soap+xml",
                "charset=",
                "action=",
                "utf-16",
                "iso-8859-1",
                "utf-7",
                "xmlns:",
                "xml:",
            ),
        )
    ),
)

_FILES: Final = (b"synthetic\r\n", b"", b"1", b"12", b"123 <&>]]>\r\n" * 400, "\u00e9\r\n".encode(), b"\xff\x00\x0b")
_NUMBERS: Final = (None, "0123456789abcdef", "DEADBEEF-0000", "<script>", "a", "e" * 65, "\xe9" * 10, "-" * 8)
_LIMIT: Final = 65536
_UNREAD: Final = frozenset({"content-type", "too-large", "cut-request", "compression"})
"""Refusals of a request of whose body no more than the beginning was read."""
_BEGINNING: Final = 4096
_ADMISSIONS: Final[tuple[Cause | None, ...]] = (None, None, errors.NOT_AUTHENTICATED, errors.NO_CREDENTIALS)


@dataclass
class _Upstream:
    """Gives one file, and keeps the query and what was observed.

    Attributes:
        file: Its bytes.
        query: The last query.
        seen: The fields of the line in the log.
    """

    file: bytes = b""
    query: ScoreQuery | None = None
    seen: Mapping[str, object] | None = None

    def fetch(self, query: ScoreQuery) -> ScoreFile:
        self.query = query
        return ScoreFile(io.BytesIO(self.file), len(self.file), 1)

    def observe(self, seen: Mapping[str, object]) -> None:
        self.seen = seen


@dataclass(frozen=True)
class _Served:
    """A contract, and all that its faults may say."""

    endpoint: Endpoint
    sentences: Mapping[str, frozenset[str]]
    contract: Contract
    upstream: _Upstream
    callers: OneCaller
    quota: SpoolQuota


@cache
def _served() -> tuple[_Served, ...]:
    shipped = contract.load(SHIPPED / "TOEFLEdm.wsdl", SHIPPED / "TOEFLEdm.toml")
    return _serve(shipped), _serve(Contract({name: _changed(one) for name, one in shipped.operations.items()}))


def _changed(operation: Operation) -> Operation:
    """The same with a text result, faults, a nil result for nothing, and records of a width."""
    described = replace(operation.description, result_type="string")
    mapping = operation.mapping.model_copy(update={"errors": "fault", "empty": "nil", "records": RecordWidth(width=20)})
    return replace(operation, description=described, mapping=mapping)


def _serve(served: Contract) -> _Served:
    upstream, quota = _Upstream(), SpoolQuota(1024 * 1024)
    details = {"", *(name for one in served.operations.values() for name in one.description.parameters)}
    details |= {f"{one.mapping.unavailable} {one.replacement}".strip() for one in served.operations.values()}
    sentences = {slug: frozenset(cause.text.format(one) for one in details) for slug, cause in errors.CAUSES.items()}
    callers, limit = OneCaller("synthetic"), ConcurrencyLimit(1)
    answering = pipeline(served, upstream.fetch, callers=callers, limit=limit, quota=quota)
    endpoint = Endpoint(answering, EndpointSettings(RequestLimits(_LIMIT, 30)), upstream.observe)
    return _Served(endpoint, sentences, served, upstream, callers, quota)


def run(data: bytes) -> None:
    """What is served and how, lines of Content-Type, SOAPAction and Authorization, then the body."""
    choices = Choices(data)
    served, file = choices.pick(_served()), choices.pick(_FILES)
    number, refusal, names_itself = choices.pick(_NUMBERS), choices.pick(_ADMISSIONS), choices.number(4) != 3
    declared, action, authorization = (choices.line().decode("latin-1") for _ in range(3))
    body = expanded(choices.rest())
    environ: dict[str, object] = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": declared,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "HTTP_SOAPACTION": action,
        "HTTP_AUTHORIZATION": authorization,
    }
    environ |= {"HTTP_USER_AGENT": "synthetic"} if names_itself else {}
    environ |= {} if number is None else {"HTTP_X_REQUEST_ID": number}
    upstream = served.upstream
    upstream.file, upstream.query, upstream.seen = file, None, None
    served.callers.refusal = refusal
    answer = _answered(served.endpoint, environ)
    assert served.quota.held == 0, "a spool is left"
    assert upstream.seen is not None, "no line in the log"
    outcome = upstream.seen["outcome"]
    assert outcome != "internal", upstream.seen.get("note")
    if number is not None and re.fullmatch("[0-9A-Fa-f-]{8,64}", number):
        assert answer.number == number
    assert re.fullmatch("[0-9A-Fa-f-]{8,64}", answer.number)
    _check(served, body, declared, answer)


class _Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def number(self) -> str:
        """The number of the request."""
        return self.headers["X-Request-ID"]


def _answered(endpoint: Endpoint, environ: dict[str, object]) -> _Answer:
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _error: object = None, /
    ) -> Callable[[bytes], object]:
        told.append((status, headers))
        return io.BytesIO().write

    chunks = endpoint(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if close := getattr(chunks, "close", None):
            close()
    ((status, listed),) = told
    headers = dict(listed)
    assert len(headers) == len(listed)
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert headers["Content-Length"] == str(len(body))
    return _Answer(int(status.partition(" ")[0]), headers, body)


def _check(served: _Served, body: bytes, declared: str, answer: _Answer) -> None:
    root = ET.fromstring(answer.body)  # noqa: S314 - it is what the gateway wrote, read by another parser than its own
    assert etree.fromstring(answer.body).tag == root.tag
    version = next(one for one in Version if root.tag == f"{{{one.namespace}}}Envelope")
    media_type, _, charset = answer.headers["Content-Type"].partition("; charset=")
    assert media_type == version.media_type
    assert answer.body.decode(charset).removeprefix("\ufeff").startswith("<?xml")
    assert (answer.body[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) == charset.lower().startswith("utf-16")
    outcome = str(served.upstream.seen["outcome"]) if served.upstream.seen else ""
    assert version in (_versions(body, declared) if outcome != "version" else {Version.SOAP_11}) or (
        outcome in _UNREAD and version in _versions(body[:_BEGINNING], declared)
    )
    content = root[-1]
    assert content.tag == f"{{{version.namespace}}}Body"
    (element,) = content
    seen, upstream = served.upstream.seen, served.upstream
    assert seen is not None
    if element.tag == f"{{{version.namespace}}}Fault":
        cause = errors.CAUSES[outcome]
        words = element.findtext("faultstring") or element.findtext(".//{*}Text") or ""
        assert words in _told(served, outcome, answer.number), "a fault says something of its own"
        assert answer.status == cause.http
        return
    assert answer.status == 200
    assert seen["operation"] in served.contract.operations
    operation = served.contract.operations[str(seen["operation"])]
    result = _result(element, operation)
    if outcome != "ok":
        assert operation.mapping.errors == "in-band"
        assert result is not None
        assert result.decode() in {inband.sentence(told) for told in _told(served, outcome, answer.number)}
        return
    assert upstream.query is not None
    assert upstream.query.start < upstream.query.end
    assert served.callers.refusal is None
    _check_file(result, upstream.file, operation)
    _check_mirrored(body, element, upstream.query, operation)


def _told(served: _Served, outcome: str, number: str) -> set[str]:
    return {f"{sentence} ({outcome}; request {number})" for sentence in served.sentences[outcome]}


def _result(element: ET.Element, operation: Operation) -> bytes | None:
    """The result as bytes, wherever the caller's form put it."""
    found = [one for one in element.iter() if one.tag.rpartition("}")[2] == f"{operation.name}Result"]
    if not found:
        return None
    (one,) = found
    if operation.description.result_type == "string":
        return (one.text or "").encode()
    try:
        return base64.b64decode(one.text or "", validate=True)
    except binascii.Error:
        raise AssertionError("the result is no base64") from None


def _check_file(result: bytes | None, file: bytes, operation: Operation) -> None:
    if not file:
        assert result is None or (result == b"" and operation.mapping.empty == "nil")
    elif isinstance(operation.mapping.records, RecordWidth):
        width = operation.mapping.records.width
        assert result == b"".join(
            line.rstrip(b"\r\n")[:width].ljust(width) + line[len(line.rstrip(b"\r\n")) :]
            for line in file.splitlines(keepends=True)
        )
    else:
        assert result == file


def _check_mirrored(body: bytes, element: ET.Element, query: ScoreQuery, operation: Operation) -> None:
    """The answer is to the call that another parser reads in the request, in its namespace."""
    if not body.isascii() or b"\0" in body:
        return  # it may say another encoding than its Content-Type, which comes first
    root = ET.fromstring(body.decode())  # noqa: S314 - it has no DOCTYPE, or it would not be answered so
    names = {operation.name, f"{operation.name}Request"}
    found = root.iterfind(f"{root.tag.removesuffix('Envelope')}Body/*")
    called = next(one for one in found if one.tag.rpartition("}")[2] in names)
    assert called.tag.rpartition("}")[0] == element.tag.rpartition("}")[0]
    values = {"".join(one.itertext()).strip() for one in called.iter()} | {"TOEFL", "scorelinkbyreportdate"}
    assert {query.type, query.reportby} <= values


def _versions(body: bytes, declared: str) -> set[Version]:
    """The versions that an answer may have, as far as that can be told without a parser."""
    marked = next((encoding for encoding, mark in BYTE_ORDER_MARKS.items() if body.startswith(mark)), "ascii")
    try:
        text = body.decode(marked).replace("\0", "")
    except UnicodeDecodeError:
        return set(Version)
    if "&" in text or "!" in text:
        return set(Version)
    named = {version for version in Version if version.namespace in text}
    if named:
        return named
    if declared.strip().lower().startswith("multipart/"):
        soap_12 = Version.SOAP_12.media_type in declared.lower()
    else:
        soap_12 = Version.SOAP_12.media_type in declared.lower().partition(";")[0]
    return {Version.SOAP_12 if soap_12 else Version.SOAP_11}


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Change the envelope as XML."""
    choices = Choices(data)
    head = choices.take(5) + b"".join(choices.line() + b"\n" for _ in range(3))
    changed = mutation.changed(choices.rest(), most - len(head), seed, mutation.Words(_NAMES, _VALUES, _ATTRIBUTES))
    return b"" if changed is None else head + changed
