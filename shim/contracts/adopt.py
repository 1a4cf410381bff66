"""Drafts a mapping from a WSDL that the operator brings.

It guesses what each part means from its name and its type, and says how sure it is
and why; what it cannot know it asks.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal
from urllib.parse import urlsplit

import requests
import urllib3

from shim.contracts import description
from shim.contracts.description import Description

Sureness = Literal["certain", "likely", "a guess"]

_PATIENCE: Final = 30
_SEAL: Final = "# Unedited as long as its seal is right: "
# The parts of a query, and the names by which they go, the most telling first.
_NAMES: Final = {
    "enddate": r"end|until|through|(^|date)to(date|$)|thru",
    "startdate": r"start|begin|since|from",
    "reportby": r"report_?by|selectby|searchby",
    "type": r"type|program|^test$",
    "user": r"user|^uid$|login|logon|client_?id|account",
    "password": r"pass|pwd|secret|authcode|api_?key",
}


class AdoptError(Exception):
    """A mapping cannot be drafted or written; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A mapping as drafted.

    Attributes:
        text: The TOML, with comments.
        questions: What a person must decide.
    """

    text: str
    questions: tuple[str, ...]


class _Table:
    """The table of one operation."""

    def __init__(self, operation: Description) -> None:
        self.operation = operation
        self.questions: list[str] = []
        self._lines: list[tuple[str, str]] = []

    def say(self, key: str, value: str, sure: Sureness, reason: str) -> None:
        self._lines.append((f"{key:<11} = {value}", f"# {sure}: {reason}"))

    def take(self, key: str, part: "_Part") -> None:
        self.say(key, _text(part.name), part.sure, part.reason)

    def refuse(self, reason: str) -> None:
        self._lines.append((f"unavailable = {_text(reason)}", ""))

    def ask(self, question: str) -> None:
        self.questions.append(f"{self.operation.name}: {question}")

    def __str__(self) -> str:
        width = max(len(line) for line, comment in self._lines if comment or len(self._lines) == 1)
        lines = (f"{line:<{width}}  {comment}".rstrip() for line, comment in self._lines)
        answers = f"# answers {self.operation.result_path[-1].local}, {self.operation.result_type}"
        header = f"[operations.{_key(self.operation.name)}]"
        return "\n".join((header, *lines) if self.operation.unservable else (f"{header}  {answers}", *lines))


def fetch(url: str, folder: Path) -> Path:
    """Fetch a WSDL into a folder; what it imports is not fetched.

    Raises:
        AdoptError: It cannot be had, is too large, or there is a file of its name.
    """
    path = folder / f"{PurePosixPath(urlsplit(url).path).stem or 'legacy'}.wsdl"
    if path.exists():
        raise AdoptError(f"{path} is there already: adopt that, or take it away")
    try:
        with requests.get(url, timeout=_PATIENCE, stream=True) as response:
            response.raise_for_status()
            body = response.raw.read(description.MAX_BYTES + 1, decode_content=True)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise AdoptError(f"{url} cannot be fetched ({type(error).__name__}): save it as a file yourself") from error
    if len(body) > description.MAX_BYTES:
        raise AdoptError(f"{url} is larger than {description.MAX_BYTES:,} bytes: no service has such a WSDL")
    path.write_bytes(body)
    return path


def draft(wsdl: Path) -> Draft:
    """Draft a mapping.

    Raises:
        AdoptError: The WSDL cannot be read, or none of its operations can be served.
    """
    try:
        operations = description.read(wsdl)
    except description.DescriptionError as error:
        raise AdoptError(str(error)) from error
    tables = [_table(operation) for operation in operations.values()]
    if all(operation.unservable for operation in operations.values()):
        raise AdoptError("\n".join(f"{wsdl}: {name}: {operation.unservable}" for name, operation in operations.items()))
    questions = tuple(question for table in tables for question in table.questions)
    body = "\n\n".join(map(str, tables))
    asked = "".join(f"#   - {question}\n" for question in questions) or "#   nothing\n"
    name = ascii(wsdl.name)[1:-1]  # a line break in it would end the comment
    return Draft(f"# What the parts of {name} mean to the REST API.\n# To decide:\n{asked}\n{body}\n", questions)


def write(drafted: Draft, path: Path, *, force: bool) -> None:
    """Write a draft, sealed, so that a later one can tell whether a person has edited it.

    Raises:
        AdoptError: There is a file that a person edited, and ``force`` is off.
    """
    if path.exists() and not force and not _is_unedited(path.read_text(encoding="utf-8", errors="replace")):
        raise AdoptError(f"{path} was edited; it is left as it is (--force overwrites it)")
    path.write_text(f"{drafted.text}\n{_SEAL}{_digest(drafted.text)}\n", encoding="utf-8")


def _is_unedited(text: str) -> bool:
    body, _, seal = text.rpartition(f"\n{_SEAL}")
    return seal.strip() == _digest(body)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _table(operation: Description) -> _Table:
    table = _Table(operation)
    parts = _parts(operation.parameters)
    reason = operation.unservable or _not_a_query(operation, parts)
    if reason:
        table.refuse(f"{reason}.")
        return table
    for key in ("startdate", "enddate"):
        table.take(key, parts[key])
    if "type" in parts:
        table.take("type", parts["type"])
    else:
        table.say("type", '{ value = "TOEFL" }', "likely", "no parameter has it, and no other value is public")
    _say_report_by(table, parts)
    has_log_on = {"user", "password"} <= parts.keys()
    if has_log_on:
        names = ", ".join(_text(parts[key].name) for key in ("user", "password"))
        table.say("credentials", f"[{names}]", "likely", "they are named so")
    table.say("dates", *_dates(table, parts))
    if has_log_on:
        table.say("errors", '"in-band"', "likely", "the old service told of failed log-ons in the result")
    else:
        table.say("errors", '"fault"', "a guess", "it has no log-on that could fail")
    table.say("empty", '"absent"', "a guess", "how the old service said that there is nothing is not known")
    table.say("records", '"as-sent"', "a guess", "write 900 if the client cannot read wider records")
    unused = operation.parameters.keys() - {part.name for part in parts.values()}
    if unused:
        table.ask(f"is nothing meant by {', '.join(sorted(unused))}?")
    return table


def _not_a_query(operation: Description, parts: Mapping[str, "_Part"]) -> str:
    if re.search("edi", operation.name.lower()):
        return "TOEFL Access has no EDI form"
    if not {"startdate", "enddate"} <= parts.keys():
        return "it does not ask for a range of dates, and TOEFL Access answers nothing else"
    return ""


def _say_report_by(table: _Table, parts: Mapping[str, "_Part"]) -> None:
    if "reportby" in parts:
        table.take("reportby", parts["reportby"])
        return
    names = f"{table.operation.name} {parts['startdate'].name} {parts['enddate'].name}".lower()
    if "test" in names:
        table.refuse("TOEFL Access selects by report date, not by test date.")
        table.ask("it seems to select by test date, for which no report-by value is public")
    else:
        sure: Sureness = "likely" if "report" in names else "a guess"
        table.say("reportby", '{ value = "scorelinkbyreportdate" }', sure, "no other value is public")


def _dates(table: _Table, parts: Mapping[str, "_Part"]) -> tuple[str, Sureness, str]:
    kind = table.operation.parameters[parts["startdate"].name]
    if kind == "dateTime":
        return '["ISO 8601"]', "certain", "its type is xs:dateTime"
    if kind == "date":
        return '["YYYY-MM-DD"]', "certain", "its type is xs:date"
    table.ask("its dates are text: in which form does the client write them, and in which time zone are its days?")
    return '["MM/DD/YYYY", "YYYY-MM-DD", "ISO 8601"]', "a guess", "public clients use these"


@dataclass(frozen=True, slots=True)
class _Part:
    """A parameter that seems to be a part of the query."""

    name: str
    sure: Sureness
    reason: str


def _parts(parameters: Mapping[str, str]) -> dict[str, _Part]:
    found: dict[str, _Part] = {}
    for key, pattern in _NAMES.items():
        free = [name for name in parameters if name not in {part.name for part in found.values()}]
        matching = [name for name in free if re.search(pattern, name.lower())]
        if len(matching) == 1:
            found[key] = _Part(matching[0], "likely", "its name says so")
        elif matching:
            found[key] = _Part(matching[0], "a guess", f"or {', '.join(matching[1:])}?")
    return found


def _text(value: str) -> str:
    """A TOML string: JSON's escapes are TOML's as well (TOML 1.0, strings), but for its pairs of surrogates."""
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)
