"""The credentials in a request: HTTP Basic, a WS-Security UsernameToken, and two parameters in the body."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from shim import errors
from shim.wire import xsd
from shim.wire.dialect import Version
from shim.wire.elements import text_of
from shim.wire.namespaces import WSSE, WSU

# A type of password is sent as the profile's URI, and by hand also as wsse:PasswordText or as its name alone.
_BEFORE_TYPE: Final = re.compile(r".*[#:]", re.DOTALL)
_MARKS: Final = tuple(f"{{{version.namespace}}}mustUnderstand" for version in Version)
_LONGEST: Final = 1024
"""Characters of a user name, a password, a digest or a time."""

BodyPair = tuple[str | None, str | None]
"""The values of an operation's user name and password parameters; None for a parameter that was not sent."""


@dataclass(frozen=True, slots=True, repr=False)
class PasswordText:
    """A user name and a password as sent; without a repr, so that no log can show them.

    Attributes:
        user: The user name.
        password: The password.
    """

    user: str
    password: str

    def matches(self, user: str, password: str) -> bool:
        """Compare with the expected user name and password, in constant time."""
        return _are_equal(self.user, user) & _are_equal(self.password, password)


@dataclass(frozen=True, slots=True, repr=False)
class PasswordDigest:
    """A user name and the digest of a password (WS-Security UsernameToken Profile 1.1 §3.1); without a repr.

    Attributes:
        user: The user name.
        digest: SHA-1 of the nonce, the time and the password.
        nonce: The nonce.
        created: The time as sent.
        moment: The time in UTC, without a zone.
    """

    user: str
    digest: bytes
    nonce: bytes
    created: str
    moment: datetime

    def matches(self, user: str, password: str) -> bool:
        """Compare with the expected user name and password, in constant time."""
        expected = hashlib.sha1(self.nonce + self.created.encode() + password.encode())  # noqa: S324 - the profile's
        return _are_equal(self.user, user) & hmac.compare_digest(self.digest, expected.digest())


Credentials = PasswordText | PasswordDigest


def read(authorization: str, security: Sequence[etree._Element], body: BodyPair | None) -> tuple[Credentials, ...]:
    """Read all credentials of a request.

    Args:
        authorization: The Authorization header; empty for none.
        security: The WS-Security headers of the envelope.
        body: The values of the operation's credential parameters; None if it has no such parameters.

    Returns:
        The credentials in the body, in a UsernameToken and in HTTP Basic, in this order, as far as they were sent. A
        user name without a password is not presented: it cannot be right, and ASMX did not call it wrong.

    Raises:
        CallerError: Some credentials are malformed.
    """
    try:
        return (*_from_body(body), *_from_tokens(security), *_from_authorization(authorization))
    except ValueError as error:
        raise errors.NOT_AUTHENTICATED.error(note=f"malformed credentials: {error}") from error


def _from_body(body: BodyPair | None) -> Iterator[PasswordText]:
    user, password = body or (None, None)
    if password:
        yield _password_text(user or "", password)


def _from_authorization(authorization: str) -> Iterator[PasswordText]:
    """Read HTTP Basic (RFC 7617); credentials of other schemes are not the gateway's."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return
    raw = _decode(value, "an Authorization header that is not base64")
    # Old clients send Latin-1 and new ones UTF-8: bytes that are not UTF-8 are taken for Latin-1.
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    user, _, password = text.partition(":")
    if password:
        yield _password_text(user, password)


def _from_tokens(security: Sequence[etree._Element]) -> Iterator[Credentials]:
    tokens = [token for header in security for token in header.iterfind(f"{{{WSSE}}}UsernameToken")]
    if len(tokens) > 1:
        raise ValueError("two UsernameTokens")
    for token in tokens:
        password = token.find(f"{{{WSSE}}}Password")
        if password is not None and (text := text_of(password)):
            yield from _from_token(token, password.get("Type", ""), text)


def _from_token(token: etree._Element, kind: str, text: str) -> Iterator[Credentials]:
    user, name = _child_text(token, f"{{{WSSE}}}Username").strip(), _BEFORE_TYPE.sub("", kind).strip()
    if name == "PasswordDigest":
        yield _password_digest(token, user, text)
    elif name in ("PasswordText", ""):  # the default (UsernameToken Profile 1.1 §3.1)
        yield _password_text(user, text)
    elif _is_marked(token.getparent()):
        raise ValueError("a UsernameToken with an unknown type of password")


def _is_marked(header: etree._Element | None) -> bool:
    """Whether a header must be understood; ASMX ignored the others, whatever was in them."""
    return header is not None and any(xsd.is_true(header.get(mark, "")) for mark in _MARKS)


def _password_text(user: str, password: str) -> PasswordText:
    _check_length(user, password)
    return PasswordText(user, password)


def _password_digest(token: etree._Element, user: str, digest: str) -> PasswordDigest:
    # The digest is made of nonce and time in a row. If white space before the time counted, it could be moved to the
    # end of the nonce: the same digest would then be valid with two nonces, and a replay would not be seen.
    created = _child_text(token, f"{{{WSU}}}Created").strip()
    malformed = "a nonce or digest that is not base64"
    nonce = _decode(_child_text(token, f"{{{WSSE}}}Nonce"), malformed)
    if not nonce:
        raise ValueError("a digest without a nonce")
    _check_length(user, created, digest)
    return PasswordDigest(user, _decode(digest, malformed), nonce, created, _read_created(created))


def _read_created(created: str) -> datetime:
    try:
        moment = xsd.read_date_time(created)
    except ValueError:
        moment = None  # the text of the exception may hold a part of the value
    if moment is None:
        raise ValueError("a time that is not a date and time")
    return moment


def _decode(text: str, malformed: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except ValueError as error:  # binascii.Error, or characters beyond ASCII
        raise ValueError(malformed) from error


def _child_text(token: etree._Element, name: str) -> str:
    found = token.find(name)
    return "" if found is None else text_of(found)


def _check_length(*texts: str) -> None:
    if any(len(text) > _LONGEST for text in texts):
        raise ValueError(f"longer than {_LONGEST} characters")


def _are_equal(presented: str, expected: str) -> bool:
    # Hashes have one length, so the time does not show the length of the texts.
    return hmac.compare_digest(hashlib.sha256(presented.encode()).digest(), hashlib.sha256(expected.encode()).digest())
