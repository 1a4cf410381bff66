from pathlib import Path

import pytest
from lxml import etree
from zeep import Client

from shim.contracts import served_wsdl
from tests.contracts import wsdls
from tests.web import calls

ADDRESS = "https://scores.example.edu/TOEFLWebService/TOEFLEdm.asmx"
WSDL_SOAP = {
    "http://schemas.xmlsoap.org/wsdl/soap/": "1.1",
    "http://schemas.xmlsoap.org/wsdl/soap12/": "1.2",
}


def ports(body: bytes) -> dict[str, list[tuple[str, str]]]:
    """Return the SOAP versions and addresses of the ports, by name."""
    return {
        str(port.get("name")): [
            (WSDL_SOAP[str(etree.QName(child).namespace)], str(child.get("location"))) for child in port
        ]
        for port in etree.fromstring(body).iter("{http://schemas.xmlsoap.org/wsdl/}port")
    }


DEFAULT = {"TOEFLEdmSoap": [("1.1", ADDRESS)]}
BOTH = {**DEFAULT, "TOEFLEdmSoap12": [("1.2", ADDRESS)]}


class TestRender:
    def test_the_default_has_the_soap_11_port_alone(self) -> None:
        assert ports(served_wsdl.render(calls.WSDL, ADDRESS, all_ports=False)) == DEFAULT

    def test_all_ports(self) -> None:
        assert ports(served_wsdl.render(calls.WSDL, ADDRESS, all_ports=True)) == BOTH

    def test_a_service_of_soap_12_alone_keeps_its_port(self, tmp_path: Path) -> None:
        text = calls.WSDL.read_text(encoding="utf-8")
        before, port, rest = text.partition('<wsdl:port name="TOEFLEdmSoap" ')
        path, _ = calls.written(tmp_path, before + rest.partition("</wsdl:port>")[2])
        assert port
        assert ports(served_wsdl.render(path, ADDRESS, all_ports=False)) == {"TOEFLEdmSoap12": [("1.2", ADDRESS)]}

    def test_an_address_is_escaped(self) -> None:
        address = 'https://scores.example.edu/a?b=1&c="<>'
        assert ports(served_wsdl.render(calls.WSDL, address, all_ports=False)) == {"TOEFLEdmSoap": [("1.1", address)]}

    def test_the_rest_is_as_the_operator_wrote_it(self) -> None:
        def without_ports(data: bytes) -> str:
            root = etree.fromstring(data)
            for service in list(root.iter("{http://schemas.xmlsoap.org/wsdl/}service")):
                root.remove(service)
            canonical: str = etree.canonicalize(etree.tostring(root, encoding="unicode"), strip_text=True)
            return canonical

        assert without_ports(served_wsdl.render(calls.WSDL, ADDRESS, all_ports=True)) == without_ports(
            calls.WSDL.read_bytes()
        )

    @pytest.mark.parametrize("all_ports", [False, True])
    def test_zeep_reads_it(self, tmp_path: Path, all_ports: bool) -> None:
        path = tmp_path / "served.wsdl"
        path.write_bytes(served_wsdl.render(calls.WSDL, ADDRESS, all_ports=all_ports))
        (service,) = Client(str(path)).wsdl.services.values()
        assert list(service.ports) == list(BOTH if all_ports else DEFAULT)
        for port in service.ports.values():
            assert port.binding_options["address"] == ADDRESS
            assert "GetScores" in port.binding.all()


PLAIN_PORT = '<w:port name="Plain" binding="t:Bound"><h:address location="http://old.example/"/></w:port>'
XSD = '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:{}">{}</x:schema>'


def imported(namespace: str, place: str) -> str:
    return f'<x:import namespace="urn:{namespace}" schemaLocation="{place}"/>'


class TestPorts:
    @pytest.mark.parametrize("all_ports", [False, True])
    def test_plain_http_ports_are_left_out(self, tmp_path: Path, all_ports: bool) -> None:
        path, _ = calls.written(tmp_path, wsdls.wsdl(ports=PLAIN_PORT))
        rendered = served_wsdl.render(path, ADDRESS, all_ports=all_ports)
        assert ports(rendered) == {"Port": [("1.1", ADDRESS)]}
        assert b"old.example" not in rendered


class TestImports:
    def test_the_shipped_one_has_none(self) -> None:
        assert served_wsdl.imports(calls.WSDL) == {}

    def test_imports_of_imports_and_in_a_circle(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        files = {
            "sub/a.xsd": XSD.format("a", imported("b", "b.xsd")),
            "sub/b.xsd": XSD.format("b", imported("a", "./a.xsd") + imported("c", "../c.xsd")),
            "c.xsd": XSD.format("c", ""),
        }
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        path, _ = calls.written(tmp_path, wsdls.wsdl(wsdls.schema(imported("a", "sub/a.xsd") + wsdls.wrapped())))
        assert served_wsdl.imports(path) == {name: text.encode() for name, text in files.items()}
