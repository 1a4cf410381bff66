"""The stored authcodes."""

import base64
import binascii
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shim.config import AuthcodeSource


class AuthcodeError(Exception):
    """An authcode cannot be used; the message says why, and never what it is."""


@dataclass(frozen=True, slots=True, repr=False)
class Authcode:
    """A key to TOEFL Access: base64 of ``clientid:clientsecret``.

    It has no representation, so that no log or trace can show it.

    Attributes:
        value: The text of the ``authcode`` header.
    """

    value: str

    @classmethod
    def parse(cls, text: str) -> "Authcode":
        """Take the text of an authcode, with white space around it.

        Raises:
            AuthcodeError: It is empty or not well-formed.
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


def load(source: AuthcodeSource, environ: Mapping[str, str] = os.environ) -> Authcode:
    """Read a stored authcode.

    Raises:
        AuthcodeError: It is missing, not well-formed, or readable by everybody.
    """
    try:
        return Authcode.parse(_text(source, environ))
    except AuthcodeError as error:
        raise AuthcodeError(f"authcode {source.name!r} ({source.place}) {error}") from None


def _text(source: AuthcodeSource, environ: Mapping[str, str]) -> str:
    if source.file is None:
        if source.env not in environ:
            raise AuthcodeError("is not set")
        return environ[source.env]
    return _file_text(source.file)


def _file_text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & stat.S_IROTH:
                raise AuthcodeError("is readable by everybody: take that right away (chmod o-r)")
            return file.read()
    except UnicodeDecodeError:
        raise AuthcodeError("is not base64 text") from None
    except OSError as error:
        raise AuthcodeError(f"cannot be read: {error.strerror}") from None
