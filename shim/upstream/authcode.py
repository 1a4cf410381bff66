"""The authcode: the key to TOEFL Access, base64 of ``clientid:clientsecret``."""

import base64
import binascii
from dataclasses import dataclass


class AuthcodeError(Exception):
    """An authcode or another secret cannot be used; the message says why, and never what it is."""


@dataclass(frozen=True, slots=True, repr=False)
class Authcode:
    """One authcode. Has no representation, so that no log or trace can show it.

    Attributes:
        value: The text of the ``authcode`` header.
    """

    value: str

    @classmethod
    def parse(cls, text: str) -> "Authcode":
        """Return the authcode of a text with white space around it.

        Raises:
            AuthcodeError: The text is empty or malformed.
        """
        value = text.strip()
        if not value:
            raise AuthcodeError("is empty")
        try:
            halves = base64.b64decode(value, validate=True).decode("utf-8").split(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise AuthcodeError("is not base64 text") from None
        if len(halves) != 2 or not all(halves):  # noqa: PLR2004 - a client id and a client secret
            raise AuthcodeError("is not the base64 of a client id and a client secret with one colon between")
        return cls(value)

    @classmethod
    def of(cls, user: str, password: str) -> "Authcode":
        """Return the authcode of its two halves.

        Raises:
            AuthcodeError: The halves make no authcode.
        """
        return cls.parse(base64.b64encode(f"{user}:{password}".encode()).decode())

    @property
    def halves(self) -> tuple[str, str]:
        """The client id and the client secret: the user name and the password of the SOAP service."""
        user, _, password = base64.b64decode(self.value).decode().partition(":")
        return user, password
