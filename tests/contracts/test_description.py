import codecs
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from shim.contracts import description
from shim.contracts.description import DescriptionError, OperationDescription
from tests.contracts import wsdls
from tests.contracts.wsdls import NAMESPACE, PREFIXES, RESULT, TEXT, fields, schema, sequence, wrapped, wsdl
from tests.web import calls

SECONDS = 15
RPC = '<s:body use="literal" namespace="urn:rpc"/>'
ENCODED = '<s:body use="encoded" namespace="urn:rpc" encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"/>'
RPC_ASKED = "".join(f'<w:part name="{name}" type="x:{kind}"/>' for name, kind in TEXT.items())
RPC_ANSWERED = '<w:part name="FetchResult" type="x:string"/>'
PLAIN = (
    '<w:binding name="Plain" type="t:Port"><h:binding verb="{verb}"/><w:operation name="Fetch">'
    '<h:operation location="/Fetch"/><w:input>{input}</w:input><w:output><m:mimeXml part="Body"/></w:output>'
    "</w:operation></w:binding>"
)
GET = PLAIN.format(verb="GET", input="<h:urlEncoded/>")
POST = PLAIN.format(verb="POST", input='<m:content type="application/x-www-form-urlencoded"/>')
PLAIN_PORT = '<w:port name="Plain" binding="t:Plain"><h:address location="http://127.0.0.1:9/"/></w:port>'
PORT_12 = '<w:port name="Twelve" binding="t:Twelve"><s12:address location="http://127.0.0.1:9/"/></w:port>'
PART = f'<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:part">{RESULT}</x:schema>'


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "legacy.wsdl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder: Path, text: str | bytes) -> OperationDescription:
    (found,) = description.read(written(folder, text)).values()
    return found


@contextmanager
def bounded() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SECONDS


def refused(folder: Path, text: str | bytes) -> str:
    """Return why a WSDL is refused, without the path at the start of the message."""
    path = written(folder, text)
    with bounded(), pytest.raises(DescriptionError) as caught:
        description.read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def path_of(found: OperationDescription) -> list[str]:
    return [f"{{{name.namespace}}}{name.local}" if name.namespace else name.local for name in found.result_path]


def nested() -> str:
    request = f'<x:complexType name="Request"><x:sequence>{fields(TEXT)}</x:sequence></x:complexType>'
    data = '<x:complexType name="Data"><x:sequence><x:element name="Bytes" type="x:base64Binary"/></x:sequence>'
    return schema(
        request
        + f"{data}</x:complexType>"
        + sequence("Fetch", '<x:element name="request" type="t:Request"/>')
        + sequence("FetchResponse", '<x:element name="FetchResult" type="t:Data"/>')
    )


def bare() -> str:
    ask = f'<x:element name="Ask"><x:complexType><x:sequence>{fields(TEXT)}</x:sequence></x:complexType></x:element>'
    return wsdl(
        schema(f'{ask}<x:element name="Scores" type="x:base64Binary"/>'),
        asked='<w:part name="p" element="t:Ask"/>',
        answered='<w:part name="p" element="t:Scores"/>',
    )


def foreign() -> str:
    refs = {name: f'<x:element ref="o:{name}" xmlns:o="urn:other"/>' for name in (*TEXT, "Scores")}
    scores = refs.pop("Scores")
    elements = fields(TEXT).replace(' minOccurs="0"', "") + '<x:element name="Scores" type="x:string"/>'
    own = sequence("Fetch", "".join(refs.values())) + sequence("FetchResponse", scores)
    return wsdl(schema(f'<x:import namespace="urn:other"/>{own}') + schema(elements, namespace="urn:other"))


class TestShapes:
    @pytest.mark.parametrize(
        ("text", "request_name", "qualified", "path", "kind"),
        [
            pytest.param(
                wsdl(),
                ("Fetch", NAMESPACE),
                True,
                ["{urn:legacy}FetchResponse", "{urn:legacy}FetchResult"],
                "base64Binary",
                id="document/literal wrapped",
            ),
            pytest.param(bare(), ("Ask", NAMESPACE), True, ["{urn:legacy}Scores"], "base64Binary", id="bare"),
            pytest.param(
                wsdl("", style="rpc", body=RPC, asked=RPC_ASKED, answered=RPC_ANSWERED),
                ("Fetch", "urn:rpc"),
                False,
                ["{urn:rpc}FetchResponse", "FetchResult"],
                "string",
                id="rpc/literal",
            ),
            pytest.param(
                wsdl(nested()),
                ("Fetch", NAMESPACE),
                True,
                ["{urn:legacy}FetchResponse", "{urn:legacy}FetchResult", "{urn:legacy}Bytes"],
                "base64Binary",
                id="nested types",
            ),
            pytest.param(
                wsdl(schema(wrapped(), form="unqualified")),
                ("Fetch", NAMESPACE),
                False,
                ["{urn:legacy}FetchResponse", "FetchResult"],
                "base64Binary",
                id="unqualified",
            ),
            pytest.param(
                foreign(),
                ("Fetch", NAMESPACE),
                True,
                ["{urn:legacy}FetchResponse", "{urn:other}Scores"],
                "string",
                id="foreign namespace",
            ),
        ],
    )
    def test_it_is_described(  # noqa: PLR0913, PLR0917 - the table's columns
        self, tmp_path: Path, text: str, request_name: tuple[str, str], qualified: bool, path: list[str], kind: str
    ) -> None:
        found = read(tmp_path, text)
        assert (found.name, found.soap_action, found.unservable) == ("Fetch", "urn:legacy/Fetch", "")
        assert (found.request, found.qualified) == (request_name, qualified)
        assert found.parameters == TEXT
        assert list(found.parameters) == list(TEXT)
        assert (path_of(found), found.result_type) == (path, kind)

    def test_a_derived_type_counts_as_its_built_in_type(self, tmp_path: Path) -> None:
        derived = (
            '<x:simpleType name="Short"><x:restriction base="x:string"><x:maxLength value="9"/></x:restriction>'
            '</x:simpleType><x:simpleType name="Day"><x:restriction base="x:date"/></x:simpleType>'
        )
        asked = sequence("Fetch", '<x:element name="a" type="t:Day"/><x:element name="b" type="t:Short"/>')
        answered = sequence("FetchResponse", '<x:element name="FetchResult" type="t:Short"/>')
        found = read(tmp_path, wsdl(schema(derived + asked + answered)))
        assert found.parameters == {"a": "date", "b": "string"}
        assert (found.result_type, found.unservable) == ("string", "")

    @pytest.mark.parametrize("service", ["Registrar.Scores", "Registrar Scores", "Régistrar-Scores_1"])
    def test_any_name_of_the_service(self, tmp_path: Path, service: str) -> None:
        assert read(tmp_path, wsdl(service=service)).name == "Fetch"

    @pytest.mark.parametrize("name", ["Fetch.Scores", "fetch-scores", "Fetch_2", "Récupérer"])
    def test_any_name_of_the_operation(self, tmp_path: Path, name: str) -> None:
        found = read(tmp_path, wsdl(name=name))
        assert (found.name, found.request) == (name, (name, NAMESPACE))

    def test_the_default_of_the_action(self, tmp_path: Path) -> None:
        assert read(tmp_path, wsdl().replace(' soapAction="urn:legacy/Fetch"', "")).soap_action == "urn:legacyFetch"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
    def test_any_encoding(self, tmp_path: Path, encoding: str) -> None:
        declared = f'<?xml version="1.0" encoding="{encoding}"?>{wsdl(name="Récupérer")}'
        assert read(tmp_path, declared.encode(encoding)).name == "Récupérer"

    def test_a_byte_order_mark(self, tmp_path: Path) -> None:
        assert read(tmp_path, codecs.BOM_UTF8 + wsdl().encode()).name == "Fetch"

    def test_the_shipped_one(self) -> None:
        assert not [operation for operation in description.read(calls.WSDL).values() if operation.unservable]


class TestPorts:
    def test_both_soap_versions_of_one_operation(self, tmp_path: Path) -> None:
        body = '<s12:body use="literal"/>'
        twelve = wsdls.binding("Twelve", soap="s12", body=body, output_body=body)
        assert read(tmp_path, wsdl(bindings=twelve, ports=PORT_12)) == read(tmp_path, wsdl())

    @pytest.mark.parametrize("plain", [GET, POST], ids=["GET", "POST"])
    def test_asmx_bindings_for_plain_http_are_ignored(self, tmp_path: Path, plain: str) -> None:
        assert read(tmp_path, wsdl(bindings=plain, ports=PLAIN_PORT)) == read(tmp_path, wsdl())

    def test_plain_http_alone_is_nothing_to_serve(self, tmp_path: Path) -> None:
        text = wsdl().replace('binding="t:Bound"', 'binding="t:Plain"').replace("<s:address", "<h:address")
        plain = text.replace(wsdls.binding(), GET)
        assert refused(tmp_path, plain) == "has no SOAP port with an operation: check that it is the service's WSDL"

    def other(self, name: str, port_type: str) -> tuple[str, str]:
        """Return the schema of another operation, and its messages, port type and binding."""
        part = '<w:message name="In2"><w:part name="parameters" element="t:Other"/></w:message>'
        ports = f'<w:portType name="{port_type}"><w:operation name="{name}">'
        messages = '<w:input message="t:In2"/><w:output message="t:Out"/></w:operation></w:portType>'
        bound = wsdls.binding("Bound2", name=name, port_type=port_type, action="urn:other")
        return schema(wrapped() + sequence("Other", fields(TEXT))), part + ports + messages + bound

    PORT_2 = '<w:port name="P2" binding="t:Bound2"><s:address location="http://127.0.0.1:9/"/></w:port>'

    def test_several_ports(self, tmp_path: Path) -> None:
        types, bound = self.other("Other", "Port2")
        found = description.read(written(tmp_path, wsdl(types, bindings=bound, ports=self.PORT_2)))
        assert [(name, operation.soap_action) for name, operation in found.items()] == [
            ("Fetch", "urn:legacy/Fetch"),
            ("Other", "urn:other"),
        ]

    def test_several_services(self, tmp_path: Path) -> None:
        types, bound = self.other("Other", "Port2")
        second = f'</w:service><w:service name="Second">{self.PORT_2}'
        assert list(description.read(written(tmp_path, wsdl(types, bindings=bound, ports=second)))) == [
            "Fetch",
            "Other",
        ]

    def test_ports_that_contradict_each_other(self, tmp_path: Path) -> None:
        types, bound = self.other("Fetch", "Port2")
        reason = refused(tmp_path, wsdl(types, bindings=bound, ports=self.PORT_2))
        assert reason == "two of its ports have different operations Fetch: remove one of the ports"


def result(content: str) -> str:
    return wsdl(schema(wrapped(result=content)))


ROWS = f"<x:complexType><x:sequence>{RESULT}</x:sequence></x:complexType>"
ATTACHED = (
    '<m:multipartRelated><m:part><s:body use="literal"/></m:part><m:part><m:content part="a" type="text/plain"/>'
    "</m:part></m:multipartRelated>"
)
NODE = '<x:complexType name="Node"><x:sequence><x:element name="n" type="t:Node" minOccurs="0"/></x:sequence>'


class TestUnservable:
    """An unservable operation is described too: a mapping can make it unavailable."""

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            pytest.param(
                wsdl("", style="rpc", body=ENCODED, asked=RPC_ASKED, answered=RPC_ANSWERED),
                "rpc/encoded messages are not supported: ask for a literal WSDL",
                id="rpc/encoded",
            ),
            pytest.param(
                wsdl("", style="rpc", body=RPC, output_body=ENCODED, asked=RPC_ASKED, answered=RPC_ANSWERED),
                "rpc/encoded messages are not supported",
                id="rpc/encoded answer",
            ),
            pytest.param(wsdl(output_body=ATTACHED), "an answer with an attachment is not supported", id="attachment"),
            pytest.param(
                result(RESULT + fields({"Count": "int"})), "the result is not one field but 2", id="several fields"
            ),
            pytest.param(result(""), "the result is not one field but 0", id="no field"),
            pytest.param(result("<x:any/>"), "the result is not one field but 0", id="anything"),
            pytest.param(
                result(RESULT.replace("minOccurs", 'maxOccurs="unbounded" minOccurs')),
                "the result is a list",
                id="list",
            ),
            pytest.param(
                result(f'<x:element name="Rows" maxOccurs="9">{ROWS}</x:element>'),
                "the result is a list",
                id="list of rows",
            ),
            pytest.param(result(fields({"FetchResult": "int"})), "the result is of type int: only", id="int"),
            pytest.param(
                result(fields({"FetchResult": "hexBinary"})), "the result is of type hexBinary", id="hexBinary"
            ),
            pytest.param(
                wsdl().replace('<w:output message="t:Out"/>', ""), "the operation has no answer", id="one way"
            ),
            pytest.param(
                wsdl(
                    schema(
                        f"{NODE}</x:complexType>"
                        + sequence("Fetch", fields(TEXT))
                        + sequence("FetchResponse", '<x:element name="n" type="t:Node"/>')
                    )
                ),
                "the result is not one field but",
                id="recursive",
            ),
        ],
    )
    def test_it_says_why(self, tmp_path: Path, text: str, reason: str) -> None:
        with bounded():
            found = read(tmp_path, text)
        assert found.unservable.startswith(reason)
        assert found.parameters == TEXT

    def test_one_among_others(self, tmp_path: Path) -> None:
        text = calls.WSDL.read_text(encoding="utf-8")
        number = text.replace('name="getEDIDataResult" type="s:base64Binary"', 'name="getEDIDataResult" type="s:int"')
        found = description.read(written(tmp_path, number))
        assert [name for name, operation in found.items() if operation.unservable] == ["getEDIData"]

    def test_an_encoded_binding_in_an_imported_file(self, tmp_path: Path) -> None:
        text = wsdl("", style="rpc", body=ENCODED, asked=RPC_ASKED, answered=RPC_ANSWERED)
        before, service = text.split("<w:service", 1)
        (tmp_path / "binding.wsdl").write_text(f"{before}</w:definitions>", encoding="utf-8")
        imports = f'<w:import namespace="{NAMESPACE}" location="binding.wsdl"/>'
        main = f'<w:definitions {PREFIXES} targetNamespace="{NAMESPACE}">{imports}<w:service{service}'
        assert read(tmp_path, main).unservable.startswith("rpc/encoded messages are not supported")

    def test_a_result_with_attributes_is_still_its_own_element(self, tmp_path: Path) -> None:
        content = (
            '<x:element name="FetchResult"><x:complexType><x:simpleContent><x:extension base="x:base64Binary">'
            '<x:attribute name="a" type="x:string"/></x:extension></x:simpleContent></x:complexType></x:element>'
        )
        found = read(tmp_path, result(content))
        assert (path_of(found), found.result_type) == (
            ["{urn:legacy}FetchResponse", "{urn:legacy}FetchResult"],
            "base64Binary",
        )


@pytest.fixture
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> NoReturn:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)


IMPORTS = pytest.mark.parametrize(
    "importing",
    [
        pytest.param(lambda place: wsdl(imports=f'<w:import namespace="urn:part" location="{place}"/>'), id="WSDL"),
        pytest.param(
            lambda place: wsdl(schema(f'<x:import namespace="urn:part" schemaLocation="{place}"/>{wrapped()}')),
            id="schema",
        ),
        pytest.param(lambda place: wsdl(schema(f'<x:include schemaLocation="{place}"/>{wrapped()}')), id="included"),
    ],
)


@pytest.mark.usefixtures("_no_network")
class TestImports:
    @IMPORTS
    @pytest.mark.parametrize(
        ("place", "named"),
        [
            pytest.param("http://127.0.0.1:9/part.xml", "http://127.0.0.1:9/part.xml", id="http"),
            pytest.param("https://127.0.0.1:9/part.xml", "https://127.0.0.1:9/part.xml", id="https"),
            pytest.param("ftp://127.0.0.1:9/part.xml", "part.xml", id="ftp"),
            pytest.param("part.xml", "part.xml", id="missing"),
            pytest.param("../part.xml", "part.xml", id="outside"),
            pytest.param("/etc/passwd", "/etc/passwd", id="absolute"),
            pytest.param("link.xml", "part.xml", id="a link that leads outside"),
            pytest.param("folder", "folder", id="a folder"),
        ],
    )
    def test_a_missing_import_is_named(self, tmp_path: Path, importing: object, place: str, named: str) -> None:
        folder = tmp_path / "wsdl"
        (folder / "folder").mkdir(parents=True)
        (tmp_path / "part.xml").write_text(PART, encoding="utf-8")
        (folder / "link.xml").symlink_to(tmp_path / "part.xml")
        assert callable(importing)
        reason = refused(folder, importing(place))
        assert reason.startswith("needs the file ")
        assert named in reason
        assert "which is not in its folder: save that file there too" in reason

    @pytest.mark.parametrize("place", ["part.xsd", "./part.xsd", "folder/part.xsd", "folder/../part.xsd"])
    def test_an_import_from_its_folder_is_read(self, tmp_path: Path, place: str) -> None:
        (tmp_path / "folder").mkdir()
        for path in (tmp_path / "part.xsd", tmp_path / "folder" / "part.xsd"):
            path.write_text(PART, encoding="utf-8")
        part = f'<x:import namespace="urn:part" schemaLocation="{place}"/>'
        answered = sequence("FetchResponse", '<x:element ref="p:FetchResult" xmlns:p="urn:part"/>')
        found = read(tmp_path, wsdl(schema(part + sequence("Fetch", fields(TEXT)) + answered)))
        assert path_of(found) == ["{urn:legacy}FetchResponse", "{urn:part}FetchResult"]

    def test_files_that_import_each_other(self, tmp_path: Path) -> None:
        for name, other in (("a", "b"), ("b", "a")):
            (tmp_path / f"{name}.xsd").write_text(
                f'<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:{name}">'
                f'<x:import namespace="urn:{other}" schemaLocation="{other}.xsd"/></x:schema>',
                encoding="utf-8",
            )
        part = '<x:import namespace="urn:a" schemaLocation="a.xsd"/>'
        with bounded():
            assert read(tmp_path, wsdl(schema(part + wrapped()))).parameters == TEXT

    def test_a_huge_import(self, tmp_path: Path) -> None:
        (tmp_path / "part.xsd").write_text(PART + " " * description.MAX_BYTES, encoding="utf-8")
        part = '<x:import namespace="urn:part" schemaLocation="part.xsd"/>'
        assert "part.xsd is larger than 2,097,152 bytes" in refused(tmp_path, wsdl(schema(part + wrapped())))


def chain(links: int, link: str, end: str) -> str:
    """Make types or groups, each of which refers to the next."""
    return "".join(link.format(number, number + 1) for number in range(links)) + end.format(links)


def called_with(types: str, content: str) -> str:
    return wsdl(schema(types + sequence("Fetch", content) + sequence("FetchResponse", RESULT)))


END = '<x:complexType name="T{}"><x:sequence><x:element name="z" type="x:string"/></x:sequence></x:complexType>'
TWICE = (
    '<x:complexType name="T{0}"><x:sequence><x:element name="a" type="t:T{1}"/><x:element name="b" type="t:T{1}"/>'
    "</x:sequence></x:complexType>"
)
ONCE = '<x:complexType name="T{0}"><x:sequence><x:element name="a" type="t:T{1}"/></x:sequence></x:complexType>'
GROUP_END = '<x:group name="g{}"><x:sequence><x:element name="z" type="x:string"/></x:sequence></x:group>'
GROUP = '<x:group name="g{0}"><x:sequence><x:group ref="t:g{1}"/><x:group ref="t:g{1}"/></x:sequence></x:group>'
T0 = '<x:element name="n" type="t:T0"/>'


class TestGraphs:
    @pytest.mark.parametrize(
        ("types", "content", "parameters"),
        [
            pytest.param(
                NODE.replace("<x:sequence>", f"<x:sequence>{fields({'v': 'string'})}") + "</x:complexType>",
                '<x:element name="n" type="t:Node"/>',
                {"v": "string"},
                id="type within itself",
            ),
            pytest.param(chain(40, TWICE, END), T0, {"z": "string"}, id="each type twice in the one before"),
            pytest.param(chain(60, ONCE, END), T0, {"z": "string"}, id="deep"),
            pytest.param(
                '<x:element name="n"><x:complexType><x:sequence><x:element ref="t:n" minOccurs="0"/></x:sequence>'
                "</x:complexType></x:element>",
                '<x:element ref="t:n"/>' + fields({"v": "string"}),
                {"v": "string"},
                id="element within itself",
            ),
        ],
    )
    def test_no_type_is_walked_twice(
        self, tmp_path: Path, types: str, content: str, parameters: dict[str, str]
    ) -> None:
        with bounded():
            assert read(tmp_path, called_with(types, content)).parameters == parameters

    @pytest.mark.parametrize(
        ("types", "content"),
        [
            pytest.param(
                '<x:simpleType name="S"><x:restriction base="t:S"/></x:simpleType>',
                '<x:element name="a" type="t:S"/>',
                id="simple type made from itself",
            ),
            pytest.param(
                '<x:group name="g"><x:sequence><x:group ref="t:g"/></x:sequence></x:group>',
                '<x:group ref="t:g"/>',
                id="group within itself",
            ),
            pytest.param(chain(3000, ONCE, END), T0, id="too deep"),
            pytest.param(chain(18, GROUP, GROUP_END), '<x:group ref="t:g0"/>', id="groups that double"),
        ],
    )
    def test_endless_types_are_refused(self, tmp_path: Path, types: str, content: str) -> None:
        assert "its types" in refused(tmp_path, called_with(types, content))


LAUGHS = (
    '<!DOCTYPE a [<!ENTITY e0 "ha">'
    + "".join(f'<!ENTITY e{number} "{f"&e{number - 1};" * 10}">' for number in range(1, 12))
    + "]>"
)


def documented(text: str) -> str:
    return wsdl(imports=f"<w:documentation>{text}</w:documentation>")


class TestHostile:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"hello", id="text"),
            pytest.param(b"\xff\xfe\x00\x80", id="bytes"),
            pytest.param(wsdl()[:-20], id="cut"),
            pytest.param("<a>" * 100_000, id="deep and open"),
            pytest.param("<a>" * 10_000 + "</a>" * 10_000, id="deep"),
            pytest.param("<!DOCTYPE a>" + wsdl(), id="DOCTYPE"),
            pytest.param('<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">' + wsdl(), id="DOCTYPE of the network"),
            pytest.param('<!DOCTYPE a [<!ENTITY e "x">]>' + documented("&e;"), id="entity"),
            pytest.param(
                '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + documented("&e;"), id="file entity"
            ),
            pytest.param(LAUGHS + documented("&e11;"), id="billion laughs"),
            pytest.param(LAUGHS + wsdl(service="&e11;"), id="billion laughs in an attribute"),
            pytest.param(result(RESULT.replace("x:base64Binary", "t:Nothing")), id="type that is not there"),
        ],
    )
    @pytest.mark.usefixtures("_no_network")
    def test_a_file_that_is_not_a_wsdl(self, tmp_path: Path, text: str | bytes) -> None:
        reason = refused(tmp_path, text)
        assert reason.startswith(("is not a WSDL", "has a DOCTYPE"))
        assert "hostname" not in reason

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("<html/>", id="HTML"),
            pytest.param('<description xmlns="http://www.w3.org/ns/wsdl"/>', id="WSDL 2.0"),
            pytest.param(f"<w:definitions {PREFIXES}/>", id="nothing in it"),
            pytest.param(wsdl().replace('binding="t:Bound"', 'binding="t:Nothing"'), id="binding that is not there"),
            pytest.param(f"{wsdl().split('<w:service')[0]}</w:definitions>", id="no service"),
        ],
    )
    def test_a_file_with_nothing_to_serve(self, tmp_path: Path, text: str) -> None:
        assert refused(tmp_path, text) == "has no SOAP port with an operation: check that it is the service's WSDL"

    def test_a_huge_file_is_not_read(self, tmp_path: Path) -> None:
        path = written(tmp_path, wsdl())
        os.truncate(path, 8 << 30)
        with bounded(), pytest.raises(DescriptionError, match=r"legacy\.wsdl is larger than 2,097,152 bytes"):
            description.read(path)

    def test_the_largest_file(self, tmp_path: Path) -> None:
        text = wsdl().encode()
        with bounded():
            assert read(tmp_path, text.ljust(description.MAX_BYTES)).name == "Fetch"
        assert "larger than" in refused(tmp_path, text.ljust(description.MAX_BYTES + 1))

    @pytest.mark.parametrize("name", ["nothing.wsdl", ""], ids=["not there", "a folder"])
    def test_a_file_that_is_not_there(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(DescriptionError, match="there is no such file"):
            description.read(tmp_path / name)

    def test_no_file_that_a_doctype_names_is_opened(self, tmp_path: Path) -> None:
        trap = tmp_path / "trap.dtd"
        os.mkfifo(trap)
        writer = os.open(trap, os.O_RDWR | os.O_NONBLOCK)
        done: list[str] = []
        text = f'<!DOCTYPE a SYSTEM "{trap}">{wsdl()}'
        reader = threading.Thread(target=lambda: done.append(refused(tmp_path, text)), daemon=True)
        try:
            reader.start()
            reader.join(3)
            assert done, "the parser waits for the file"
        finally:
            os.write(writer, b"<!ELEMENT a ANY>")
            os.close(writer)
            reader.join(3)
