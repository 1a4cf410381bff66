"""How a caller speaks SOAP, and so how it must be answered."""

import codecs
from dataclasses import dataclass
from enum import Enum
from typing import Final

MARKS: Final = {"utf-8": codecs.BOM_UTF8, "utf-16le": codecs.BOM_UTF16_LE, "utf-16be": codecs.BOM_UTF16_BE}
"""Byte order marks by Python's name of the encoding."""

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"


class Version(Enum):
    """A SOAP version: its namespace, media type, and the attribute that addresses a header."""

    SOAP_11 = ("http://schemas.xmlsoap.org/soap/envelope/", "text/xml", "actor")
    SOAP_12 = ("http://www.w3.org/2003/05/soap-envelope", "application/soap+xml", "role")

    def __init__(self, namespace: str, media_type: str, actor: str) -> None:
        """Name the parts of the value."""
        self.namespace = namespace
        self.media_type = media_type
        self.actor = actor


@dataclass(frozen=True, slots=True)
class Addressing:
    """A version of WS-Addressing."""

    namespace: str
    anonymous: str
    fault_action: str


ADDRESSING: Final = {
    version.namespace: version
    for version in (
        Addressing(
            "http://www.w3.org/2005/08/addressing",
            "http://www.w3.org/2005/08/addressing/anonymous",
            "http://www.w3.org/2005/08/addressing/fault",
        ),
        Addressing(
            "http://schemas.xmlsoap.org/ws/2004/08/addressing",
            "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous",
            "http://schemas.xmlsoap.org/ws/2004/08/addressing/fault",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a caller speaks, and so how it must be answered.

    Attributes:
        version: SOAP version of its envelope.
        encoding: Python's name of its encoding, ``utf-8`` or a UTF-16.
        addressing: Its version of WS-Addressing, when it named its message.
        message_id: The name that it gave its message.
    """

    version: Version = Version.SOAP_11
    encoding: str = "utf-8"
    addressing: Addressing | None = None
    message_id: str = ""

    @property
    def content_type(self) -> str:
        """The Content-Type of an answer."""
        # Mono's WCF decodes by this name and looks for the mark that goes with it.
        charset = {"utf-16le": "utf-16", "utf-16be": "utf-16BE"}.get(self.encoding, self.encoding)
        return f"{self.version.media_type}; charset={charset}"
