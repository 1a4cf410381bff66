"""Credentials: what was put in comes out, what is malformed is refused, and no refusal repeats any of it."""

import base64
import hashlib
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from shim import errors
from shim.wire import credentials, envelope, xsd
from shim.wire.call import Call
from shim.wire.credentials import BodyPair, PasswordDigest, PasswordText
from shim.wire.dialect import Version
from shim.wire.elements import text_of
from shim.wire.namespaces import WSSE
from tests.fuzz import mutation
from tests.fuzz.inputs import Choices, expanded

_WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_PROFILE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#"
_LONGEST: Final = 1024
_KINDS: Final = frozenset({"", "PasswordText", "PasswordDigest"})
# All notes in the log about malformed credentials; none repeats a part of them.
_NOTES: Final = frozenset(
    f"malformed credentials: {reason}"
    for reason in (
        "two UsernameTokens",
        "a UsernameToken with an unknown type of password",
        "a digest without a nonce",
        "a nonce or digest that is not base64",
        "longer than 1024 characters",
        "an Authorization header that is not base64",
        "a time that is not a date and time",
    )
)
_NAMES: Final = (
    *(f"{{{WSSE}}}{name}" for name in ("Security", "UsernameToken", "Username", "Password", "Nonce", "a")),
    f"{{{_WSU}}}Created",
    "Username",
)
_VALUES: Final = (
    *("", " ", "registrar", "synthetic-s\u20accret", "bm9uY2U=", "YQ==", "a===", "Y Q==", "\u00e9", "a:b", "x" * 1025),
    *("2025-04-21T16:45:03Z", " 2025-04-21T16:45:03.5+02:00\n", "2025-04-21", "2025-02-30T00:00:00Z"),
    *(f"{_PROFILE}PasswordText", f"{_PROFILE}PasswordDigest", "PasswordDigest", "PasswordText"),
    *("wsse:PasswordText", "urn:other", "1", "true"),
)
_MARK: Final = f"{{{Version.SOAP_11.namespace}}}mustUnderstand"
_WORDS: Final = mutation.Words(_NAMES, _VALUES, ("Type", "EncodingType", f"{{{_WSU}}}Id", _MARK))
WORDS: Final = tuple(value.encode() for value in (*_VALUES, "Basic ", "basic ", "UsernameToken", "Password", "Nonce"))


def run(data: bytes) -> None:
    """Whether made or raw, what the operation means, lines of Authorization, user and password; then a token."""
    choices = Choices(data)
    made, has_pair = choices.number(2) == 1, choices.number(2) == 0
    lines = [choices.line() for _ in range(3)]
    user, password = (line.decode(errors="replace") for line in lines[1:])
    if made:
        _check_made(choices, lines[0], user, password)
        return
    authorization = lines[0].decode("latin-1")
    call = _called(b"<w:Security>" + expanded(choices.rest()) + b"</w:Security>")
    pair = ((user, password) if user or password else (None, None)) if has_pair else None
    security = call.security if call is not None else ()
    try:
        found = credentials.read(authorization, security, pair)
    except errors.CallerError as error:
        assert error.cause is errors.NOT_AUTHENTICATED
        assert not error.detail
        assert error.note in _NOTES, "a note says something of its own"
        return
    assert len(found) == _count(authorization, call, pair)
    for one in found:
        assert len(one.user) <= _LONGEST
        if isinstance(one, PasswordDigest):
            assert one.nonce
            assert one.moment == xsd.read_date_time(one.created)
            assert not one.matches(one.user, "synthetic") or one.digest
        else:
            assert len(one.password) <= _LONGEST
            assert one.matches(one.user, one.password)
            assert not one.matches(one.user, f"{one.password}.")
        assert one.user not in repr(one) or len(one.user) < 40


def _called(content: bytes) -> Call | None:
    """A call with a header, read as the gateway reads it."""
    head = f'<s:Envelope xmlns:s="{Version.SOAP_11.namespace}" xmlns:w="{WSSE}" xmlns:u="{_WSU}"><s:Header>'.encode()
    tail = b"</s:Header><s:Body><GetScores/></s:Body></s:Envelope>"
    try:
        return envelope.parse(head + content + tail, "text/xml; charset=utf-8").call()
    except errors.CallerError:
        return None


def _count(authorization: str, call: Call | None, pair: BodyPair | None) -> int:
    """How many credentials are presented; those without a password are not."""
    headers = () if call is None else call.security
    tokens = [token for header in headers for token in header.iterfind(f"{{{WSSE}}}UsernameToken")]
    passwords = [password for token in tokens for password in token.findall(f"{{{WSSE}}}Password")[:1]]
    known = [one for one in passwords if text_of(one) and _kind(one) in _KINDS]
    scheme, _, basic = authorization.partition(" ")
    by_http = scheme.lower() == "basic" and base64.b64decode(basic).partition(b":")[2]
    return len(known) + bool(by_http) + bool(pair is not None and pair[1])


def _kind(password: etree._Element) -> str:
    return password.get("Type", "").replace("#", ":").rpartition(":")[2].strip()


def _check_made(choices: Choices, nonce: bytes, user: str, password: str) -> None:
    """Credentials that are right come out as they were put in; those that are nearly right do not fit."""
    user, password = _told(user).strip(), _told(password) or "p"
    kind, created = choices.pick(("Text", "", "Digest")), choices.pick(("2025-04-21T16:45:03Z", "2025-04-21T16:45:03"))
    nonce = nonce or b"n"
    digest = hashlib.sha1(nonce + created.encode() + password.encode()).digest()  # noqa: S324 - the profile's
    value = base64.b64encode(digest).decode() if kind == "Digest" else escape(password)
    attribute = f' Type="{_PROFILE}Password{kind}"' if kind else ""
    call = _called(
        f"<w:Security><w:UsernameToken><w:Username>{escape(user)}</w:Username><w:Password{attribute}>{value}"
        f"</w:Password><w:Nonce> {base64.b64encode(nonce).decode()}\n</w:Nonce><u:Created>{created} </u:Created>"
        "</w:UsernameToken></w:Security>".encode()
    )
    assert call is not None
    colon = ":" in user
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    try:
        in_body, token, by_http = credentials.read(f"bAsIc {basic}", call.security, (user, password))
    except errors.CallerError:
        assert len(user) + len(password) >= _LONGEST  # together, for a colon in the one makes the other longer
        return
    assert in_body == PasswordText(user, password)
    assert by_http == PasswordText(user, password) or colon
    assert isinstance(token, PasswordDigest if kind == "Digest" else PasswordText)
    assert all(one.matches(user, password) for one in (in_body, token))
    assert not any(one.matches(f"{user}.", password) for one in (in_body, token, by_http))
    assert not any(one.matches(user, f"{password}.") for one in (in_body, token, by_http))


def _told(text: str) -> str:
    """What is left of a text in XML."""
    return "".join(one for one in text if one == "\t" or " " <= one < "\ud800" or "\ue000" <= one < "\ufffe")


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Change the token as XML."""
    choices = Choices(data)
    head = choices.take(2) + b"".join(choices.line() + b"\n" for _ in range(3))
    opening = f'<w:Security xmlns:w="{WSSE}" xmlns:u="{_WSU}">'.encode()
    content = opening + choices.rest() + b"</w:Security>"
    changed = mutation.changed(content, most, seed, _WORDS)
    if changed is None or not (changed.startswith(opening) and changed.endswith(b"</w:Security>")):
        return b""
    return head + changed[len(opening) : -len(b"</w:Security>")]
