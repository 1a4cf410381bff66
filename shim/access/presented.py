"""What a request offers as proof of who sends it."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address


@dataclass(frozen=True, slots=True, repr=False)
class Plain:
    """A user name and a password, as sent. It has no representation.

    Attributes:
        user: The user name.
        password: The password.
    """

    user: str
    password: str

    def matches(self, user: str, password: str) -> bool:
        """Compare in constant time."""
        return _same(self.user, user) & _same(self.password, password)


@dataclass(frozen=True, slots=True, repr=False)
class Digest:
    """A user name and the digest of a password (WS-Security UsernameToken Profile 1.1 §3.1). No representation.

    Attributes:
        user: The user name.
        digest: SHA-1 of the nonce, the time and the password.
        nonce: A number that its sender uses once.
        created: The time, as it was written.
        moment: The time, UTC without a zone.
    """

    user: str
    digest: bytes
    nonce: bytes
    created: str
    moment: datetime

    def matches(self, user: str, password: str) -> bool:
        """Compare in constant time."""
        expected = hashlib.sha1(self.nonce + self.created.encode() + password.encode())  # noqa: S324 - the profile's
        return _same(self.user, user) & hmac.compare_digest(self.digest, expected.digest())


Credentials = Plain | Digest
Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class PresentedCredentials:
    """All that a request offers.

    Attributes:
        address: Where it comes from; ``None`` when that is no address.
        relayed: Whether a proxy that is not trusted seems to have passed it on.
        certificate: Subject of the client's certificate, from a trusted proxy; empty for none.
        credentials: Every one that it carries, in its body, its headers or its envelope.
    """

    address: Address | None
    relayed: bool
    certificate: str
    credentials: tuple[Credentials, ...]


def basic(authorization: str) -> Plain | None:
    """Read the Authorization header of HTTP Basic (RFC 7617); ``None`` when it is something else.

    Raises:
        ValueError: It says Basic and is not.
    """
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        raw = base64.b64decode(value.strip(), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    # Old clients send Latin-1, new ones UTF-8; what is no UTF-8 is the former.
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    user, colon, password = text.partition(":")
    if not colon:
        raise ValueError("no colon")
    return Plain(user, password)


def _same(offered: str, expected: str) -> bool:
    # Of hashes, so that not even the length can be measured.
    return hmac.compare_digest(hashlib.sha256(offered.encode()).digest(), hashlib.sha256(expected.encode()).digest())
