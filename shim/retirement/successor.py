"""The REST request that replaces a caller's SOAP call, as an address and as programs that make it."""

import json
import shlex
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, get_args
from urllib.parse import quote

from shim.query import ScoreQuery
from shim.rest.client import query_string
from shim.retirement.summary import LastQuery, Summary

if TYPE_CHECKING:
    from jinja2 import Environment

Language = Literal["csharp", "java", "python", "curl"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
FILES: Final[dict[Language, str]] = {
    "csharp": "ToeflScores.cs",
    "java": "ToeflScores.java",
    "python": "toefl_scores.py",
    "curl": "toefl-scores.sh",
}
"""What each program is called; Java insists on it."""
NAMES: Final[dict[Language, str]] = {"csharp": "C#", "java": "Java", "python": "Python", "curl": "curl"}
"""What people call them."""


def url(upstream: str, query: LastQuery) -> str:
    """The address that a call comes to, as the gateway asks for it.

    Args:
        upstream: The address of ``/scores``.
        query: What the caller asked for.
    """
    return f"{upstream}?{_query(query)}"


def program(language: Language, upstream: str, query: LastQuery) -> str:
    """A program that makes the request.

    It writes the score file's bytes to its standard output, or to the file that it is
    given. It has no key: it reads that from the environment, or from a file.

    Args:
        language: What to write it in.
        upstream: The address of ``/scores``.
        query: What the caller asked for.
    """
    dates, _, rest = _query(query).partition("&type=")
    startdate, enddate = (part.partition("=")[2] for part in dates.split("&"))
    template = _templates().get_template(f"{FILES[language]}.jinja")
    return template.render(
        operation=query.operation,
        upstream=quote(upstream, safe="/:@%!*'()~,;=+&$[]"),
        startdate=startdate,
        enddate=enddate,
        rest=f"type={rest}",
    )


def _query(query: LastQuery) -> str:
    start, end = datetime.fromisoformat(query.startdate), datetime.fromisoformat(query.enddate)
    return query_string(ScoreQuery(start, end, query.type, query.reportby))


def chosen(summary: Summary, name: str, operation: str | None) -> LastQuery:
    """The call to replace.

    Args:
        summary: What the ledger says.
        name: Whose.
        operation: Which; may be left out where there is only one.

    Raises:
        LookupError: There is none.
    """
    caller = next((each for each in summary.callers if each.name == name), None)
    if caller is None:
        raise LookupError(f"{name}: nobody has called by this name; see toefl-shim callers")
    calls = [query for query in caller.last_queries if operation in (None, query.operation)]
    if not calls:
        raise LookupError(f"{name}: no call of {operation or 'it'} was answered with scores yet")
    if len(calls) > 1:
        raise LookupError(f"--operation: one of {', '.join(query.operation for query in calls)}")
    return calls[0]


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only who asks for a program waits for it

    # Programs are no HTML: each value stands in a literal of its language, which the filters write.
    environment = Environment(  # noqa: S701 - same
        loader=PackageLoader("shim.retirement"), undefined=StrictUndefined, keep_trailing_newline=True
    )
    # A string of JSON in ASCII is one of C#, Java and Python as well.
    environment.filters.update(literal=json.dumps, word=shlex.quote)
    return environment
