from http import HTTPStatus
from pathlib import Path

import pytest
from lxml import etree
from structlog.testing import capture_logs

from shim.web.pages import Pages, imported
from tests.contracts import wsdls
from tests.contracts.test_served_wsdl import ADDRESS, BOTH, DEFAULT, XSD, ports
from tests.web import calls

OPERATIONS = ("GetScores", "getEDIData")
PAGES = Pages(calls.WSDL, ADDRESS, OPERATIONS)


def get(query: str = "", method: str = "GET", /, **changes: object) -> calls.Reply:
    return calls.send(PAGES.at_service, calls.request(b"", method, QUERY_STRING=query, **changes))


class TestPages:
    @pytest.mark.parametrize(
        "query", ["wsdl", "WSDL", "Wsdl", "wsdl=", "singleWsdl", "singlewsdl", "wsdl&x=y", "x=y&wsdl", "wsdl&ports=1"]
    )
    def test_the_wsdl(self, query: str) -> None:
        reply = get(query)
        assert (reply.code, reply.headers["Content-Type"]) == (HTTPStatus.OK, "text/xml; charset=utf-8")
        assert ports(reply.body) == DEFAULT

    @pytest.mark.parametrize("query", ["wsdl&ports=all", "ports=all&WSDL", "singleWsdl&Ports=all"])
    def test_the_wsdl_with_all_ports(self, query: str) -> None:
        assert ports(get(query).body) == BOTH

    @pytest.mark.parametrize("query", ["", "x=y", "wsd", "ports=all", "%ff%00"])
    def test_a_page_for_people(self, query: str) -> None:
        reply = get(query)
        assert (reply.code, reply.headers["Content-Type"]) == (HTTPStatus.OK, "text/html; charset=utf-8")
        page = reply.body.decode()
        assert f'<link rel="alternate" type="text/xml" href="{ADDRESS}?disco">' in page
        assert f'href="{ADDRESS}?wsdl"' in page
        assert all(f'href="{ADDRESS}?op={name}"' in page for name in OPERATIONS)

    @pytest.mark.parametrize("query", ["op=GetScores", "OP=GetScores"])
    def test_a_page_for_an_operation(self, query: str) -> None:
        assert "<h2>GetScores</h2>" in get(query).body.decode()

    @pytest.mark.parametrize("query", ["op=Other", "op=", "op=<script>", "op=getscores"])
    def test_another_operation_has_no_page(self, query: str) -> None:
        assert get(query).body == get("").body

    @pytest.mark.parametrize("query", ["disco", "DISCO"])
    def test_the_discovery_document(self, query: str) -> None:
        reply = get(query)
        assert (reply.code, reply.headers["Content-Type"]) == (HTTPStatus.OK, "text/xml; charset=utf-8")
        contract, soap = etree.fromstring(reply.body)
        assert dict(contract.items()) == {"ref": f"{ADDRESS}?wsdl", "docRef": ADDRESS}
        assert dict(soap.items()) == {"address": ADDRESS, "binding": "q1:TOEFLEdmSoap"}
        assert soap.nsmap["q1"] == calls.NAMESPACE

    @pytest.mark.parametrize("query", ["wsdl", "", "disco"])
    def test_head_has_the_headers_of_get(self, query: str) -> None:
        got, head = get(query), get(query, "HEAD")
        assert head.body == b""
        assert head.headers["Content-Length"] == str(len(got.body))
        assert head.headers["Content-Type"] == got.headers["Content-Type"]

    @pytest.mark.parametrize("query", ["wsdl", "", "wsdl&ports=all", "disco", "op=GetScores"])
    def test_what_a_client_says_of_its_host_is_never_repeated(self, query: str) -> None:
        reply = get(
            query,
            HTTP_HOST="evil.example",
            SERVER_NAME="evil.example",
            HTTP_X_FORWARDED_HOST="evil.example",
            SCRIPT_NAME="/evil.example",
        )
        assert reply.body == get(query).body
        assert b"evil" not in reply.body + str(reply.headers).encode()

    def test_its_line_in_the_log(self) -> None:
        with capture_logs() as lines:
            get("wsdl")
        assert [line["outcome"] for line in lines] == ["page"]


class TestOwnAddress:
    @pytest.mark.parametrize(("query", "expected"), [("", DEFAULT), ("x", DEFAULT), ("ports=all", BOTH)])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_the_wsdl(self, query: str, expected: object, method: str) -> None:
        reply = calls.send(PAGES.at_wsdl, calls.request(b"", method, QUERY_STRING=query))
        assert reply.code == HTTPStatus.OK
        assert (method == "HEAD" and not reply.body) or ports(reply.body) == expected


class TestImported:
    @pytest.fixture
    def wsdl(self, tmp_path: Path) -> Path:
        (tmp_path / "a.xsd").write_text(XSD.format("a", ""), encoding="utf-8")
        imports = '<x:import namespace="urn:a" schemaLocation="a.xsd"/>'
        path, _ = calls.written(tmp_path, wsdls.wsdl(wsdls.schema(imports + wsdls.wrapped())))
        return path

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_files_are_served_beside_the_service(self, wsdl: Path, method: str) -> None:
        routes = dict(imported(wsdl, "/legacy/Scores.asmx"))
        assert list(routes) == ["/legacy/a.xsd"]
        reply = calls.send(routes["/legacy/a.xsd"], calls.request(b"", method))
        assert (reply.code, reply.headers["Content-Type"]) == (HTTPStatus.OK, "text/xml; charset=utf-8")
        assert reply.body == (b"" if method == "HEAD" else XSD.format("a", "").encode())
