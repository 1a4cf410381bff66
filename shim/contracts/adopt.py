"""Drafts the mapping of a WSDL that the operator brings, and asks what it cannot guess."""

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

import requests
import urllib3

from shim.contracts import description, guesses

_TIMEOUT: Final = 30
"""Seconds to wait for a connection, and for each part of the WSDL."""
_SEAL: Final = "# Checksum of the lines above; adopt overwrites the file only while it matches: "


class AdoptError(Exception):
    """A mapping cannot be drafted or written; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The draft of a mapping.

    Attributes:
        text: The TOML, with comments.
        questions: What a person must decide.
    """

    text: str
    questions: tuple[str, ...]


def fetch(url: str, folder: Path) -> Path:
    """Save a WSDL in a folder, without the files that it imports.

    Returns:
        The path of the WSDL.

    Raises:
        AdoptError: The WSDL cannot be fetched, is too large, or would replace a file.
    """
    path = folder / f"{PurePosixPath(urlsplit(url).path).stem or 'legacy'}.wsdl"
    if path.exists():
        raise AdoptError(f"{path} exists already: adopt that file, or move it away")
    try:
        with requests.get(url, timeout=_TIMEOUT, stream=True) as response:
            response.raise_for_status()
            body = response.raw.read(description.MAX_BYTES + 1, decode_content=True)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise AdoptError(f"{url} cannot be fetched ({type(error).__name__}): save it as a file yourself") from error
    if len(body) > description.MAX_BYTES:
        raise AdoptError(f"{url} is larger than {description.MAX_BYTES:,} bytes: no service has such a WSDL")
    path.write_bytes(body)
    return path


def draft(wsdl: Path) -> Draft:
    """Draft the mapping of a WSDL.

    Raises:
        AdoptError: The WSDL cannot be read, or none of its operations can be served.
    """
    try:
        operations = description.read(wsdl).values()
    except description.DescriptionError as error:
        raise AdoptError(str(error)) from error
    if all(operation.unservable for operation in operations):
        raise AdoptError("\n".join(f"{wsdl}: {operation.name}: {operation.unservable}" for operation in operations))
    tables = [guesses.guess(operation) for operation in operations]
    questions = tuple(question for table in tables for question in table.questions)
    name = ascii(wsdl.name)[1:-1]  # a line break in it would end the comment
    return Draft("\n\n".join((_heading(name, questions), *map(str, tables))) + "\n", questions)


def write(drafted: Draft, path: Path, *, force: bool) -> None:
    """Write a draft with its checksum, by which a later ``write`` can tell whether a person edited it.

    Raises:
        AdoptError: The file exists, a person edited it, and ``force`` is off.
    """
    if path.exists() and not force and not _is_unedited(path.read_text(encoding="utf-8", errors="replace")):
        raise AdoptError(f"{path} was edited, so it is left as it is: --force overwrites it")
    path.write_text(f"{drafted.text}\n{_SEAL}{_checksum(drafted.text)}\n", encoding="utf-8")


def _heading(name: str, questions: tuple[str, ...]) -> str:
    heading = f"# What the operations of {name} mean to the REST API."
    if not questions:
        return f"{heading}\n# Nothing is left to decide."
    return "\n".join((heading, "# To decide:", *(f"#   - {question}" for question in questions)))


def _is_unedited(text: str) -> bool:
    body, _, checksum = text.rpartition(f"\n{_SEAL}")
    return checksum.strip() == _checksum(body)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
