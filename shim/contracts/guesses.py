"""Guesses what the parts of an operation mean to the REST API, from their names and types.

The result is a table of the mapping whose comments say how sure each guess is, and why.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from shim.contracts.description import OperationDescription

Sureness = Literal["certain", "likely", "a guess"]

# The names that a parameter may have for each key of the mapping. The most telling keys come first, and a parameter is
# taken once.
_NAMES: Final = {
    "enddate": r"end|until|through|(^|date)to(date|$)|thru",
    "startdate": r"start|begin|since|from",
    "reportby": r"report_?by|selectby|searchby",
    "type": r"type|program|^test$",
    "user": r"user|^uid$|login|logon|client_?id|account",
    "password": r"pass|pwd|secret|authcode|api_?key",
}


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter with a guess at its meaning."""

    name: str
    sure: Sureness
    reason: str


class Table:
    """The drafted table of one operation; as text, its TOML.

    Attributes:
        questions: What a person must decide.
    """

    def __init__(self, operation: OperationDescription) -> None:
        """Begin an empty table."""
        self.questions: list[str] = []
        self._operation = operation
        self._lines: list[tuple[str, str]] = []

    def set(self, key: str, value: str, sure: Sureness, reason: str) -> None:
        """Set a key to a value of TOML."""
        self._lines.append((f"{key:<11} = {value}", f"# {sure}: {reason}"))

    def set_parameter(self, key: str, parameter: _Parameter, default: str = "") -> None:
        """Set a key to the name of a parameter, with the value that a call without it means; empty for none."""
        name = _toml_string(parameter.name)
        if default:
            value, reason = f"{{ parameter = {name}, default = {_toml_string(default)} }}", "a call may leave it out"
            self.set(key, value, parameter.sure, f"{parameter.reason}; {reason}")
        else:
            self.set(key, name, parameter.sure, parameter.reason)

    def set_unavailable(self, reason: str) -> None:
        """Make the operation unavailable, for a reason without a full stop."""
        self._lines.append((f"unavailable = {_toml_string(f'{reason}.')}", ""))

    def ask(self, question: str) -> None:
        """Add a question."""
        self.questions.append(f"{self._operation.name}: {question}")

    def __str__(self) -> str:
        """Return the table as TOML, with its comments in a column."""
        width = max((len(line) for line, comment in self._lines if comment), default=0)
        lines = [f"{line:<{width}}  {comment}".rstrip() for line, comment in self._lines]
        return "\n".join((self._header(), *lines))

    def _header(self) -> str:
        header = f"[operations.{_toml_key(self._operation.name)}]"
        if self._operation.unservable:
            return header
        return f"{header}  # result: {self._operation.result_path[-1].local}, {self._operation.result_type}"


def guess(operation: OperationDescription) -> Table:
    """Draft the table of an operation."""
    table = Table(operation)
    found = _parameters(operation.parameters)
    unavailable = operation.unservable or _why_unavailable(operation, found)
    if unavailable:
        table.set_unavailable(unavailable)
        return table
    _set_query(table, operation, found)
    has_log_on = {"user", "password"} <= found.keys()
    if has_log_on:
        names = ", ".join(_toml_string(found[key].name) for key in ("user", "password"))
        table.set("credentials", f"[{names}]", "likely", "by their names")
    _set_dates(table, operation, found)
    if has_log_on:
        table.set("errors", '"in-band"', "likely", "the old service reported failed log-ons in the result")
    else:
        table.set("errors", '"fault"', "a guess", "without credentials no log-on can fail")
    table.set("empty", '"absent"', "a guess", "how the old service answered without scores is not known")
    table.set("records", '"as-sent"', "a guess", "write 900 if the client cannot read wider records")
    unused = operation.parameters.keys() - {parameter.name for parameter in found.values()}
    if unused:
        table.ask(f"no key names {', '.join(sorted(unused))}: make sure that what clients send there may be ignored")
    return table


def _parameters(parameters: Mapping[str, str]) -> dict[str, _Parameter]:
    """Return the parameters that seem to belong to a key, by key."""
    found: dict[str, _Parameter] = {}
    free = list(parameters)
    for key, pattern in _NAMES.items():
        matching = [name for name in free if re.search(pattern, name.lower())]
        if not matching:
            continue
        first, *others = matching
        free.remove(first)
        found[key] = _Parameter(first, "a guess", f"or {', '.join(others)}?") if others else _named(first)
    return found


def _named(name: str) -> _Parameter:
    return _Parameter(name, "likely", "by its name")


def _why_unavailable(operation: OperationDescription, found: Mapping[str, _Parameter]) -> str:
    if "edi" in operation.name.lower():
        return "TOEFL Access has no EDI form"
    if not {"startdate", "enddate"} <= found.keys():
        return "the operation has no range of dates, and TOEFL Access answers nothing else"
    return ""


def _set_query(table: Table, operation: OperationDescription, found: Mapping[str, _Parameter]) -> None:
    for key in ("startdate", "enddate"):
        table.set_parameter(key, found[key])
    if "type" in found:
        table.set_parameter("type", found["type"], _default(operation, found["type"], "TOEFL"))
    else:
        table.set("type", '{ value = "TOEFL" }', "likely", "no parameter has it, and no other value is public")
    names = f"{operation.name} {found['startdate'].name} {found['enddate'].name}".lower()
    if "reportby" in found:
        default = _default(operation, found["reportby"], "scorelinkbyreportdate")
        table.set_parameter("reportby", found["reportby"], default)
    elif "test" in names:
        table.set_unavailable("TOEFL Access selects by report date, not by test date")
        table.ask(
            "it seems to select by test date, and no report-by value for that is public: if you know one, set reportby "
            "and delete unavailable"
        )
    else:
        sure: Sureness = "likely" if "report" in names else "a guess"
        table.set("reportby", '{ value = "scorelinkbyreportdate" }', sure, "no other value is public")


def _default(operation: OperationDescription, parameter: _Parameter, value: str) -> str:
    return value if parameter.name in operation.optional else ""


def _set_dates(table: Table, operation: OperationDescription, found: Mapping[str, _Parameter]) -> None:
    start, end = found["startdate"].name, found["enddate"].name
    kinds = {operation.parameters[start], operation.parameters[end]}
    if kinds in ({"dateTime"}, {"date"}):
        table.set("dates", '["ISO 8601"]', "certain", f"their type is xs:{kinds.pop()}")
        return
    table.set("dates", '".NET en-US"', "a guess", "most .NET services read text by DateTime.Parse")
    table.ask(f"{start} and {end} are text: set dates to the client's forms, and zone to its time zone")


def _toml_string(value: str) -> str:
    """Return a TOML string: JSON's escapes are TOML's too (TOML 1.0, strings), except for its surrogate pairs."""
    return json.dumps(value, ensure_ascii=False)


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml_string(name)
