"""The SOAP dialect of a caller, in which it must be answered."""

from dataclasses import dataclass
from enum import Enum

from shim.wire.addressing import Addressing


class Version(Enum):
    """A SOAP version.

    Attributes:
        namespace: The namespace of the envelope.
        media_type: The media type of a message.
        actor: The attribute that names the addressee of a header.
    """

    SOAP_11 = ("http://schemas.xmlsoap.org/soap/envelope/", "text/xml", "actor")
    SOAP_12 = ("http://www.w3.org/2003/05/soap-envelope", "application/soap+xml", "role")

    def __init__(self, namespace: str, media_type: str, actor: str) -> None:
        """Name the parts of the value."""
        self.namespace = namespace
        self.media_type = media_type
        self.actor = actor


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an answer takes over from its request.

    Attributes:
        version: The SOAP version of the envelope.
        encoding: Python's name of the encoding: ``utf-8``, ``utf-16le`` or ``utf-16be``.
        addressing: The version of WS-Addressing; None if the request has no MessageID.
        message_id: The MessageID of the request; empty for none.
    """

    version: Version = Version.SOAP_11
    encoding: str = "utf-8"
    addressing: Addressing | None = None
    message_id: str = ""

    @property
    def content_type(self) -> str:
        """The Content-Type of an answer."""
        # Mono's WCF decodes by this charset and expects the byte order mark that goes with it.
        charset = {"utf-16le": "utf-16", "utf-16be": "utf-16BE"}.get(self.encoding, self.encoding)
        return f"{self.version.media_type}; charset={charset}"
