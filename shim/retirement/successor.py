"""The REST request that replaces a caller's SOAP call, as an address and as programs that make it."""

from datetime import datetime
from typing import Final, Literal, get_args
from urllib.parse import quote

from shim.ledger.summary import LastQuery, Summary
from shim.query import ScoreQuery
from shim.retirement.template import render
from shim.upstream.client import query_string

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
    startdate, enddate, rest = _query(query).split("&", 2)
    return render(
        f"retirement/{FILES[language]}.jinja",
        operation=query.operation,
        upstream=quote(upstream, safe="/:@%!*'()~,;=+&$[]"),
        startdate=startdate.removeprefix("startdate="),
        enddate=enddate.removeprefix("enddate="),
        rest=rest,
    )


def _query(query: LastQuery) -> str:
    start, end = datetime.fromisoformat(query.startdate), datetime.fromisoformat(query.enddate)
    return query_string(ScoreQuery(start, end, query.type, query.reportby, query.format))


def chosen(summary: Summary, name: str, operation: str | None) -> LastQuery:
    """The call to replace.

    Args:
        summary: What the ledger says.
        name: Whose.
        operation: Which; may be left out where there is only one.

    Raises:
        LookupError: There is none.
    """
    caller = summary.caller(name)
    if caller is None:
        raise LookupError(f"{name}: nobody has called by this name; see toefl-shim callers")
    calls = [query for query in caller.last_queries if operation in (None, query.operation)]
    if not calls:
        raise LookupError(f"{name}: no call of {operation or 'it'} was answered with scores yet")
    if len(calls) > 1:
        raise LookupError(f"--operation: one of {', '.join(query.operation for query in calls)}")
    return calls[0]
