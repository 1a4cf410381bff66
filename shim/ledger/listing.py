"""The callers of a summary as JSON, CSV and a table, for the command line."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from shim.ledger.summary import CallerSummary, Summary

_COLUMNS: Final[Mapping[str, Callable[[CallerSummary, datetime], Any]]] = {
    "name": lambda caller, _: caller.name,
    "named": lambda caller, _: caller.is_named,
    "calls_7": lambda caller, _: caller.calls_7,
    "calls_30": lambda caller, _: caller.calls_30,
    "trend": lambda caller, _: caller.trend,
    "first_seen": lambda caller, _: _iso(caller.first_seen),
    "last_seen": lambda caller, _: _iso(caller.last_seen),
    "operations": lambda caller, _: list(caller.operations),
    "software": lambda caller, _: list(caller.software),
    "outcomes": lambda caller, _: dict(caller.outcomes),
    "migrated": lambda caller, _: _iso(caller.migrated),
    "calls_since_migrated": lambda caller, _: caller.calls_since_migrated,
    "safe_to_retire_since": lambda caller, now: _iso(caller.safe_since(now)),
}


def as_json(summary: Summary) -> str:
    """Return the callers as a JSON array of objects."""
    return json.dumps(_rows(summary), indent=2, ensure_ascii=False)


def as_csv(summary: Summary) -> str:
    """Return a header and one line for each caller. Semicolons separate the values of a list."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(map(_cell, row.values()) for row in _rows(summary))
    return text.getvalue()


def _rows(summary: Summary) -> list[dict[str, Any]]:
    return [{name: value(caller, summary.made) for name, value in _COLUMNS.items()} for caller in summary.callers]


def as_table(summary: Summary) -> Table:
    """Return a table for people. The row of a migrated caller that still calls is red."""
    title = f"Callers, {summary.made:%Y-%m-%d %H:%M} UTC"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("caller", overflow="fold", min_width=16)
    for heading in ("operations", "migrated"):
        table.add_column(heading, overflow="fold")
    for heading in ("7 days", "30 days"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("trend", "last seen", "safe since"):
        table.add_column(heading, no_wrap=True)
    for caller in summary.callers:
        cells = (
            caller.name,
            " ".join(caller.operations),
            _migrated(caller),
            f"{caller.calls_7:,}",
            f"{caller.calls_30:,}",
            caller.trend,
            f"{caller.last_seen:%Y-%m-%d}",
            _safe_since(caller, summary.made),
        )
        table.add_row(*map(escape, cells), style="red" if caller.calls_since_migrated else None)
    return table


def _migrated(caller: CallerSummary) -> str:
    if caller.migrated is None:
        return "no"
    calls = f", but {caller.calls_since_migrated:,} calls since" if caller.calls_since_migrated else ""
    return f"{caller.migrated:%Y-%m-%d}{calls}"


def _safe_since(caller: CallerSummary, now: datetime) -> str:
    safe = caller.safe_since(now)
    if safe is not None:
        return f"{safe:%Y-%m-%d}"
    return "in use" if caller.is_named else "no access"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.replace(microsecond=0).isoformat()


def _cell(value: object) -> object:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {item}" for name, item in value.items())
    return "; ".join(map(str, value)) if isinstance(value, list) else value
