"""Where a request comes from, and what a trusted proxy says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from shim.access.presented import Address

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Network = IPv4Network | IPv6Network

_OF_PROXIES = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP")
"""Headers that proxies add."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a request comes from.

    Attributes:
        address: The address; ``None`` for one that is none.
        relayed: Whether a proxy that is not trusted seems to have passed it on.
        certificate: Subject of the client's certificate; empty for none.
    """

    address: Address | None
    relayed: bool
    certificate: str


def source(environ: "WSGIEnvironment", trusted: Sequence[Network], certificate_header: str) -> Source:
    """Read it. Headers count only from a trusted proxy: anybody can send them.

    ``X-Forwarded-For`` is read from its end, where the nearest proxy writes, to the
    first address that is not a trusted proxy's.
    """
    peer = parse(environ.get("REMOTE_ADDR", ""))
    forwarded: str = environ.get("HTTP_X_FORWARDED_FOR", "")
    if peer is None or not is_in(peer, trusted):
        return Source(peer, any(name in environ for name in _OF_PROXIES), "")
    address: Address | None = peer
    for hop in reversed(forwarded.split(",") if forwarded else []):
        address = parse(hop.strip())
        if address is None or not is_in(address, trusted):
            break
    name = "HTTP_" + certificate_header.upper().replace("-", "_")
    return Source(address, relayed=False, certificate=environ.get(name, ""))


@lru_cache
def parse(text: str) -> Address | None:
    """An address, or ``None``; one of IPv4 within IPv6 is that of IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    """Whether an address is in one of the networks."""
    return any(address in network for network in networks)
