"""Generated envelopes, whole and damaged, sent to a gateway: it answers in SOAP, and never with a part of a file."""

import gzip
import http.client
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shim.sandbox import Options, Sandbox, select
from tests.gateway import Gateway, running_gateway
from tests.soap_http import MEDIA_TYPES, SOAP_11, SOAP_12, Answer, post, send

OPTIONS = Options()
WHOLE = b"".join(select(OPTIONS, OPTIONS.first, OPTIONS.last).chunks())
RECORDS = frozenset(WHOLE.splitlines(keepends=True))
ENCODINGS = {"utf-8": b"", "utf-16le": b"\xff\xfe", "utf-16be": b"\xfe\xff"}
CODINGS: dict[str, Callable[[bytes], bytes]] = {"": bytes, "gzip": gzip.compress, "deflate": zlib.compress}
STATUSES = frozenset({200, 400, 401, 404, 405, 413, 414, 415, 431, 500, 501, 505})


@dataclass(frozen=True)
class Call:
    """A request as it is sent.

    Attributes:
        version: The namespace of its envelope.
        headers: HTTP headers.
        body: Its bytes.
        scores: The score file that must come back; ``None`` if the answer cannot be predicted.
    """

    version: str
    headers: dict[str, str]
    body: bytes
    scores: bytes | None


def _spaced(value: str) -> st.SearchStrategy[str]:
    """Return ways to write the same value."""
    return st.sampled_from(
        (value, f"\n {value}\t", f"<![CDATA[{value}]]>", f"<!-- a -->{value}", f"&#{ord(value[0])};{value[1:]}")
    )


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Draw a valid call of GetScores, in any form that clients send."""
    version, encoding = draw(st.sampled_from((SOAP_11, SOAP_12))), draw(st.sampled_from(list(ENCODINGS)))
    length = int(((OPTIONS.last - OPTIONS.first) + timedelta(days=2)).total_seconds())
    begin = draw(st.integers(0, length - 1))
    start, end = (
        OPTIONS.first - timedelta(days=1) + timedelta(seconds=second)
        for second in (begin, draw(st.integers(begin + 1, length)))
    )
    values = {
        "StartDate": _written(start),
        "EndDate": _written(end),
        "Type": "TOEFL",
        "ReportBy": "scorelinkbyreportdate",
    }
    prefix = draw(st.sampled_from(("", "t:")))
    parts = [f"<{prefix}{name}>{draw(_spaced(value))}</{prefix}{name}>" for name, value in values.items()]
    inner = "".join(draw(st.permutations(parts)))
    if draw(st.booleans()):
        inner = f"<{prefix}request>{inner}</{prefix}request>"
    namespace = draw(st.sampled_from(("https://ets.org/edm/webservices/", "urn:other", "http://tempuri.org/?a&amp;b")))
    declared = f'xmlns:t="{namespace}"' if prefix else f'xmlns="{namespace}"'
    header = draw(st.sampled_from(("", "<s:Header/>", '<s:Header><x xmlns="urn:x">1</x></s:Header>')))
    envelope = draw(st.sampled_from(("s", "soap-env")))
    text = (
        f'<s:Envelope xmlns:s="{version}">{header}<s:Body><{prefix}GetScores {declared}>{inner}'
        f"</{prefix}GetScores></s:Body></s:Envelope>"
    )
    text = (
        text.replace("<s:", f"<{envelope}:").replace("</s:", f"</{envelope}:").replace("xmlns:s=", f"xmlns:{envelope}=")
    )
    coding = draw(st.sampled_from(list(CODINGS)))
    charset = f"; charset={encoding.removesuffix('le')}" if draw(st.booleans()) else ""
    headers = {"Content-Type": f"{MEDIA_TYPES[version]}{charset}"} | ({"Content-Encoding": coding} if coding else {})
    action = draw(st.sampled_from((None, '""', '"https://ets.org/edm/webservices/GetScores"', "urn:x#GetScores")))
    headers |= {} if action is None else {"SOAPAction": action}
    body = CODINGS[coding](ENCODINGS[encoding] + text.encode(encoding))
    return Call(version, headers, body, b"".join(select(OPTIONS, start, end).chunks()))


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


@st.composite
def damaged(draw: st.DrawFn) -> Call:
    """Draw such a call with some of its bytes or headers changed."""
    call = draw(calls())
    body = bytearray(call.body)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(start + draw(st.sampled_from((0, 1, 8, 200))), len(body))))
        put = st.sampled_from((b"", bytes(body[start:end]) * 2, b"<!DOCTYPE a>", b"&a;", b"</a>", b"\0", b"<a" * 500))
        body[start:end] = draw(st.one_of(put, st.binary(max_size=8)))
    changes = {
        "Content-Type": (
            "text/html",
            "text/xml; charset=utf-7",
            "",
            "application/soap+xml; action=x",
            MEDIA_TYPES[SOAP_11],
        ),
        "Content-Encoding": ("br", "gzip", "deflate", "identity"),
        "SOAPAction": ('"getEDIData"', "\xe9", "x" * 300),
        "X-Request-ID": ("<script>", "0123456789abcdef"),
        "Authorization": ("Basic x", "Basic YTpi", "Digest a"),
    }
    name = draw(st.sampled_from((None, *changes)))
    headers = call.headers if name is None else call.headers | {name: draw(st.sampled_from(changes[name]))}
    return Call(call.version, headers, bytes(body), None)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Sandbox(OPTIONS) as sandbox, running_gateway(sandbox.url, tmp_path_factory.mktemp("wire")) as running:
        yield running
        assert '"outcome": "internal"' not in running.log_text


def check(answer: Answer, call: Call) -> None:
    """Assert that an answer is SOAP, and that its scores are whole records of the file."""
    assert answer.status in STATUSES
    assert answer.headers["content-length"] == str(len(answer.body))
    assert MEDIA_TYPES[answer.version] == answer.headers["content-type"].partition(";")[0]
    if call.headers["Content-Type"].startswith(MEDIA_TYPES[call.version]):
        assert answer.version == call.version
    if answer.status != 200:
        assert answer.slug not in ("", "internal")
        return
    result = answer.result or b""
    if result.startswith(b"Logon failure: "):  # the damage turned it into an operation with in-band errors
        return
    assert set(result.splitlines(keepends=True)) <= RECORDS
    assert result in WHOLE


@settings(max_examples=300)
@given(call=calls())
def test_a_call_in_any_form_gets_its_scores(gateway: Gateway, call: Call) -> None:
    answer = post(gateway.url, call.body, call.version, call.headers)
    assert (answer.status, answer.version, answer.slug) == (200, call.version, "")
    assert (answer.result or b"") == call.scores
    check(answer, call)


@settings(max_examples=200)
@given(sent=st.lists(st.one_of(damaged(), calls()), min_size=1, max_size=4), last=calls())
def test_a_damaged_call_gets_a_fault_and_the_next_one_its_scores(
    gateway: Gateway, sent: list[Call], last: Call
) -> None:
    parts = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        for call in (*sent, last):
            # One connection for all calls, as long as the gateway keeps it.
            headers = {name: value.encode("latin-1") for name, value in call.headers.items()}
            connection.request("POST", parts.path, call.body, headers)
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            answer = Answer(response.status, fields, response.read())
            check(answer, call)
            assert call.scores is None or (answer.result or b"") == call.scores
    finally:
        connection.close()


@settings(max_examples=300)
@given(data=st.data(), call=calls())
def test_damaged_http_gets_a_fault_or_nothing(gateway: Gateway, data: st.DataObject, call: Call) -> None:
    parts = urlsplit(gateway.url)
    fields = {"Host": parts.netloc, "Content-Length": str(len(call.body)), "Connection": "close"} | call.headers
    head = f"POST {parts.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    request = bytearray(head.encode("latin-1") + b"\r\n")
    at = data.draw(st.integers(0, len(request)), label="at")
    gone = data.draw(st.integers(0, 12), label="gone")
    put = st.one_of(st.sampled_from((b"", b"\r\n", b" ", b"\n\n", b"\0", b"x" * 9000)), st.binary(max_size=6))
    request[at : at + gone] = data.draw(put, label="put")
    try:
        answer = send(gateway.url, bytes(request) + call.body, end=True)
    except (http.client.BadStatusLine, ConnectionError):
        return  # the gateway closed the connection: this cannot be a request
    assert answer.status in STATUSES
    if answer.headers["content-type"].startswith("text/plain"):  # the page that a GET gets
        return
    if answer.body:
        assert answer.version in MEDIA_TYPES
        assert answer.slug != "internal"
        assert answer.status != 200 or (answer.result or b"") in WHOLE
