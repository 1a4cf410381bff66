"""The whole gateway in one process, from WSGI to the sandbox."""

import hashlib
import json
import shutil
from base64 import b64decode
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from shim import app
from shim.config import (
    SHIPPED,
    AuthcodeSettings,
    CallerSettings,
    Config,
    ContractSettings,
    GatewaySettings,
    UpstreamSettings,
)
from shim.sandbox import DEMO_AUTHCODE, Options, Sandbox, select
from shim.web.application import Application
from shim.web.metrics import Metrics
from shim.wire.dialect import Version
from tests.guide import END, REQUEST_LINE, START
from tests.web.calls import Reply, envelope, request, send


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def settings(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("AUTHCODE", DEMO_AUTHCODE)
    return Config(
        upstream=UpstreamSettings(url=sandbox.url), authcodes=(AuthcodeSettings(name="main", env="AUTHCODE"),)
    )


def _call(application: Application, path: str = "/TOEFLWebService/TOEFLEdm.asmx") -> Reply:
    return send(application, request(envelope().encode(), PATH_INFO=path))


@pytest.mark.parametrize(
    "path",
    [
        "/TOEFLWebService/TOEFLEdm.asmx",
        "/toeflwebservice/TOEFLEDM.ASMX",
        "//TOEFLWebService//TOEFLEdm.asmx",
        "///TOEFLWebService/./TOEFLEdm.asmx",
        "/other/../TOEFLWebService/x/y/../../TOEFLEdm.asmx",
        "/../../TOEFLWebService/TOEFLEdm.asmx",
    ],
)
def test_a_call_becomes_the_rest_request_and_comes_back_whole(
    sandbox: Sandbox, settings: Config, tmp_path: Path, path: str
) -> None:
    reply = _call(app.build(settings, tmp_path), path)
    scores = b64decode(reply.content[0].text or "")
    guide = b"".join(select(Options(), START, END).chunks())
    assert hashlib.sha256(scores).digest() == hashlib.sha256(guide).digest()
    assert [seen.line for seen in sandbox.requests] == [REQUEST_LINE]


def test_a_contract_may_ask_for_json(sandbox: Sandbox, settings: Config, tmp_path: Path) -> None:
    shutil.copy(SHIPPED / "TOEFLEdm.wsdl", tmp_path)
    mapping = (SHIPPED / "TOEFLEdm.toml").read_text().replace('dates     = ["ISO 8601"]', 'format    = "json"')
    (tmp_path / "TOEFLEdm.toml").write_text(mapping)
    contract = ContractSettings(wsdl=tmp_path / "TOEFLEdm.wsdl")
    reply = _call(app.build(settings.model_copy(update={"contracts": (contract,)}), tmp_path))
    assert len(json.loads(b64decode(reply.content[0].text or ""))["data"]) == 24
    assert [seen.line for seen in sandbox.requests] == [REQUEST_LINE.replace(" HTTP", "&format=json HTTP")]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "/..",
        "/TOEFLWebService",
        "/TOEFLWebService/TOEFLEdm.asmx/",
        "/TOEFLWebService/TOEFLEdm.asmx/x",
        "/TOEFLWebService/..TOEFLEdm.asmx",
        "/TOEFLWebService/.../TOEFLEdm.asmx",
        "/TOEFLWebService/TOEFLEdm.asmx/..",
        "/TOEFLWebService\\TOEFLEdm.asmx",
        "/x/TOEFLWebService/TOEFLEdm.asmx",
        "/../shim/web/pages.py",
    ],
)
def test_a_path_leads_nowhere_else(settings: Config, tmp_path: Path, path: str) -> None:
    assert _call(app.build(settings, tmp_path), path).slug == "not-found"


@pytest.mark.parametrize("path", ["/other", "/TOEFLWebService/TOEFLEdm.wsdl"])
@pytest.mark.parametrize(
    ("version", "other"), [(Version.SOAP_11, "application/soap+xml"), (Version.SOAP_12, "text/xml")]
)
def test_a_call_to_another_address_is_refused_in_its_version(
    settings: Config, tmp_path: Path, path: str, version: Version, other: str
) -> None:
    sent = request(envelope(version=version).encode(), PATH_INFO=path, CONTENT_TYPE=other)
    reply = send(app.build(settings, tmp_path), sent)
    assert reply.slug == ("method" if path.endswith(".wsdl") else "not-found")
    assert reply.headers["Content-Type"].startswith(version.media_type)


@pytest.mark.parametrize("path", ["//livez", "/x/../livez", "/LIVEZ"])
def test_the_admin_address_folds_no_path(settings: Config, tmp_path: Path, path: str) -> None:
    gateway = GatewaySettings(admin_bind="127.0.0.1:9090")
    application = app.build(settings.model_copy(update={"gateway": gateway}), tmp_path)
    assert send(application, request(b"", "GET", PATH_INFO=path, SERVER_PORT="9090")).code == 404
    assert send(application, request(b"", "GET", PATH_INFO="/livez", SERVER_PORT="9090")).code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_other_addresses(settings: Config, tmp_path: Path, method: str) -> None:
    reply = send(app.build(settings, tmp_path), request(b"", method, PATH_INFO="/other"))
    assert (reply.code, reply.headers["Content-Type"]) == (404, "text/xml; charset=utf-8")


def test_reading_and_calling_share_an_address(settings: Config, tmp_path: Path) -> None:
    application = app.build(settings, tmp_path)
    path = "/TOEFLWebService/TOEFLEdm.asmx"
    assert b"SOAP service" in send(application, request(b"", "GET", PATH_INFO=path)).body
    assert b"definitions" in send(application, request(b"", "GET", PATH_INFO=path, QUERY_STRING="wsdl")).body
    refused = send(application, request(b"", "DELETE", PATH_INFO=path))
    assert (refused.code, refused.headers["Allow"]) == (405, "GET, HEAD, POST")
    for method in ("POST", "PUT", "DELETE"):
        for document in ("/TOEFLWebService/TOEFLEdm.wsdl", "/toeflwebservice/./toefledm.wsdl"):
            refused = send(application, request(b"", method, PATH_INFO=document))
            assert (refused.code, refused.headers["Allow"]) == (405, "GET, HEAD, POST")


def test_what_a_wsdl_imports_is_served_beside_it(settings: Config, tmp_path: Path) -> None:
    text = (SHIPPED / "TOEFLEdm.wsdl").read_text()
    types = text[text.index("    <s:schema") : text.index("  </wsdl:types>")]
    namespaces = 'xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:tns="https://ets.org/edm/webservices/"'
    schema = types.replace("<s:schema ", f"<s:schema {namespaces} ")
    included = (
        '<s:schema targetNamespace="https://ets.org/edm/webservices/">'
        '<s:include schemaLocation="types/scores.xsd"/></s:schema>'
    )
    (tmp_path / "types").mkdir()
    (tmp_path / "types" / "scores.xsd").write_text(schema)
    (tmp_path / "TOEFLEdm.wsdl").write_text(text.replace(types, included))
    shutil.copy(SHIPPED / "TOEFLEdm.toml", tmp_path)
    contract = ContractSettings(wsdl=tmp_path / "TOEFLEdm.wsdl")
    application = app.build(settings.model_copy(update={"contracts": (contract,)}), tmp_path)
    served = send(application, request(b"", "GET", PATH_INFO="/TOEFLWebService/types/scores.xsd"))
    assert (served.code, served.body) == (200, schema.encode())
    assert b64decode(_call(application).content[0].text or "")


def test_the_log_names_who_called_and_from_where_behind_a_proxy(settings: Config, tmp_path: Path) -> None:
    behind = Config(
        upstream=settings.upstream,
        authcodes=settings.authcodes,
        gateway=GatewaySettings(trusted_proxies=(ip_network("127.0.0.1/32"),)),
        callers=(CallerSettings(name="campus", networks=(ip_network("192.0.2.0/24"),)),),
    )
    application = app.build(behind, tmp_path)
    for address in ("192.0.2.7", "198.51.100.1"):
        environ = request(envelope().encode(), PATH_INFO="/TOEFLWebService/TOEFLEdm.asmx", HTTP_X_FORWARDED_FOR=address)
        with capture_logs() as lines:
            send(application, environ)
        (line,) = lines
        known = address == "192.0.2.7"
        assert line["address"] == address
        assert (line.get("caller"), line["outcome"]) == (("campus", "ok") if known else (None, "no-credentials"))


def test_what_only_watches_harms_no_call(
    sandbox: Sandbox, settings: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(_metrics: Metrics, _call: object) -> None:
        raise RuntimeError("jane.doe")

    monkeypatch.setattr(Metrics, "count", broken)
    application = app.build(settings, tmp_path)
    with capture_logs() as lines:
        scores = b64decode(_call(application).content[0].text or "")
        refused = send(application, request(b"nonsense", PATH_INFO="/TOEFLWebService/TOEFLEdm.asmx"))
    assert scores == b"".join(select(Options(), START, END).chunks())
    assert refused.slug == "not-xml"
    notes = [line["note"] for line in lines if line["event"] == "observer"]
    assert len(notes) == 2
    assert all(note.startswith("RuntimeError in ") for note in notes)
    assert b"toefl_shim_observer_failures_total 2.0" in application.metrics.text([])
