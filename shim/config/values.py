"""Values that settings have: addresses, moments, paths; each told from its mistakes."""

import ipaddress
import re
from contextvars import ContextVar
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

# A sentence that stands in the result with it must stay shorter than any record.
_LONGEST_PAGE: Final = 200

# Addresses stand in headers, between angle brackets (RFC 8288 §3).
_ADDRESS: Final = re.compile(r"[!#-;=?-~]*")

base: Final[ContextVar[Path]] = ContextVar("base")
"""The folder that paths in the file are relative to."""
AnchoredPath = Annotated[Path, AfterValidator(lambda path: base.get(Path()) / path)]


class SettingsSection(BaseModel):
    """A table of the file; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(text: str) -> str:
    """An address to copy exactly: the vendor's guide warns of added spaces and line breaks."""
    if re.search(r"[\s\x00-\x20\x7f]", text):
        raise ValueError("has white space or a line break in it")
    if not text.isascii():
        raise ValueError("has a character in it that is not ASCII, perhaps one that cannot be seen")
    if not _ADDRESS.fullmatch(text):
        raise ValueError("has a character in it that no address has")
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises when it is none
    except ValueError:
        raise ValueError("is not an address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an http or https address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("has a user name in it: credentials do not belong in a URL")
    if parts.query or parts.fragment or "#" in text or "?" in text:
        raise ValueError("has a query or a fragment: give the address up to its path")
    return text


def _page(text: str) -> str:
    """The address of a page for people, which may well have a query and a fragment."""
    _url(re.split("[?#]", text, maxsplit=1)[0])
    if not _ADDRESS.fullmatch(text):
        raise ValueError("has a character in it that no address has")
    if len(text) > _LONGEST_PAGE:
        raise ValueError(f"is longer than {_LONGEST_PAGE} characters")
    return text


def _secure_url(text: str) -> str:
    parts = urlsplit(_url(text))
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("is plain http: score data and the authcode go over https, except to this machine itself")
    return text


def _bind(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the highest port
        raise ValueError("is not ADDRESS:PORT")
    return text


def _moment(value: object) -> datetime:
    """A day's first second in UTC, or a date and time with its offset."""
    try:
        if isinstance(value, str):  # from the environment
            value = date.fromisoformat(value) if len(value) <= len("2027-06-30") else datetime.fromisoformat(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time.min, UTC)
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise ValueError("is not a date of the calendar") from None
    raise ValueError("is not a date, or a date and time with an offset, as 2027-06-30 or 2027-06-30T12:00:00Z")


Url = Annotated[str, AfterValidator(_url)]
Page = Annotated[str, AfterValidator(_page)]
SecureUrl = Annotated[str, AfterValidator(_secure_url)]
Bind = Annotated[str, AfterValidator(_bind)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
