"""The WSDL as clients get it: the operator's file with the gateway's address, and the files that it imports."""

import posixpath
from pathlib import Path
from typing import Final

from lxml import etree

_WSDL: Final = "{http://schemas.xmlsoap.org/wsdl/}"
_ADDRESS_11: Final = "{http://schemas.xmlsoap.org/wsdl/soap/}address"
_ADDRESS_12: Final = "{http://schemas.xmlsoap.org/wsdl/soap12/}address"

_IMPORTS: Final = tuple(
    f"{{{namespace}}}{name}"
    for namespace in ("http://schemas.xmlsoap.org/wsdl/", "http://www.w3.org/2001/XMLSchema")
    for name in ("import", "include")
)


def render(path: Path, address: str, *, all_ports: bool) -> bytes:
    """Return a WSDL with an address in its ports.

    Args:
        path: The WSDL.
        address: The URL of the service.
        all_ports: Whether a service with SOAP 1.1 ports keeps its SOAP 1.2 ports. With both, a client that svcutil made
            for .NET must name a port, so by default only SOAP 1.1 is left.
    """
    document = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True))
    for service in document.iter(f"{_WSDL}service"):
        ports_11, ports_12 = _soap_ports(service, address)
        if ports_11 and not all_ports:
            for port in ports_12:
                service.remove(port)
    return etree.tostring(document, encoding="utf-8", xml_declaration=True)


def _soap_ports(service: etree._Element, address: str) -> tuple[list[etree._Element], list[etree._Element]]:
    """Set the address of the SOAP ports, remove the others, and return those of SOAP 1.1 and of SOAP 1.2."""
    by_version: dict[str, list[etree._Element]] = {_ADDRESS_11: [], _ADDRESS_12: []}
    for port in service.findall(f"{_WSDL}port"):
        soap_address = next((child for child in port if child.tag in by_version), None)
        if soap_address is None:
            service.remove(port)  # ASMX also offered plain GET and POST, which the gateway does not answer
        else:
            soap_address.set("location", address)
            by_version[str(soap_address.tag)].append(port)
    return by_version[_ADDRESS_11], by_version[_ADDRESS_12]


def imports(path: Path) -> dict[str, bytes]:
    """Return the files that a WSDL imports from its own folder, directly or not, by their paths relative to it."""
    found: dict[str, bytes] = {}
    waiting = [path.name]
    while waiting:
        name = waiting.pop()
        body = (path.parent / name).read_bytes()
        if name != path.name:
            found[name] = body
        waiting += _imported_by(name, body) - found.keys() - {path.name}
    return found


def _imported_by(name: str, body: bytes) -> set[str]:
    root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    locations = (element.get("schemaLocation") or element.get("location") for element in root.iter(*_IMPORTS))
    return {posixpath.normpath(posixpath.join(posixpath.dirname(name), location)) for location in locations if location}
