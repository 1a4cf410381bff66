"""Who is calling, and may they?"""

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_network
from typing import Final

import gevent
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shim import errors
from shim.access.presented import Credentials, Digest, Plain, PresentedCredentials
from shim.access.replays import WINDOW, Replays
from shim.access.source import is_in
from shim.access.throttle import Throttle
from shim.config import CallerSettings
from shim.upstream.authcodes import Authcode, AuthcodeError, StoredAuthcode, private_text

_REMEMBERED: Final = 600.0
"""Seconds for which credentials that were right are not looked at anew."""
_MOST_REMEMBERED: Final = 1000
# Each takes 64 MiB; those who guess must not make the gateway run out of memory.
_HASHING: Final = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may call.

    Attributes:
        name: The name in the configuration.
        authcode: The stored authcode to use, or one made of the caller's own credentials.
    """

    name: str
    authcode: StoredAuthcode | Authcode


class Callers:
    """All who may call."""

    def __init__(
        self, entries: Sequence[CallerSettings], authcodes: Mapping[str, StoredAuthcode], replays: Replays
    ) -> None:
        """Take the entries of the configuration; the first that fits is the caller.

        Raises:
            AuthcodeError: The file with a caller's secret cannot be used.
        """
        self._rules = [_Rule(entry, authcodes.get(entry.authcode)) for entry in entries]
        self._replays = replays
        self._throttle = Throttle()
        self._passed = _Passed()

    def identify(self, proof: PresentedCredentials) -> Caller:
        """Tell who offers this proof.

        Raises:
            CallerError: Nobody who may call; it says nothing of which part is wrong.
        """
        # Who was right a moment ago, or offers nothing that could be a guess, is not locked out by others who guess
        # from the same address.
        if proof.credentials and not self._passed.has(_parts(proof)) and self._throttle.refuses(_source_of(proof)):
            raise errors.THROTTLED.error()
        # All rules are asked, whatever the first ones say, so that time tells nothing of who exists.
        found = [caller for caller in [rule.caller(proof) for rule in self._rules] if caller is not None]
        if not found:
            self._hash_for_nobody(proof)
        if not found or not self._is_fresh(proof):
            raise self.rejected(proof)
        if isinstance(found[0].authcode, StoredAuthcode):
            self.accepted(proof)
        return found[0]

    def accepted(self, proof: PresentedCredentials) -> None:
        """Remember that a proof was right."""
        self._passed.add(_parts(proof))

    def rejected(self, proof: PresentedCredentials) -> errors.GatewayError:
        """Count a failure, slow its source down, and give the error to raise."""
        if not proof.credentials:
            return errors.NO_CREDENTIALS.error()
        self._throttle.failed(_source_of(proof))
        return errors.NOT_AUTHENTICATED.error()

    def _hash_for_nobody(self, proof: PresentedCredentials) -> None:
        # A password is hashed also for a user that nobody is, so that time tells nothing of names.
        hashed = {rule.entry.user: rule.entry.password_hash for rule in self._rules if rule.entry.password_hash}
        for offered in proof.credentials:
            if hashed and isinstance(offered, Plain) and offered.user not in hashed:
                _hashes_to(offered.password, next(iter(hashed.values())))

    def _is_fresh(self, proof: PresentedCredentials) -> bool:
        return all(
            self._replays.is_new(offered.user, offered.nonce, offered.created)
            for offered in proof.credentials
            if isinstance(offered, Digest)
        )


class _Rule:
    """What one caller must offer: all of network, certificate and credentials that its entry names."""

    def __init__(self, entry: CallerSettings, authcode: StoredAuthcode | None) -> None:
        self.entry = entry
        self._authcode = authcode
        self._passed = _Passed()
        self._secret = secret_of(entry)

    def caller(self, proof: PresentedCredentials) -> Caller | None:
        """The caller, if that is who offers this."""
        entry = self.entry
        placed = not entry.networks or (proof.address is not None and is_in(proof.address, entry.networks))
        certified = hmac.compare_digest(proof.certificate.encode(), entry.certificate.encode()) or not entry.certificate
        local = not entry.anybody or (proof.address is not None and proof.address.is_loopback and not proof.relayed)
        authcode = self._authcode_for(proof.credentials)
        return Caller(entry.name, authcode) if placed and certified and local and authcode is not None else None

    def _authcode_for(self, offered: tuple[Credentials, ...]) -> StoredAuthcode | Authcode | None:
        if self.entry.credentials == "pass-through":
            return _made_of(offered)
        # Credentials that are offered must be right, also from who need not offer any.
        right = [self._is_right(one) for one in offered]
        return self._authcode if all(right) and (right or not self.entry.credentials) else None

    def _is_right(self, offered: Credentials) -> bool:
        if isinstance(offered, Digest) and abs(datetime.now(UTC).replace(tzinfo=None) - offered.moment) > WINDOW:
            return False
        if self.entry.credentials != "own":
            accepted = self._authcode.accepted if self._authcode is not None else ()
            # A list: all are compared, whichever fits.
            return any([offered.matches(*authcode.halves) for authcode in accepted])  # noqa: C419
        if self._secret:
            return offered.matches(self.entry.user, self._secret)
        return isinstance(offered, Plain) and self._is_own(offered)

    def _is_own(self, offered: Plain) -> bool:
        if not offered.matches(self.entry.user, offered.password):
            return False
        parts = ((offered.user, offered.password),)
        if self._passed.has(parts):
            return True
        right = _hashes_to(offered.password, self.entry.password_hash)
        if right:
            self._passed.add(parts)
        return right


_Parts = tuple[tuple[str, str], ...]


def _parts(proof: PresentedCredentials) -> _Parts:
    """What is remembered of credentials; a digest is never the same twice, so its user and address are."""
    return tuple(
        (one.user, one.password if isinstance(one, Plain) else f"digest from {proof.address}")
        for one in proof.credentials
    )


class _Passed:
    """Credentials that were right, as keyed digests in memory: argon2 runs once for a caller, not for each call."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def has(self, parts: _Parts) -> bool:
        return self._until.get(self._tag(parts), 0.0) > time.monotonic()

    def add(self, parts: _Parts) -> None:
        if parts:
            tag = self._tag(parts)
            self._until.pop(tag, None)  # so that it stands at the end, as the newest
            self._until[tag] = time.monotonic() + _REMEMBERED
            if len(self._until) > _MOST_REMEMBERED:
                self._until.popitem(last=False)

    def _tag(self, parts: _Parts) -> bytes:
        return hmac.digest(self._key, repr(parts).encode(), "sha256")


def secret_of(entry: CallerSettings) -> str:
    """Read a caller's own password, if it is kept in a file; empty where it is not.

    Raises:
        AuthcodeError: The file cannot be used.
    """
    if entry.secret_file is None:
        return ""
    try:
        secret = private_text(entry.secret_file).rstrip("\r\n")
    except AuthcodeError as error:
        raise AuthcodeError(f"secret of {entry.name!r} (file {entry.secret_file}) {error}") from None
    if not secret:
        raise AuthcodeError(f"secret of {entry.name!r} (file {entry.secret_file}) is empty")
    return secret


def _source_of(proof: PresentedCredentials) -> str:
    """What failures are counted by; whoever has an IPv6 address has all of its /64."""
    if isinstance(proof.address, IPv6Address):
        return str(ip_network((proof.address, 64), strict=False))
    return str(proof.address)


def _hashes_to(password: str, expected: str) -> bool:
    with _HASHING:  # in a thread, for it keeps a processor busy that other calls want
        return gevent.get_hub().threadpool.apply(_verified, (password, expected))


def _verified(password: str, expected: str) -> bool:
    try:
        return PasswordHasher().verify(expected, password)
    except (VerificationError, InvalidHashError):
        return False


def _made_of(offered: tuple[Credentials, ...]) -> Authcode | None:
    """The authcode whose halves were sent; a digest holds none."""
    sent = {(one.user, one.password) for one in offered if isinstance(one, Plain)}
    if len(sent) != 1 or not all(isinstance(one, Plain) for one in offered):
        return None
    try:
        return Authcode.of(*sent.pop())
    except AuthcodeError:
        return None
