"""The REST request that replaces a caller's SOAP call, as a URL and as programs that send it."""

from datetime import datetime
from typing import Final, Literal, get_args
from urllib.parse import quote

from shim.ledger.summary import LastQuery, Summary
from shim.query import ScoreQuery
from shim.retirement.template import render
from shim.upstream.client import query_string

Language = Literal["csharp", "java", "python", "curl"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
LANGUAGE_NAMES: Final[dict[Language, str]] = {"csharp": "C#", "java": "Java", "python": "Python", "curl": "curl"}
"""The names of the languages for people."""
FILE_NAMES: Final[dict[Language, str]] = {
    "csharp": "ToeflScores.cs",
    "java": "ToeflScores.java",
    "python": "toefl_scores.py",
    "curl": "toefl-scores.sh",
}
"""The names of the programs' files; Java requires that of its class."""


def url(upstream: str, query: LastQuery) -> str:
    """Return the URL that replaces a call: the one that the gateway itself sends.

    Args:
        upstream: The URL of ``/scores``.
        query: The caller's query.
    """
    return f"{upstream}?{_query(query)}"


def program(language: Language, upstream: str, query: LastQuery) -> str:
    """Return a program that sends the request.

    The program writes the bytes of the score file to standard output, or to the file named in its argument. It contains
    no authcode: it reads that from the environment, or from a file.

    Args:
        language: The language of the program.
        upstream: The URL of ``/scores``.
        query: The caller's query.
    """
    startdate, enddate, rest = _query(query).split("&", 2)
    return render(
        "shim.retirement",
        f"{FILE_NAMES[language]}.jinja",
        operation=query.operation,
        upstream=quote(upstream, safe="/:@%!*'()~,;=+&$[]"),
        startdate=startdate.removeprefix("startdate="),
        enddate=enddate.removeprefix("enddate="),
        rest=rest,
    )


def _query(query: LastQuery) -> str:
    start, end = datetime.fromisoformat(query.startdate), datetime.fromisoformat(query.enddate)
    return query_string(ScoreQuery(start, end, query.type, query.reportby, query.format))


def select_query(summary: Summary, name: str, operation: str | None) -> LastQuery:
    """Return the query to replace.

    Args:
        summary: The summary of the ledger.
        name: The caller's name.
        operation: The operation; may be ``None`` if the caller has called only one.

    Raises:
        LookupError: There is no such query, or there are several.
    """
    caller = summary.caller(name)
    if caller is None:
        raise LookupError(f"{name}: the ledger has no caller of this name; toefl-shim callers lists them")
    queries = [query for query in caller.last_queries if operation in (None, query.operation)]
    if not queries:
        calls = f"no call of {operation}" if operation else "no call"
        raise LookupError(f"{name}: {calls} has been answered with scores yet")
    if len(queries) > 1:
        raise LookupError(f"{name}: choose one --operation of {', '.join(query.operation for query in queries)}")
    return queries[0]
