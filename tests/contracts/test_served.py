from functools import partial
from http import HTTPStatus
from pathlib import Path

import pytest
from lxml import etree
from structlog.testing import capture_logs
from zeep import Client

from shim.contracts import served
from tests.contracts import wsdls
from tests.web import calls

ADDRESS = "https://scores.example.edu/TOEFLWebService/TOEFLEdm.asmx"
PAGES = served.Pages(calls.WSDL, ADDRESS)
WSDL_SOAP = {
    "http://schemas.xmlsoap.org/wsdl/soap/": "1.1",
    "http://schemas.xmlsoap.org/wsdl/soap12/": "1.2",
}


def ports(body: bytes) -> dict[str, list[tuple[str, str]]]:
    """Name to SOAP versions and addresses."""
    return {
        str(port.get("name")): [
            (WSDL_SOAP[str(etree.QName(child).namespace)], str(child.get("location"))) for child in port
        ]
        for port in etree.fromstring(body).iter("{http://schemas.xmlsoap.org/wsdl/}port")
    }


def get(query: str = "", method: str = "GET", /, **changes: object) -> calls.Reply:
    return calls.send(PAGES, calls.request(b"", method, QUERY_STRING=query, **changes))


DEFAULT = {"TOEFLEdmSoap": [("1.1", ADDRESS)]}
BOTH = {**DEFAULT, "TOEFLEdmSoap12": [("1.2", ADDRESS)]}


class TestRender:
    def test_the_default_has_the_soap_11_port_alone(self) -> None:
        assert ports(served.render(calls.WSDL, ADDRESS, all_ports=False)) == DEFAULT

    def test_all_ports(self) -> None:
        assert ports(served.render(calls.WSDL, ADDRESS, all_ports=True)) == BOTH

    def test_a_service_of_soap_12_alone_keeps_its_port(self, tmp_path: Path) -> None:
        text = calls.WSDL.read_text(encoding="utf-8")
        before, port, rest = text.partition('<wsdl:port name="TOEFLEdmSoap" ')
        path, _ = calls.written(tmp_path, before + rest.partition("</wsdl:port>")[2])
        assert port
        assert ports(served.render(path, ADDRESS, all_ports=False)) == {"TOEFLEdmSoap12": [("1.2", ADDRESS)]}

    def test_an_address_is_escaped(self) -> None:
        address = 'https://scores.example.edu/a?b=1&c="<>'
        assert ports(served.render(calls.WSDL, address, all_ports=False)) == {"TOEFLEdmSoap": [("1.1", address)]}

    def test_all_else_is_as_the_operator_wrote_it(self) -> None:
        def without_ports(data: bytes) -> str:
            root = etree.fromstring(data)
            for service in list(root.iter("{http://schemas.xmlsoap.org/wsdl/}service")):
                root.remove(service)
            canonical: str = etree.canonicalize(etree.tostring(root, encoding="unicode"), strip_text=True)
            return canonical

        assert without_ports(served.render(calls.WSDL, ADDRESS, all_ports=True)) == without_ports(
            calls.WSDL.read_bytes()
        )

    @pytest.mark.parametrize("all_ports", [False, True])
    def test_zeep_reads_it(self, tmp_path: Path, all_ports: bool) -> None:
        path = tmp_path / "served.wsdl"
        path.write_bytes(served.render(calls.WSDL, ADDRESS, all_ports=all_ports))
        (service,) = Client(str(path)).wsdl.services.values()
        assert list(service.ports) == list(BOTH if all_ports else DEFAULT)
        for port in service.ports.values():
            assert port.binding_options["address"] == ADDRESS
            assert "GetScores" in port.binding.all()


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
        assert (reply.code, reply.headers["Content-Type"]) == (HTTPStatus.OK, "text/plain; charset=utf-8")
        assert f"{ADDRESS}?wsdl" in reply.body.decode()

    @pytest.mark.parametrize("query", ["wsdl", ""])
    def test_head_has_the_headers_of_get(self, query: str) -> None:
        got, head = get(query), get(query, "HEAD")
        assert head.body == b""
        assert head.headers["Content-Length"] == str(len(got.body))
        assert head.headers["Content-Type"] == got.headers["Content-Type"]

    @pytest.mark.parametrize("query", ["wsdl", "", "wsdl&ports=all"])
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
        reply = calls.send(PAGES.wsdl, calls.request(b"", method, QUERY_STRING=query))
        assert reply.code == HTTPStatus.OK
        assert (method == "HEAD" and not reply.body) or ports(reply.body) == expected

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_other_methods(self, method: str) -> None:
        reply = calls.send(PAGES.wsdl, calls.request(b"", method))
        assert (reply.code, reply.slug) == (405, "method")


PLAIN_PORT = '<w:port name="Plain" binding="t:Bound"><h:address location="http://old.example/"/></w:port>'
XSD = '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:{}">{}</x:schema>'


def imported(namespace: str, place: str) -> str:
    return f'<x:import namespace="urn:{namespace}" schemaLocation="{place}"/>'


class TestPorts:
    @pytest.mark.parametrize("all_ports", [False, True])
    def test_plain_http_ports_are_left_out(self, tmp_path: Path, all_ports: bool) -> None:
        path, _ = calls.written(tmp_path, wsdls.wsdl(ports=PLAIN_PORT))
        rendered = served.render(path, ADDRESS, all_ports=all_ports)
        assert ports(rendered) == {"Port": [("1.1", ADDRESS)]}
        assert b"old.example" not in rendered


class TestImports:
    def test_the_shipped_one_has_none(self) -> None:
        assert served.imports(calls.WSDL) == {}

    def test_files_of_files_and_in_a_circle(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        files = {
            "sub/a.xsd": XSD.format("a", imported("b", "b.xsd")),
            "sub/b.xsd": XSD.format("b", imported("a", "./a.xsd") + imported("c", "../c.xsd")),
            "c.xsd": XSD.format("c", ""),
        }
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        path, _ = calls.written(tmp_path, wsdls.wsdl(wsdls.schema(imported("a", "sub/a.xsd") + wsdls.wrapped())))
        assert served.imports(path) == {name: text.encode() for name, text in files.items()}

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_they_are_served(self, method: str) -> None:
        reply = calls.send(partial(served.document, b"<a/>"), calls.request(b"", method))
        assert (reply.code, reply.headers["Content-Type"]) == (HTTPStatus.OK, "text/xml; charset=utf-8")
        assert reply.body == (b"" if method == "HEAD" else b"<a/>")

    def test_other_methods(self) -> None:
        reply = calls.send(partial(served.document, b"<a/>"), calls.request(b""))
        assert (reply.code, reply.slug) == (405, "method")
