"""The types of values: addresses, moments and paths. An error says what is wrong and does not repeat the value."""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

# A sentence that holds the address can stand in place of a record, and must stay shorter than one.
_LONGEST_PAGE: Final = 200

# Addresses stand in Link headers, between angle brackets (RFC 8288 §3).
_ADDRESS: Final = re.compile(r"[!#-;=?-~]*")

_FOLDER: Final = "folder"


def relative_to(folder: Path) -> dict[str, Path]:
    """Return the validation context that anchors relative paths in a folder.

    Args:
        folder: An absolute path, so that validating an anchored path again does not change it.
    """
    return {_FOLDER: folder}


def anchored(path: Path, info: ValidationInfo) -> Path:
    """Return a path in the folder of the validation context. Without a context, return it unchanged."""
    return info.context[_FOLDER] / path if info.context else path


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


def is_loopback(host: str) -> bool:
    """Whether a host name or an address is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(text: str) -> str:
    """Check an address. It is used exactly as written: the vendor's guide warns of added spaces and line breaks."""
    _check_characters(text)
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an http or https address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("contains a user name: credentials do not belong in an address")
    if {"?", "#"} & set(text):
        raise ValueError("contains a query or a fragment: end the address with its path")
    return text


def _check_characters(text: str) -> None:
    if re.search(r"[\s\x00-\x20\x7f]", text):
        raise ValueError("contains white space or a line break: copy the address exactly")
    if not text.isascii():
        raise ValueError("contains a character that is not ASCII, perhaps an invisible one: copy the address exactly")
    if not _ADDRESS.fullmatch(text):
        raise ValueError("contains a character that is not allowed in an address")


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises ValueError if the port is not a number up to 65535
    except ValueError:
        raise ValueError("is not an address") from None
    return parts


def _page(text: str) -> str:
    """Check the address of a page for people. Unlike other addresses, it may have a query and a fragment."""
    _url(re.split("[?#]", text, maxsplit=1)[0])
    _check_characters(text)
    if len(text) > _LONGEST_PAGE:
        raise ValueError(f"is longer than {_LONGEST_PAGE} characters")
    return text


def _secure_url(text: str) -> str:
    parts = urlsplit(_url(text))
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("is plain http: scores and authcodes need https, except on this machine")
    return text


def _bind(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the highest port
        raise ValueError("is not ADDRESS:PORT")
    return text


def _moment(value: object) -> datetime:
    """Return a moment in UTC: the first second of a date, or a date and time with an offset."""
    try:
        if isinstance(value, str):  # from an environment variable
            value = date.fromisoformat(value) if len(value) <= len("2027-06-30") else datetime.fromisoformat(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time.min, UTC)
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise ValueError("is not a date in the calendar") from None
    raise ValueError("is not a date such as 2027-06-30, or a date and time with an offset such as 2027-06-30T12:00:00Z")


AnchoredPath = Annotated[Path, AfterValidator(anchored)]
Url = Annotated[str, AfterValidator(_url)]
Page = Annotated[str, AfterValidator(_page)]
SecureUrl = Annotated[str, AfterValidator(_secure_url)]
Bind = Annotated[str, AfterValidator(_bind)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
