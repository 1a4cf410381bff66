"""The two versions of WS-Addressing that SOAP clients send."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Addressing:
    """A version of WS-Addressing.

    Attributes:
        namespace: The namespace of its headers.
        anonymous: The reply address that stands for the HTTP response itself.
        fault_action: The action of a fault.
    """

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
"""The versions by their namespaces."""
