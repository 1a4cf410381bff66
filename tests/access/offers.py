"""What callers offer as proof of who they are."""

import base64
import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final

from argon2 import PasswordHasher

from shim.access.presented import PresentedCredentials
from shim.access.source import Source
from shim.wire.credentials import Credentials, PasswordDigest, PasswordText

WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
PROFILE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#"

USER: Final = "registrar"
SECRET: Final = "synthetic-s€cret-1"
OWN_USER: Final = "import"
OWN_PASSWORD: Final = "synthetic-pässword-2"
PLANTED: Final = (SECRET, OWN_PASSWORD)
"""What no log, fault, representation or process argument may hold."""

# The cheapest that argon2 can do: what is tested is that it is asked, not how slow it is.
HASHER: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
OWN_HASH: Final = HASHER.hash(OWN_PASSWORD)

_nonces = itertools.count()


def now(offset: timedelta = timedelta()) -> str:
    """The time, as a UsernameToken has it."""
    return (datetime.now(UTC) + offset).strftime("%Y-%m-%dT%H:%M:%SZ")


def digest_of(password: str, nonce: bytes, created: str) -> bytes:
    """WS-Security UsernameToken Profile 1.1 §3.1."""
    return hashlib.sha1(nonce + created.encode() + password.encode()).digest()  # noqa: S324 - the profile's


def digest(
    user: str = USER, password: str = SECRET, *, late: timedelta = timedelta(), nonce: bytes | None = None
) -> PasswordDigest:
    """A digest that was made so late."""
    created = now(-late)
    fresh = b"nonce-%d" % next(_nonces) if nonce is None else nonce
    moment = datetime.fromisoformat(created).replace(tzinfo=None)
    return PasswordDigest(user, digest_of(password, fresh, created), fresh, created, moment)


def proof(
    *credentials: Credentials, address: str = "192.0.2.1", relayed: bool = False, certificate: str = ""
) -> PresentedCredentials:
    """What a request offers."""
    source = Source(ip_address(address) if address else None, relayed, certificate)
    return PresentedCredentials(source, credentials)


def basic_header(user: str = USER, password: str = SECRET, encoding: str = "utf-8") -> str:
    """The Authorization header of HTTP Basic."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode(encoding)).decode()


def text_token(user: str = USER, password: str = SECRET, kind: str = "PasswordText") -> str:
    """A WS-Security header with a UsernameToken."""
    attribute = f' Type="{PROFILE}{kind}"' if kind else ""
    return security(f"<Username>{user}</Username><Password{attribute}>{password}</Password>")


def digest_token(
    user: str = USER, password: str = SECRET, *, late: timedelta = timedelta(), nonce: bytes | None = None
) -> str:
    """The same, with a digest."""
    made = digest(user, password, late=late, nonce=nonce)
    return digest_element(made.user, base64.b64encode(made.digest), base64.b64encode(made.nonce), made.created)


def digest_element(user: str, password: bytes, nonce: bytes, created: str) -> str:
    """The same, of parts that are already encoded."""
    return security(
        f'<Username>{user}</Username><Password Type="{PROFILE}PasswordDigest">{password.decode()}</Password>'
        f'<Nonce>{nonce.decode()}</Nonce><Created xmlns="{WSU}">{created}</Created>'
    )


def security(*tokens: str) -> str:
    """A WS-Security header around the content of UsernameTokens."""
    inner = "".join(f"<UsernameToken>{token}</UsernameToken>" for token in tokens)
    return f'<Security xmlns="{WSSE}">{inner}</Security>'


def plain(user: str = USER, password: str = SECRET) -> PasswordText:
    """A user name and a password."""
    return PasswordText(user, password)
