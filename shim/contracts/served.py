"""The WSDL as clients get it: the operator's file with this gateway's address, and the files that it imports."""

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
    """Read a WSDL and put an address into its ports.

    Args:
        path: The WSDL.
        address: Where clients call the service.
        all_ports: Keep the SOAP 1.2 ports. With both, the class that svcutil makes
            for .NET cannot be created without naming a port, so by default they
            are left out wherever there is one for SOAP 1.1.
    """
    document = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True))
    for service in document.iter(f"{_WSDL}service"):
        by_version: dict[str, list[etree._Element]] = {_ADDRESS_11: [], _ADDRESS_12: []}
        for port in service.findall(f"{_WSDL}port"):
            soap_address = next((child for child in port if child.tag in by_version), None)
            if soap_address is None:
                service.remove(port)  # ASMX offered plain GET and POST besides, which nobody answers here
            else:
                soap_address.set("location", address)
                by_version[str(soap_address.tag)].append(port)
        if by_version[_ADDRESS_11] and not all_ports:
            for port in by_version[_ADDRESS_12]:
                service.remove(port)
    return etree.tostring(document, encoding="utf-8", xml_declaration=True)


def imports(path: Path) -> dict[str, bytes]:
    """The files that a WSDL imports from its own folder, by their paths relative to it, as clients ask for them."""
    found: dict[str, bytes] = {}
    waiting = [path.name]
    while waiting:
        name = waiting.pop()
        body = (path.parent / name).read_bytes()
        if name != path.name:
            found[name] = body
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        locations = (element.get("schemaLocation") or element.get("location") for element in root.iter(*_IMPORTS))
        named = {
            posixpath.normpath(posixpath.join(posixpath.dirname(name), location)) for location in locations if location
        }
        waiting += named - found.keys() - {path.name}
    return found
