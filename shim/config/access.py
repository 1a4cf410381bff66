"""Settings of access: the stored authcodes, and the callers that may use them."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import Literal

from pydantic import Field, IPvAnyNetwork

from shim.config.gateway import GatewaySettings
from shim.config.section import SettingsSection
from shim.config.values import AnchoredPath, repeated


class AuthcodeSettings(SettingsSection):
    """A stored authcode: in a file or in an environment variable.

    Attributes:
        name: The name by which callers refer to it.
        file: Path of the file with the authcode.
        env: Name of the environment variable with the authcode.
        next_file: Path of a file with the next authcode, used once TOEFL Access refuses the first.
    """

    name: str
    file: AnchoredPath | None = None
    env: str = ""
    next_file: AnchoredPath | None = None

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong between these settings."""
        if (self.file is None) == (not self.env):
            yield "needs either file or env"

    @property
    def place(self) -> str:
        """Where the authcode is stored, for a message."""
        return f"file {self.file}" if self.file is not None else f"environment variable {self.env}"


class CallerSettings(SettingsSection):
    """A caller, and how it authenticates: it must satisfy all of networks, certificate and credentials that are set.

    Attributes:
        name: The caller's name in the log, the metrics and the ledger.
        authcode: Name of the stored authcode to use; if unset, the only one.
        networks: Networks that the caller calls from.
        certificate: Subject of the caller's certificate, as a trusted proxy passes it.
        credentials: ``authcode`` for the two halves of the authcode, ``own`` for the user and password set here,
            ``pass-through`` to make the authcode of the user name and password that the caller sends.
        user: Its own user name.
        password_hash: Argon2 hash of its own password, from ``toefl-shim callers add``.
        secret_file: File with its own password, which a UsernameToken with a digest needs.
        anybody: Accept every program on this machine.
    """

    name: str
    authcode: str = ""
    networks: tuple[IPvAnyNetwork, ...] = ()
    certificate: str = ""
    credentials: Literal["", "authcode", "own", "pass-through"] = ""
    user: str = ""
    password_hash: str = Field(default="", pattern=r"^(\$argon2.*)?$")
    secret_file: AnchoredPath | None = None
    anybody: bool = False

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong between these settings."""
        if not (self.networks or self.certificate or self.credentials or self.anybody):
            yield "has no authentication: set networks, certificate, credentials or anybody"
        if self.credentials == "pass-through" and self.authcode:
            yield 'remove authcode: credentials = "pass-through" makes one of what the caller sends'
        yield from self._mistakes_of_own()

    def _mistakes_of_own(self) -> Iterator[str]:
        if self.credentials != "own":
            if self.user:
                yield 'user needs credentials = "own"'
        elif not self.user or bool(self.password_hash) == (self.secret_file is not None):
            yield 'credentials = "own" needs user, and either password_hash or secret_file'

    @property
    def is_open(self) -> bool:
        """Whether it accepts everybody who reaches the gateway."""
        return (self.anybody or _hold_all_addresses(self.networks)) and not (self.credentials or self.certificate)


def _hold_all_addresses(networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    # Collapsed, because 0.0.0.0/1 and 128.0.0.0/1 are everything too.
    old = collapse_addresses(network for network in networks if isinstance(network, IPv4Network))
    new = collapse_addresses(network for network in networks if isinstance(network, IPv6Network))
    return any(network.prefixlen == 0 for network in old) or any(network.prefixlen == 0 for network in new)


def who_may_call(
    authcodes: Sequence[AuthcodeSettings], callers: Sequence[CallerSettings], gateway: GatewaySettings
) -> tuple[CallerSettings, ...]:
    """Return the callers, each with the name of its authcode.

    If no callers are configured, each authcode makes one: it authenticates by the halves of
    the authcode. On a gateway that only this machine can reach, a single authcode also
    makes a caller for every program on this machine.
    """
    if callers:
        return tuple(_with_authcode(caller, authcodes) for caller in callers)
    entries = [CallerSettings(name=code.name, authcode=code.name, credentials="authcode") for code in authcodes]
    if len(entries) == 1 and not gateway.is_exposed:
        entries.append(CallerSettings(name="this-machine", authcode=entries[0].authcode, anybody=True))
    return tuple(entries)


def _with_authcode(caller: CallerSettings, authcodes: Sequence[AuthcodeSettings]) -> CallerSettings:
    if caller.authcode or caller.credentials == "pass-through" or len(authcodes) != 1:
        return caller
    return caller.model_copy(update={"authcode": authcodes[0].name})


def authcode_names_differ(authcodes: Sequence[AuthcodeSettings]) -> Iterator[str]:
    """Yield a mistake for each name that two authcodes have."""
    for name in repeated(code.name for code in authcodes):
        yield f"authcodes: two are named {name}"


def caller_names_differ(callers: Sequence[CallerSettings]) -> Iterator[str]:
    """Yield a mistake for each name that two callers have."""
    for name in repeated(caller.name for caller in callers):
        yield f"callers: two are named {name}"


def there_is_an_authcode(authcodes: Sequence[AuthcodeSettings], callers: Sequence[CallerSettings]) -> Iterator[str]:
    """Yield a mistake if there is no authcode, and no caller that brings its own."""
    if not authcodes and not callers:
        yield "authcodes: at least one is needed, unless every caller is pass-through"


def authcodes_of_callers_exist(
    authcodes: Sequence[AuthcodeSettings], callers: Sequence[CallerSettings], gateway: GatewaySettings
) -> Iterator[str]:
    """Yield a mistake for each caller whose authcode is not stored."""
    names = {code.name for code in authcodes}
    for caller in who_may_call(authcodes, callers, gateway):
        if caller.credentials != "pass-through" and caller.authcode not in names:
            yield f"callers.{caller.name}: authcode must be the name of one of the authcodes"


def exposed_callers_authenticate(callers: Sequence[CallerSettings], gateway: GatewaySettings) -> Iterator[str]:
    """Yield a mistake for each caller that would open an exposed gateway to everybody."""
    if gateway.allow_anybody or not gateway.is_exposed:
        return
    for caller in callers:
        if caller.is_open:
            yield (
                f"callers.{caller.name}: gives scores to everybody who reaches {gateway.bind}: set networks, "
                "certificate or credentials, or allow this with gateway.allow_anybody"
            )


def certificates_come_from_a_proxy(callers: Sequence[CallerSettings], gateway: GatewaySettings) -> Iterator[str]:
    """Yield a mistake for each caller whose certificate no proxy could pass."""
    for caller in callers:
        if caller.certificate and not gateway.trusted_proxies:
            yield f"callers.{caller.name}: certificate needs gateway.trusted_proxies, which pass its subject"
