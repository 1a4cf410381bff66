"""nginx with the files of ``deploy/nginx``: TLS, client certificates, faults, and the restart of a gateway."""

import http.client
import re
import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest

from shim import errors
from shim.sandbox import Sandbox, select
from shim.wire.answer import fault
from shim.wire.dialect import Dialect, Version
from tests.clients.calls import GET_SCORES, START_AFTER_END, Outcome, Starter
from tests.clients.programs import mono, svcutil
from tests.deploy.front import NAME, Front, front, trusted, trusting
from tests.gateway import PATH, Gateway, running_gateway
from tests.operating.load import loaded
from tests.processes import free_port, stop, wait_until
from tests.soap_http import MEDIA_TYPES, SOAP_11, SOAP_12, Answer, envelope

_PROXIED: Final = {"gateway": {"trusted_proxies": ["127.0.0.0/8"]}}
_SUBJECT: Final = "CN=registrar-import,O=Example"
_CALLERS: Final = [
    {"name": "by-certificate", "certificate": _SUBJECT},
    {"name": "by-network", "networks": ["127.0.0.0/8"]},
]


@dataclass(frozen=True)
class Site:
    front: Front
    gateways: list[Gateway]
    sandbox: Sandbox

    def log(self) -> str:
        return "".join(gateway.log_text for gateway in self.gateways)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    settings = _PROXIED | {"callers": _CALLERS}
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        gateways = [stack.enter_context(running_gateway(sandbox.url, folder / str(i), settings)) for i in range(2)]
        running = stack.enter_context(front(folder / "nginx", [gateway.port for gateway in gateways]))
        yield Site(running, gateways, sandbox)


@pytest.fixture(scope="module")
def csharp(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Starter:
    folder = tmp_path_factory.mktemp("csharp")
    generated = svcutil(f"{site.gateways[0].url}?wsdl", folder)
    return mono(
        folder, [generated], "Guide", "MessageContract", "Wcf", **trusting(site.front.authority, folder / "home")
    )


def _post(
    port: int, context: ssl.SSLContext, body: bytes, version: str = SOAP_11, headers: dict[str, str] | None = None
) -> Answer:
    connection = http.client.HTTPSConnection(NAME, port, timeout=30, context=context)
    try:
        declared = {"Content-Type": f"{MEDIA_TYPES[version]}; charset=utf-8"}
        connection.request("POST", PATH, body, declared | (headers or {}))
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize("binding", ["soap11", "soap12"])
def test_a_csharp_client_gets_scores_and_the_words_of_faults_through_tls(
    binding: str, site: Site, csharp: Starter
) -> None:
    first, last = (datetime.fromisoformat(text) for text in GET_SCORES[1:])
    body = b"".join(select(site.sandbox.options, first, last).chunks())
    with csharp("svcutil", binding, GATEWAY=site.front.url()) as client:
        assert client(*GET_SCORES) == Outcome.scores(body)
        outcome = client(*START_AFTER_END)
    assert (outcome.kind, outcome.text[:26]) == ("fault", "The start of the range mus")


def test_a_csharp_client_trusts_no_other_authority(site: Site, tmp_path: Path, csharp: Starter) -> None:
    with csharp("svcutil", "soap11", GATEWAY=site.front.url(), XDG_CONFIG_HOME=str(tmp_path)) as client:
        assert client(*GET_SCORES).kind == "failure"


def _speaks(port: int, version: ssl.TLSVersion) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = version
    try:
        answer = _post(port, context, envelope())
    except ssl.SSLError as error:
        return str(error.reason)
    return "scores" if answer.result else answer.fault


_V = ssl.TLSVersion


@pytest.mark.parametrize(
    ("version", "usual", "old"),
    [(_V.TLSv1, False, True), (_V.TLSv1_1, False, True), (_V.TLSv1_2, True, True), (_V.TLSv1_3, True, False)],
)
def test_each_listener_speaks_its_versions_of_tls(version: ssl.TLSVersion, usual: bool, old: bool, site: Site) -> None:
    assert (_speaks(site.front.port, version) == "scores") is usual
    assert (_speaks(site.front.old_port, version) == "scores") is old


def test_the_subject_of_a_certificate_is_passed_on_and_cannot_be_forged(site: Site) -> None:
    claimed = {"X-Client-Certificate-Subject": _SUBJECT, "X-Forwarded-For": "10.1.2.3"}
    context = trusted(site.front)
    numbers = [_post(site.front.port, context, envelope(), headers=claimed).headers["x-request-id"]]
    tls = site.front.folder / "tls"
    context.load_cert_chain(tls / "callers.pem", tls / "caller.key")
    numbers.append(_post(site.front.certificate_port, context, envelope()).headers["x-request-id"])
    wait_until(lambda: all(number in site.log() for number in numbers), "lines")
    calls = {call["request"]: call for gateway in site.gateways for call in gateway.calls}
    assert [(calls[number]["caller"], calls[number]["address"]) for number in numbers] == [
        ("by-network", "127.0.0.1"),
        ("by-certificate", "127.0.0.1"),
    ]


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_nginx_refuses_with_a_soap_fault(version: str, site: Site) -> None:
    large = _post(site.front.port, trusted(site.front), envelope(version, more=" " * 70_000), version)
    nameless = _post(site.front.certificate_port, trusted(site.front), envelope(version), version)
    for answer, reason in ((large, "too-large"), (nameless, "proxy-refused")):
        assert (answer.status, answer.version) == (500, version)
        assert answer.headers["content-type"] == f"{MEDIA_TYPES[version]}; charset=utf-8"
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert answer.fault.endswith(f"({reason})")
        _assert_bytes_of_the_gateway(answer)


def _assert_bytes_of_the_gateway(answer: Answer) -> None:
    dialect = Dialect(next(version for version in Version if version.namespace == answer.version))
    assert answer.body == fault(dialect, errors.INTERNAL, answer.fault)


@pytest.mark.parametrize(
    "start",
    [b"POST / HTTP/1.1\r\nHost: a\r\n", b"POST /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n"],
    ids=["bad length", "long line"],
)
def test_nginx_refuses_bad_http_with_a_soap_fault(start: bytes, site: Site) -> None:
    context = trusted(site.front)
    with (
        socket.create_connection((NAME, site.front.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as client,
    ):
        client.sendall(start + b"Content-Type: application/soap+xml\r\nContent-Length: x\r\n\r\n")
        response = http.client.HTTPResponse(client)
        response.begin()
        answer = Answer(response.status, {}, response.read())
    assert answer.status == 500
    assert answer.fault.endswith("(proxy-refused)")
    _assert_bytes_of_the_gateway(answer)


def test_neither_query_nor_body_is_logged(site: Site) -> None:
    connection = http.client.HTTPSConnection(NAME, site.front.port, timeout=30, context=trusted(site.front))
    connection.request("GET", f"{PATH}?wsdl&password=sesame-open")
    assert connection.getresponse().status == 200
    connection.close()
    _post(site.front.port, trusted(site.front), envelope(more="<x>sesame-open</x>"), headers={"Referer": "sesame-open"})
    wait_until(
        lambda: bool(re.search(r"GET /TOEFLWebService/TOEFLEdm.asmx 200 .* [0-9a-f-]{16,}\n", site.front.log)), "line"
    )
    assert "sesame" not in site.front.log
    assert "sesame" not in (site.front.folder / "own").read_text()


def test_a_restart_fails_no_call_and_without_a_gateway_nginx_answers_with_a_fault(tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        gateways = [
            stack.enter_context(running_gateway(sandbox.url, tmp_path / str(port), _anybody(), port=port))
            for port in ports
        ]
        running = stack.enter_context(front(tmp_path / "nginx", ports))
        load = stack.enter_context(loaded(running.url(), context=trusted(running)))
        load.wait_for(50)
        stop(gateways[0].process)
        load.wait_for(50)
        again = stack.enter_context(running_gateway(sandbox.url, tmp_path / "again", _anybody(), port=ports[0]))
        wait_until(lambda: len(again.calls) > 20, "calls of the restarted gateway")
        load.stop()
        assert load.failures == []
        stop(again.process)
        stop(gateways[1].process)
        for version in (SOAP_11, SOAP_12):
            answer = _post(running.port, trusted(running), envelope(version), version)
            assert (answer.status, answer.version) == (500, version)
            assert answer.fault.endswith("(gateway-down)")
            _assert_bytes_of_the_gateway(answer)


def _anybody() -> dict[str, object]:
    return _PROXIED | {"callers": [{"name": "by-network", "networks": ["127.0.0.0/8"]}]}
