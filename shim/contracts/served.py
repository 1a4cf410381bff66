"""The WSDL as clients get it: the operator's file, with this gateway's address in it."""

import posixpath
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from lxml import etree

from shim import errors
from shim.web.exchange import Exchange

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_WSDL: Final = "{http://schemas.xmlsoap.org/wsdl/}"
_ADDRESS_11: Final = "{http://schemas.xmlsoap.org/wsdl/soap/}address"
_ADDRESS_12: Final = "{http://schemas.xmlsoap.org/wsdl/soap12/}address"

_TYPE: Final = "text/xml; charset=utf-8"
# ``?singleWsdl`` is what .NET asks for to get all in one file, which the WSDL is anyway.
_QUERIES: Final = frozenset({"wsdl", "singlewsdl"})
_IMPORTS: Final = tuple(
    f"{{{namespace}}}{name}"
    for namespace in ("http://schemas.xmlsoap.org/wsdl/", "http://www.w3.org/2001/XMLSchema")
    for name in ("import", "include")
)
_PAGE: Final = """\
This is the address of a SOAP service: {address}
Programs call it by POST. Its description is at {address}?wsdl
(with SOAP 1.2 as well: {address}?wsdl&ports=all).

It is temporary. It stands in for a service that was retired, and answers from
its successor, the TOEFL Access REST API: call that instead.
"""


class Pages:
    """What GET and HEAD find at a contract's addresses."""

    def __init__(self, path: Path, address: str) -> None:
        """Render the pages, once.

        Args:
            path: The WSDL.
            address: Where clients call the service.
        """
        self._default = render(path, address, all_ports=False)
        self._all_ports = render(path, address, all_ports=True)
        self._page = _PAGE.format(address=address).encode()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer at the address of the service: the WSDL for those who ask, a short page for people."""
        if _QUERIES & _query(environ).keys():
            return self.wsdl(environ, start_response)
        return Exchange(environ).page(self._page, "text/plain; charset=utf-8", start_response)

    def wsdl(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer at the WSDL's own address."""
        body = self._all_ports if _query(environ).get("ports") == ["all"] else self._default
        return document(body, environ, start_response)


def document(body: bytes, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer at the address of a WSDL, or of a file that it imports."""
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return Exchange(environ).fault(errors.METHOD.error(), start_response)
    return Exchange(environ).page(body, _TYPE, start_response)


def _query(environ: "WSGIEnvironment") -> dict[str, list[str]]:
    fields = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    return {name.lower(): values for name, values in fields.items()}


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
