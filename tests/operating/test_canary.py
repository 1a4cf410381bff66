"""A canary in every part of a call and of an answer: none appears where no secret or personal data belongs."""

import base64
import gzip
import os
import re
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from shim.upstream.authcode import Authcode
from tests.collector import Collector, collecting
from tests.gateway import PATH, Gateway, running_gateway, write_secret
from tests.operating.canaries import Canaries, exchanged, traces
from tests.processes import wait_until
from tests.soap_http import SOAP_11, SOAP_12, envelope
from tests.upstream_server import FakeUpstream, Script, ok, response, scores

_ETS = "https://ets.org/edm/webservices/"
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#"
_SLUG = re.compile(rb"\(([a-z-]+); request [0-9A-Fa-f-]+\)")
_RESULT = re.compile(rb"Result(?:\s[^>]*)?>([^<]+)<")

canary = Canaries()


def _scores() -> bytes:
    """Return a record that consists of canaries, as wide as other records."""
    width = len(scores(1).rstrip(b"\r\n"))
    words = b" ".join(canary(f"field {number} of a record").encode() for number in range(30))
    return words.ljust(width)[:width] + b"\r\n"


def _headers(place: str) -> str:
    return f"Server: {canary(f'Server of {place}')}\r\nSet-Cookie: a={canary(f'cookie of {place}')}\r\n"


def _script(name: str, status: str = "200 OK", headers: str = "", body: bytes | None = None) -> Script:
    content = canary(f"body of {name}").encode() if body is None else body
    return response(f"{status} {canary(f'reason of {name}')}", content, _headers(name) + headers, then="keep")


def _cut(script: Script) -> Script:
    """Announce 1,000 bytes more than the body has, and close the connection after the body."""
    head, _, body = script.data.partition(b"\r\n\r\n")
    length = f"Content-Length: {len(body)}\r\n".encode()
    longer = head.replace(length, f"Content-Length: {len(body) + 1000}\r\n".encode())
    return Script(longer + b"\r\n\r\n" + body)


def _scripts() -> dict[str, Script]:
    page = f"<!DOCTYPE html><title>{canary('HTML page')}</title>".encode()
    good = _script("good", body=_scores())
    return {
        "good": good,
        "TOEFL": good,
        "bad-request": _script("bad-request", "400 Bad"),
        "sentence": _script("sentence", "400 Bad", body=f"startdate is required {canary('sentence')}".encode()),
        "bad-credentials": _script("bad-credentials", "400", body=b"Invalid credentials format"),
        "locked": _script("locked", "401"),
        "forbidden": _script("forbidden", "403"),
        "missing": _script("missing", "404"),
        "teapot": _script("teapot", "418"),
        "busy": _script("busy", "429", f"Retry-After: {canary('Retry-After')}\r\n"),
        "failed": _script("failed", "500"),
        "moved": _script("moved", "302", f"Location: http://127.0.0.1:9/{canary('Location')}\r\n"),
        "html": _script("html", headers="Content-Type: text/html\r\n", body=page),
        "plain": _script("plain"),
        "compressed": _script(
            "compressed", headers=f"Content-Encoding: {canary('Content-Encoding')}\r\n", body=_scores()
        ),
        "typed": _script("typed", headers=f"Content-Type: text/html; {canary('Content-Type')}\r\n", body=page),
        "uneven": _script("uneven", body=_scores() + _scores()[100:]),
        "cut": _cut(_script("cut", body=_scores())),
        "huge": _script("huge", body=_scores() * 400),
        "odd": _script("odd", headers=f"{canary('no header')}\r\n", body=page),
        "nonsense": response(canary("status line"), _scores(), then="keep"),
    }


# The slug that a call of GetScores for each type gets; an empty one for scores.
_UPSTREAM = {
    "good": "",
    "bad-request": "upstream-query",
    "sentence": "upstream-query",
    "bad-credentials": "upstream-authcode",
    "locked": "upstream-authcode",
    "forbidden": "upstream-forbidden",
    "missing": "upstream-address",
    "teapot": "upstream-status",
    "busy": "upstream-busy",
    "failed": "upstream-failed",
    "moved": "upstream-redirect",
    "html": "upstream-not-scores",
    "plain": "upstream-not-scores",
    "compressed": "upstream-not-scores",
    "typed": "upstream-not-scores",
    "uneven": "upstream-not-scores",
    "cut": "upstream-cut",
    "huge": "upstream-too-large",
    "odd": "upstream-not-scores",
    "nonsense": "upstream-cut",
}


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(ok(scores(1), then="keep"), types=_scripts()) as running:
        yield running


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(
    upstream: FakeUpstream, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("canary")
    for name in ("first", "next"):
        write_secret(
            folder / name, Authcode.of(canary(f"client id of the {name}"), canary(f"secret of the {name}")).value
        )
    write_secret(folder / "password", canary("password"))
    settings = {
        "gateway": {"workers": 2, "trusted_proxies": ["127.0.0.1"]},
        "upstream": {"attempts": 2, "max_bytes": 500_000, "breaker_failures": 1000, "read_timeout": 2},
        "tracing": {"url": collector.url},
        "authcodes": [{"name": "main", "file": str(folder / "first"), "next_file": str(folder / "next")}],
        "callers": [
            {
                "name": "registrar",
                "credentials": "own",
                "user": canary("user name"),
                "secret_file": str(folder / "password"),
            }
        ],
        "ledger": {"url": "sqlite:///ledger.db"},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")  # milliseconds until spans are sent
        with running_gateway(upstream.url, folder / "gateway", settings) as running:
            yield running


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _request(
    body: bytes, headers: dict[str, str | None] | None = None, target: str = PATH, method: str = "POST"
) -> bytes:
    """Return a request with a canary in every header; a header without a value is left out."""
    declared: dict[str, str | None] = {
        "Host": canary("Host"),
        "Content-Type": "text/xml; charset=utf-8",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Authorization": _basic(canary("user name"), canary("password")),
        "X-Request-ID": canary("X-Request-ID"),
        "X-Forwarded-For": f"{canary('X-Forwarded-For')}, 192.0.2.7",
        **{
            name: canary(name)
            for name in (
                "Accept",
                "Accept-Language",
                "Cookie",
                "Forwarded",
                "From",
                "Origin",
                "Referer",
                "User-Agent",
                "Via",
                "X-Client-Certificate-Subject",
                "X-Real-IP",
                canary("name of a header"),
                "traceparent",
                "tracestate",
            )
        },
        **(headers or {}),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in declared.items() if value is not None)
    return f"{method} {target}?{canary('query')} HTTP/1.1\r\n{lines}\r\n".encode() + body


def _call(kind: str = "good", version: str = SOAP_11, more: str = "") -> bytes:
    unknown = f"<{canary('name of an element')}>{canary('text of an element')}</{canary('name of an element')}>"
    comment = f"<!--{canary('comment')}--><?{canary('instruction')} {canary('its text')}?>"
    return envelope(version, more=unknown + comment + more).replace(b">TOEFL<", f">{kind}<".encode())


def _in_band(fields: str, operation: str = "getScorelinkDataByReportDate") -> bytes:
    return f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body><{operation}>{fields}</{operation}></s:Body></s:Envelope>'.encode()


def _with_header(header: str, body: bytes | None = None) -> bytes:
    return (body or _call()).replace(b"<s:Body>", f"<s:Header>{header}</s:Header><s:Body>".encode())


def _token(password: str, kind: str = "PasswordText", more: str = "") -> str:
    return (
        f'<w:Security xmlns:w="{_WSSE}" xmlns:u="{_WSU}"><w:UsernameToken>'
        f"<w:Username>{canary('user name')}</w:Username>"
        f'<w:Password Type="{_PROFILE}{kind}">{password}</w:Password>{more}</w:UsernameToken></w:Security>'
    )


_DATES = "<reportstartdate>04/21/2025</reportstartdate><reportenddate>04/22/2025</reportenddate>"
_RIGHT = f"<userName>{canary('user name')}</userName><password>{canary('password')}</password>"
_WRONG = f"<userName>{canary('wrong user name')}</userName><password>{canary('wrong password')}</password>"
_NOT_BASE64 = f"<w:Nonce>{canary('nonce')}!</w:Nonce><u:Created>{canary('created')}</u:Created>"
_NO_TIME = f"<w:Nonce>bm9uY2U=</w:Nonce><u:Created>{canary('created')}</u:Created>"
_ELSEWHERE = (
    '<a:ReplyTo xmlns:a="http://www.w3.org/2005/08/addressing" s:mustUnderstand="1">'
    f"<a:Address>http://{canary('reply address')}/</a:Address></a:ReplyTo>"
)
_NO_CREDENTIALS: dict[str, str | None] = {"Authorization": None}

# Requests, and the slug that each gets; an empty one for scores.
_CALLS = [
    (_request(_call()), ""),
    (_request(_call(version=SOAP_12), {"Content-Type": "application/soap+xml"}), ""),
    (_request(_in_band(_RIGHT + _DATES)), ""),
    (_request(_with_header(_token(canary("password")))), ""),
    (_request(gzip.compress(_call()), {"Content-Encoding": "gzip"}), ""),
    (_request(_call(), method="PUT"), "method"),
    (_request(_call(), method=canary("method")), "bad-http"),
    (_request(_call(), {"Content-Type": f"text/plain; a={canary('Content-Type of a call')}"}), "content-type"),
    (_request(_call(), target=f"/{canary('path')}"), "not-found"),
    (_request(_call() + b" " * 70_000), "too-large"),
    (_request(_call(), {"Content-Length": "5000"}), "cut-request"),
    (_request(_call(), {"Content-Type": f"text/xml; charset={canary('charset')}"}), ""),
    (_request(_call(), {"Content-Encoding": canary("Content-Encoding of a call")}), ""),
    (_request(gzip.compress(_call())[:-9], {"Content-Encoding": "gzip"}), "compression"),
    (_request(_call()[:-20]), "not-xml"),
    (_request(f"<{canary('only element')}>&{canary('entity')};</a>".encode()), "not-xml"),
    (_request(f'<!DOCTYPE a [<!ENTITY e "{canary("entity")}">]>'.encode() + _call()), "doctype"),
    (_request(f"<{canary('only element')}/>".encode()), "not-soap"),
    (_request(_call().replace(SOAP_11.encode(), f"http://{canary('namespace')}/".encode())), "version"),
    (_request(_with_header(f'<h:{canary("header")} xmlns:h="urn:h" s:mustUnderstand="1"/>')), "must-understand"),
    (_request(_with_header(_ELSEWHERE)), "reply-elsewhere"),
    (_request(_call(), _NO_CREDENTIALS), "no-credentials"),
    (_request(_call(), {"Authorization": _basic(canary("wrong user name"), canary("password"))}), "not-authenticated"),
    (_request(_call(), {"Authorization": f"Basic {canary('malformed Basic')}!"}), "not-authenticated"),
    (_request(_call(), {"Authorization": f"Bearer {canary('Bearer')}"}), "no-credentials"),
    (_request(_in_band(_WRONG + _DATES), _NO_CREDENTIALS), "not-authenticated"),
    (_request(_with_header(_token(canary("wrong password"))), _NO_CREDENTIALS), "not-authenticated"),
    (
        _request(_with_header(_token(canary("digest"), canary("kind of password"))), _NO_CREDENTIALS),
        "no-credentials",
    ),
    (
        _request(_with_header(_token(canary("digest"), "PasswordDigest", _NOT_BASE64)), _NO_CREDENTIALS),
        "not-authenticated",
    ),
    (_request(_with_header(_token("ZGlnZXN0", "PasswordDigest", _NO_TIME)), _NO_CREDENTIALS), "not-authenticated"),
    (_request(_in_band(_DATES, canary("operation"))), "unknown-operation"),
    (_request(_call(), {"SOAPAction": f'"http://{canary("SOAPAction")}/"'}), ""),
    (_request(_call(), {"SOAPAction": f"{_ETS}getEDIData"}), "action"),
    (_request(_call().replace(b"StartDate>", b"Started>")), "missing-parameter"),
    (_request(_call(more=f"<Type>{canary('second Type')}</Type>")), "duplicate-parameter"),
    (_request(_call().replace(b"2025-04-21T16:45:03", canary("date").encode())), "bad-date"),
    (_request(_call().replace(b"2025-04-21T16:45:03", b"2025-02-30T00:00:00")), "bad-date"),
    (_request(_in_band(_RIGHT + _DATES.replace("04/21/2025", canary("date in band")))), "bad-date"),
    (_request(_call().replace(b"2025-04-21", b"2025-06-21")), "start-after-end"),
    (_request(_in_band(_RIGHT, "getEDIData")), "unavailable"),
    (f"{canary('request line')}\r\n\r\n".encode(), "bad-http"),
    (f"POST / HTTP/1.1\r\nHost: a\r\n{canary('no header at all')}\r\n\r\n".encode(), "bad-http"),
    (f"POST / HTTP/{canary('HTTP version')}\r\nHost: a\r\n\r\n".encode(), "bad-http"),
]


def _read(answer: bytes) -> tuple[str, bytes]:
    """Return the slug in an answer, and the answer with its decoded result."""
    body = answer.partition(b"\r\n\r\n")[2]
    result = _RESULT.search(body)
    plain = base64.b64decode(result[1]) if result else b""
    found = _SLUG.search(body) or _SLUG.search(plain)
    return found[1].decode() if found else "", answer + plain


def _spans(collector: Collector) -> Iterator[Span]:
    """Return the spans of calls, without the spans of the upstream."""
    for body in tuple(collector.bodies):
        for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
            yield from (span for span in resource_spans.scope_spans[0].spans if span.kind == Span.SPAN_KIND_SERVER)


def test_no_canary_appears_where_it_does_not_belong(gateway: Gateway, collector: Collector) -> None:
    calls = [*_CALLS, *((_request(_call(kind)), slug) for kind, slug in _UPSTREAM.items())]
    errors: dict[str, bytes] = {}
    wrong = []
    for number, (request, expected) in enumerate(calls):
        slug, answer = _read(exchanged(gateway.port, request, ends=expected in ("cut-request", "bad-http")))
        if slug != expected:
            wrong.append(f"call {number}: {slug}, not {expected}: {answer[:300]!r}")
        if expected:
            errors[f"answer {number}, {slug}"] = answer
        else:
            assert canary("field 0 of a record").encode() in answer
    assert not wrong, "\n".join(wrong)
    wait_until(lambda: len(gateway.calls) == len(calls), f"{len(calls)} lines", 10)
    # A request without a contract is logged, and gets no span.
    observed = sum(line["outcome"] not in ("bad-http", "not-found") for line in gateway.calls)
    wait_until(lambda: len(list(_spans(collector))) == observed, f"{observed} spans", 10)
    wait_until(lambda: gateway.metric("ledger_backlog_bytes") == 0, "end of the backlog")
    left = traces(gateway, collector)
    assert canary.found_in(errors | left) == []
    assert any(b"registrar" in content for place, content in left.items() if place.endswith("/summary.json"))
    assert any(b"registrar" in content for place, content in left.items() if place.endswith(".journal"))
    assert any(b"registrar" in content for place, content in left.items() if place.endswith("/ledger.db"))
    assert {"upstream-authcode", "not-authenticated", "ok"} <= {line["outcome"] for line in gateway.calls}


def test_every_place_is_searched(gateway: Gateway, collector: Collector) -> None:
    found = traces(gateway, collector)
    assert len(found["the log"]) > 100
    assert any("metrics" in place for place in found)
    for place in found:
        assert canary.found_in({place: found[place] + canary("password").encode()}) == [f"password is in {place}"]


def test_a_worker_that_crashes_leaves_no_core(upstream: FakeUpstream, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == 0:
        pytest.skip("this machine forbids core dumps: raise ulimit -Hc")
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        with running_gateway(upstream.url, tmp_path / "gateway") as gateway:
            worker = gateway.worker()
            limits = [resource.prlimit(pid, resource.RLIMIT_CORE) for pid in (gateway.process.pid, worker)]
            os.kill(worker, signal.SIGSEGV)
            wait_until(lambda: len(set(gateway.workers()) - {worker}) == 1, "another worker")
            assert limits == [(0, 0), (0, 0)]
            assert list((tmp_path / "gateway").glob("core*")) == []
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
