"""A WSDL: read or refused with a reason, and what is read can be served."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from lxml import etree

from shim.contracts import description, served_wsdl
from shim.contracts.contract import Contract
from shim.contracts.description import DescriptionError, OperationDescription
from shim.contracts.mapping import OperationMapping
from shim.contracts.operation import Operation
from shim.contracts.service import LegacyService
from tests.fuzz import mutation
from tests.fuzz.inputs import expanded

_WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
_SOAP: Final = "http://schemas.xmlsoap.org/wsdl/soap/"
_SCHEMA: Final = "http://www.w3.org/2001/XMLSchema"
_WSDL_NAMES: Final = (
    *("definitions", "types", "message", "part", "portType", "operation", "input", "output", "binding", "service"),
    *("port", "fault", "import", "documentation"),
)
_SCHEMA_NAMES: Final = (
    *("schema", "element", "complexType", "simpleType", "sequence", "all", "choice", "any", "attribute", "extension"),
    *("group", "restriction", "complexContent", "simpleContent", "import", "include", "enumeration", "list", "union"),
)
_NAMES: Final = (
    *(f"{{{_WSDL}}}{name}" for name in _WSDL_NAMES),
    *(f"{{{_SCHEMA}}}{name}" for name in _SCHEMA_NAMES),
    *(
        f"{{{soap}}}{name}"
        for soap in (_SOAP, f"{_SOAP[:-1]}12/")
        for name in ("binding", "operation", "body", "address")
    ),
)
_VALUES: Final = (
    *("GetScores", "tns:GetScores", "tns:GetScoresResponse", "s:string", "s:base64Binary", "s:dateTime", "tns:In", ""),
    *(
        "literal",
        "encoded",
        "rpc",
        "document",
        "unbounded",
        "0",
        "1",
        "qualified",
        "unqualified",
        "tns:nothing",
        "s:int",
    ),
    *("legacy.wsdl", "../legacy.wsdl", "/etc/hostname", "http://127.0.0.1:9/a.xsd", "https://ets.org/edm/webservices/"),
)
_ATTRIBUTES: Final = (
    *("name", "type", "element", "message", "binding", "use", "style", "minOccurs", "maxOccurs", "ref", "base"),
    *("location", "schemaLocation", "namespace", "targetNamespace", "elementFormDefault", "soapAction", "transport"),
    *("nillable", "form", "default", "fixed", "abstract", "substitutionGroup", "parts", "parameterOrder"),
)
WORDS: Final = tuple(
    word.encode() for word in (*_VALUES, *_ATTRIBUTES, *_WSDL_NAMES, *_SCHEMA_NAMES, "<!DOCTYPE a [", "&a;")
)

_FOLDERS: Final[list[tempfile.TemporaryDirectory[str]]] = []


@cache
def _path() -> Path:
    """A file to write to, gone with the process."""
    _FOLDERS.append(tempfile.TemporaryDirectory(prefix="toefl-shim-fuzz-"))
    return Path(_FOLDERS[-1].name) / "legacy.wsdl"


def run(data: bytes) -> None:
    """A file."""
    path = _path()
    path.write_bytes(expanded(data))
    try:
        described = description.read(path)
    except DescriptionError as error:
        assert str(error).startswith(f"{path}: ")
        return
    for name, one in described.items():
        assert name == one.name
        _check(one)
    unavailable = OperationMapping(unavailable="it is not.")
    LegacyService(Contract({name: Operation(one, unavailable) for name, one in described.items()}))
    for all_ports in (True, False):
        etree.fromstring(served_wsdl.render(path, "http://127.0.0.1/", all_ports=all_ports))


def _check(one: OperationDescription) -> None:
    assert one.name
    assert one.request.local
    assert one.result_type in ("base64Binary", "string")
    assert one.result_path or one.unservable
    assert all(name.local for name in one.result_path)
    assert all(name and kind for name, kind in one.parameters.items())


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Change the WSDL as XML."""
    return mutation.changed(data, most, seed, mutation.Words(_NAMES, _VALUES, _ATTRIBUTES)) or b""
