"""Where a request comes from, and what a trusted proxy says about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PROXY_HEADERS: Final = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP")
"""Headers that proxies add, by their names in a WSGI environment."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a request comes from.

    Attributes:
        address: The caller's address; ``None`` if it cannot be read.
        relayed: Whether a proxy that is not trusted seems to have passed the request on.
        certificate: Subject of the client's certificate, from a trusted proxy; empty for none.
    """

    address: Address | None
    relayed: bool = False
    certificate: str = ""


def read(environ: Mapping[str, Any], trusted: Sequence[Network], certificate_header: str) -> Source:
    """Read the source of a request. Headers count only from a trusted proxy: anybody can send them.

    ``X-Forwarded-For`` is read from its end, where the nearest proxy writes, to the
    first address that is not a trusted proxy's.

    Args:
        environ: The WSGI environment of the request.
        trusted: The networks of trusted proxies.
        certificate_header: The header with the subject of the client's certificate.
    """
    peer = parse(environ.get("REMOTE_ADDR", ""))
    forwarded: str = environ.get("HTTP_X_FORWARDED_FOR", "")
    if peer is None or not is_in(peer, trusted):
        return Source(peer, relayed=any(name in environ for name in _PROXY_HEADERS))
    address: Address | None = peer
    for hop in reversed(forwarded.split(",") if forwarded else []):
        address = parse(hop.strip())
        if address is None or not is_in(address, trusted):
            break
    name = "HTTP_" + certificate_header.upper().replace("-", "_")
    return Source(address, certificate=environ.get(name, ""))


@lru_cache
def parse(text: str) -> Address | None:
    """Return an address, or ``None`` for text that is none; IPv4 within IPv6 is returned as IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    """Return whether an address is in one of the networks."""
    return any(address in network for network in networks)
