"""The credentials that a call carries: in its body, in a UsernameToken of its envelope, and in HTTP Basic."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from lxml import etree

from shim import errors
from shim.access.presented import Credentials, Digest, Plain, basic
from shim.contracts.dates import to_utc
from shim.contracts.mapping import Meaning
from shim.wire.dialect import WSSE
from shim.wire.envelope import text_of

_WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_PROFILE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#"
_LONGEST: Final = 1024


def offered(
    authorization: str, security: Sequence[etree._Element], meaning: Meaning, values: Mapping[str, str | None]
) -> tuple[Credentials, ...]:
    """All credentials of a call.

    Args:
        authorization: The Authorization header.
        security: The WS-Security headers.
        meaning: What the operation's parameters mean.
        values: The parameters, by name.

    Raises:
        CallerError: Some are there, but not as they should be.
    """
    try:
        found = (*_of_body(meaning, values), *_of_token(security), *_of_basic(authorization))
    except ValueError as error:
        raise errors.NOT_AUTHENTICATED.error(note=f"malformed credentials: {error}") from error
    return found


def _of_body(meaning: Meaning, values: Mapping[str, str | None]) -> Iterator[Plain]:
    if meaning.credentials is not None:
        user, password = (values.get(name) for name in meaning.credentials)
        if user is not None or password is not None:
            yield _plain(user or "", password or "")


def _of_basic(authorization: str) -> Iterator[Plain]:
    found = basic(authorization)
    if found is not None:
        yield _plain(found.user, found.password)


def _of_token(security: Sequence[etree._Element]) -> Iterator[Credentials]:
    tokens = [token for header in security for token in header.iterfind(f"{{{WSSE}}}UsernameToken")]
    if len(tokens) > 1:
        raise ValueError("two UsernameTokens")
    for token in tokens:
        password = token.find(f"{{{WSSE}}}Password")
        user = _text(token, f"{{{WSSE}}}Username")
        if password is None:
            raise ValueError("a UsernameToken without a password")
        # Without a type it is text (UsernameToken Profile 1.1 §3.1).
        kind = password.get("Type", f"{_PROFILE}PasswordText").removeprefix(_PROFILE)
        if kind == "PasswordText":
            yield _plain(user, text_of(password))
        elif kind == "PasswordDigest":
            yield _digest(token, user, text_of(password))
        else:
            raise ValueError("a UsernameToken with another kind of password")


def _digest(token: etree._Element, user: str, digest: str) -> Digest:
    # The digest is of nonce and time in a row: white space before the time could be moved to the nonce's end, or back,
    # and the same digest would count twice.
    created = _text(token, f"{{{_WSU}}}Created").strip()
    nonce = _decoded(_text(token, f"{{{WSSE}}}Nonce"))
    if not nonce:
        raise ValueError("a digest without a nonce")
    _check_length(user, created, digest)
    return Digest(user, _decoded(digest), nonce, created, _moment(created))


def _moment(created: str) -> datetime:
    try:
        return to_utc(created, ("ISO 8601",), "start")
    except ValueError:
        # What datetime says of a date holds parts of it.
        raise ValueError("a time that is none") from None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise ValueError("a nonce or digest that is not base64") from error


def _text(token: etree._Element, name: str) -> str:
    found = token.find(name)
    return "" if found is None else text_of(found)


def _plain(user: str, password: str) -> Plain:
    _check_length(user, password)
    return Plain(user, password)


def _check_length(*texts: str) -> None:
    if any(len(text) > _LONGEST for text in texts):
        raise ValueError("longer than any is")
