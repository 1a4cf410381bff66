"""The discovery document, as ASMX has it at ``?disco``: where the WSDL of a service and its ports are."""

from typing import Final
from xml.sax.saxutils import quoteattr

from lxml import etree

from shim.wire.namespaces import XSD, XSI

_WSDL: Final = "{http://schemas.xmlsoap.org/wsdl/}"
_DISCO: Final = "http://schemas.xmlsoap.org/disco/"


def render(wsdl: bytes, address: str) -> bytes:
    """Return the discovery document of a service, in UTF-8.

    Args:
        wsdl: The WSDL as clients get it.
        address: Where clients call the service.
    """
    root = etree.fromstring(wsdl, etree.XMLParser(resolve_entities=False, no_network=True))
    ports = "".join(_soap(port, address) for port in root.iter(f"{_WSDL}port"))
    contract = f"ref={quoteattr(f'{address}?wsdl')} docRef={quoteattr(address)}"
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<discovery xmlns:xsd="{XSD}" xmlns:xsi="{XSI}" xmlns="{_DISCO}">'
        f'<contractRef {contract} xmlns="{_DISCO}scl/" />{ports}</discovery>'
    ).encode()


def _soap(port: etree._Element, address: str) -> str:
    prefix, _, name = str(port.get("binding")).rpartition(":")
    namespace = quoteattr(port.nsmap.get(prefix or None) or "")
    binding = f"xmlns:q1={namespace} binding={quoteattr(f'q1:{name}')}"
    return f'<soap address={quoteattr(address)} {binding} xmlns="{_DISCO}soap/" />'
