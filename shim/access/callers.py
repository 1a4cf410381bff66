"""Which caller sends a request, and which authcode the request uses."""

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_network
from typing import Final, NoReturn

from shim import errors
from shim.access.passwords import PasswordChecker
from shim.access.presented import PresentedCredentials
from shim.access.replays import WINDOW, Replays
from shim.access.source import is_in
from shim.access.throttle import Throttle
from shim.config import CallerSettings
from shim.upstream.authcode import Authcode, AuthcodeError
from shim.upstream.secret_file import read_secret
from shim.upstream.stored_authcode import StoredAuthcode
from shim.wire.credentials import Credentials, PasswordDigest, PasswordText

_REMEMBERED: Final = 600.0
"""Seconds for which credentials that were right are not checked again."""
_MOST_REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller.

    Attributes:
        name: The name in the configuration.
        authcode: The stored authcode to use, or one made of the caller's own credentials.
    """

    name: str
    authcode: StoredAuthcode | Authcode


class Callers:
    """All configured callers."""

    def __init__(
        self,
        entries: Sequence[CallerSettings],
        authcodes: Mapping[str, StoredAuthcode],
        replays: Replays,
        passwords: PasswordChecker | None = None,
    ) -> None:
        """Take the callers of the configuration; the first that matches a request is its caller.

        Args:
            entries: The callers.
            authcodes: The stored authcodes, by name.
            replays: The nonces that were used.
            passwords: Checks callers' own passwords.

        Raises:
            AuthcodeError: The file with a caller's secret cannot be used.
        """
        self._passwords = passwords or PasswordChecker()
        self._rules = [_Rule(entry, authcodes.get(entry.authcode), self._passwords) for entry in entries]
        self._replays = replays
        self._throttle = Throttle()
        self._accepted = _AcceptedCredentials()

    def identify(self, presented: PresentedCredentials) -> Caller:
        """Return the caller.

        Raises:
            CallerError: The caller is not authenticated; the error does not say which part is wrong.
        """
        if self._is_throttled(presented):
            raise errors.THROTTLED.error()
        # All rules are asked, whatever the first ones say, so that the time does not show which callers exist.
        found = [caller for caller in [rule.match(presented) for rule in self._rules] if caller is not None]
        if not found:
            self._hash_for_unknown_users(presented)
        if not found or not self._is_fresh(presented):
            self.reject(presented)
        if isinstance(found[0].authcode, StoredAuthcode):
            self.accept(presented)
        return found[0]

    def accept(self, presented: PresentedCredentials) -> None:
        """Remember that credentials were right."""
        self._accepted.add(_key_parts(presented))

    def reject(self, presented: PresentedCredentials) -> NoReturn:
        """Count a failed log-on, slow its source down, and raise.

        Raises:
            CallerError: Always.
        """
        if not presented.credentials:
            raise errors.NO_CREDENTIALS.error()
        self._throttle.penalize(_throttled_as(presented))
        raise errors.NOT_AUTHENTICATED.error()

    def _is_throttled(self, presented: PresentedCredentials) -> bool:
        # Credentials that were right a moment ago, and requests without any, are not guesses: a caller must not be
        # locked out because others guess from the same address.
        may_be_a_guess = bool(presented.credentials) and not self._accepted.has(_key_parts(presented))
        return may_be_a_guess and self._throttle.refuses(_throttled_as(presented))

    def _hash_for_unknown_users(self, presented: PresentedCredentials) -> None:
        # A password is hashed for unknown users too, so that the time does not show which users exist.
        hashes = {rule.entry.user: rule.entry.password_hash for rule in self._rules if rule.entry.password_hash}
        for one in presented.credentials:
            if hashes and isinstance(one, PasswordText) and one.user not in hashes:
                self._passwords.is_right(one.password, next(iter(hashes.values())))

    def _is_fresh(self, presented: PresentedCredentials) -> bool:
        return all(
            self._replays.is_new(one.user, one.nonce, one.created)
            for one in presented.credentials
            if isinstance(one, PasswordDigest)
        )


class _Rule:
    """What one caller must present: the network, the certificate and the credentials that its entry names."""

    def __init__(self, entry: CallerSettings, authcode: StoredAuthcode | None, passwords: PasswordChecker) -> None:
        self.entry = entry
        self._authcode = authcode
        self._passwords = passwords
        self._accepted = _AcceptedCredentials()
        self._secret = secret_of(entry)

    def match(self, presented: PresentedCredentials) -> Caller | None:
        # Each part is checked, whatever the others say, so that the time does not show which one is wrong.
        is_placed = self._is_placed(presented)
        is_certified = self._is_certified(presented)
        authcode = self._authcode_for(presented.credentials)
        return Caller(self.entry.name, authcode) if is_placed and is_certified and authcode is not None else None

    def _is_placed(self, presented: PresentedCredentials) -> bool:
        entry, source = self.entry, presented.source
        if entry.networks and (source.address is None or not is_in(source.address, entry.networks)):
            return False
        is_local = source.address is not None and source.address.is_loopback and not source.relayed
        return is_local or not entry.anybody

    def _is_certified(self, presented: PresentedCredentials) -> bool:
        expected, certificate = self.entry.certificate, presented.source.certificate
        return hmac.compare_digest(certificate.encode(), expected.encode()) or not expected

    def _authcode_for(self, credentials: tuple[Credentials, ...]) -> StoredAuthcode | Authcode | None:
        if self.entry.credentials == "pass-through":
            return _authcode_of(credentials)
        # Presented credentials must be right, even where the caller need not present any.
        right = [self._is_right(one) for one in credentials]
        return self._authcode if all(right) and (right or not self.entry.credentials) else None

    def _is_right(self, one: Credentials) -> bool:
        if isinstance(one, PasswordDigest) and abs(datetime.now(UTC).replace(tzinfo=None) - one.moment) > WINDOW:
            return False
        if self.entry.credentials != "own":
            accepted = self._authcode.accepted if self._authcode is not None else ()
            # A list, so that all are compared whichever matches.
            return any([one.matches(*authcode.halves) for authcode in accepted])  # noqa: C419
        if self._secret:
            return one.matches(self.entry.user, self._secret)
        return isinstance(one, PasswordText) and self._has_own_password(one)

    def _has_own_password(self, one: PasswordText) -> bool:
        if not one.matches(self.entry.user, one.password):
            return False
        parts = ((one.user, one.password),)
        if self._accepted.has(parts):
            return True
        right = self._passwords.is_right(one.password, self.entry.password_hash)
        if right:
            self._accepted.add(parts)
        return right


_KeyParts = tuple[tuple[str, str], ...]


def _key_parts(presented: PresentedCredentials) -> _KeyParts:
    """Return what identifies credentials: a digest never comes twice, so its user and address stand for it."""
    return tuple(
        (one.user, one.password if isinstance(one, PasswordText) else f"digest from {presented.source.address}")
        for one in presented.credentials
    )


class _AcceptedCredentials:
    """Credentials that were right, as keyed digests in memory: Argon2 runs once for a caller, not for each call."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def has(self, parts: _KeyParts) -> bool:
        return self._until.get(self._tag(parts), 0.0) > time.monotonic()

    def add(self, parts: _KeyParts) -> None:
        if parts:
            tag = self._tag(parts)
            self._until.pop(tag, None)  # so that it stands at the end, as the newest
            self._until[tag] = time.monotonic() + _REMEMBERED
            if len(self._until) > _MOST_REMEMBERED:
                self._until.popitem(last=False)

    def _tag(self, parts: _KeyParts) -> bytes:
        return hmac.digest(self._key, repr(parts).encode(), "sha256")


def secret_of(entry: CallerSettings) -> str:
    """Read the caller's own password from its file; return an empty string if it has none.

    Raises:
        AuthcodeError: The file cannot be used.
    """
    if entry.secret_file is None:
        return ""
    try:
        secret = read_secret(entry.secret_file).rstrip("\r\n")
    except AuthcodeError as error:
        raise AuthcodeError(f"secret of {entry.name!r} (file {entry.secret_file}) {error}") from None
    if not secret:
        raise AuthcodeError(f"secret of {entry.name!r} (file {entry.secret_file}) is empty")
    return secret


def _throttled_as(presented: PresentedCredentials) -> str:
    """Return what failures are counted by: the address, or the /64 of IPv6, which one customer has whole."""
    address = presented.source.address
    return str(ip_network((address, 64), strict=False) if isinstance(address, IPv6Address) else address)


def _authcode_of(credentials: tuple[Credentials, ...]) -> Authcode | None:
    """Return the authcode whose halves were sent; a digest holds none."""
    sent = {(one.user, one.password) for one in credentials if isinstance(one, PasswordText)}
    if len(sent) != 1 or not all(isinstance(one, PasswordText) for one in credentials):
        return None
    try:
        return Authcode.of(*sent.pop())
    except AuthcodeError:
        return None
