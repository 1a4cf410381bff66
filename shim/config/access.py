"""Who may call, and with which authcode."""

import ipaddress
from typing import Literal, Self

from pydantic import Field, IPvAnyNetwork, model_validator

from shim.config.values import AnchoredPath, SettingsSection


class AuthcodeSettings(SettingsSection):
    """Where an authcode is stored: in a file or in an environment variable.

    Attributes:
        name: What callers refer to it by.
        file: Path of the file.
        env: Name of the variable.
        next_file: Path of a file with the one that follows, tried when TOEFL Access refuses this one.
    """

    name: str
    file: AnchoredPath | None = None
    env: str = ""
    next_file: AnchoredPath | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (not self.env):
            raise ValueError("needs either file or env")
        return self

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return f"file {self.file}" if self.file is not None else f"environment variable {self.env}"


class CallerSettings(SettingsSection):
    """Somebody who may call, and all that it must offer as proof.

    Attributes:
        name: What the log calls it.
        authcode: Name of the authcode to use; may be left out where there is one.
        networks: Where it calls from.
        certificate: Subject of its certificate, as a trusted proxy hands it on.
        credentials: ``authcode`` for the two halves of the authcode, ``own`` for those below,
            ``pass-through`` to make an authcode of whatever it sends.
        user: Its own user name.
        password_hash: Argon2 hash of its own password, from ``toefl-shim callers add``.
        secret_file: File with its own password, which a UsernameToken with a digest needs.
        anybody: Let in whoever is on this machine.
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

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not (self.networks or self.certificate or self.credentials or self.anybody):
            raise ValueError("says of nothing how it proves itself: networks, certificate, credentials or anybody")
        own = bool(self.user) and bool(self.password_hash) != (self.secret_file is not None)
        if (self.credentials == "own") != own or (self.user and self.credentials != "own"):
            raise ValueError('credentials = "own" goes with user and either password_hash or secret_file')
        if self.credentials == "pass-through" and self.authcode:
            raise ValueError("pass-through makes its own authcode: leave authcode out")
        return self

    @property
    def is_open(self) -> bool:
        """Whether it lets in everybody who reaches the gateway."""
        # Two halves are a whole.
        old = ipaddress.collapse_addresses(one for one in self.networks if isinstance(one, ipaddress.IPv4Network))
        new = ipaddress.collapse_addresses(one for one in self.networks if isinstance(one, ipaddress.IPv6Network))
        everywhere = any(one.prefixlen == 0 for one in old) or any(one.prefixlen == 0 for one in new)
        return (self.anybody or everywhere) and not (self.credentials or self.certificate)
