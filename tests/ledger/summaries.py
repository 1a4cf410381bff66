"""Summaries of callers as the ledger could return them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shim.ledger.summary import HISTORY_DAYS, CallerSummary, LastQuery, Summary
from tests.guide import QUERY

MADE: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
"""The time of every summary."""


def caller(name: str = "registrar-import", last_days: Sequence[int] = (1,), **other: Any) -> CallerSummary:  # noqa: ANN401 - any attribute
    """Return a caller with these numbers of calls on the last days, and usual values in its other attributes."""
    daily = (0,) * (HISTORY_DAYS - len(last_days)) + tuple(last_days)
    called = [HISTORY_DAYS - 1 - day for day, calls in enumerate(daily) if calls]
    attributes: dict[str, Any] = {
        "name": name,
        "is_named": True,
        "first_seen": MADE - timedelta(days=called[0]),
        "last_seen": MADE - timedelta(days=called[-1]),
        "daily": daily,
        "operations": ("GetScores",),
        "software": ("WCF",),
        "outcomes": {"ok": sum(daily[-30:])},
        "migrated": None,
        "calls_since_migrated": 0,
        "last_queries": (LastQuery(operation="GetScores", **QUERY),),
    }
    return CallerSummary(**attributes | other)


def summary(*callers: CallerSummary) -> Summary:
    """Return a summary of these callers."""
    return Summary(made=MADE, callers=callers)
