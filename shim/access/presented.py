"""What a request presents to authenticate its caller."""

from dataclasses import dataclass

from shim.access.source import Source
from shim.wire.credentials import Credentials


@dataclass(frozen=True, slots=True)
class PresentedCredentials:
    """All that a request presents.

    Attributes:
        source: Where the request comes from, with the client's certificate.
        credentials: Every user name with a password or digest, from HTTP, the envelope's headers and the body.
    """

    source: Source
    credentials: tuple[Credentials, ...]
