"""Who calls, as the command line shows it."""

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

_FACTS: Final[Mapping[str, Callable[[CallerSummary, datetime], Any]]] = {
    "name": lambda caller, _: caller.name,
    "named": lambda caller, _: caller.is_named,
    "calls_7": lambda caller, _: caller.calls_7,
    "calls_30": lambda caller, _: caller.calls_30,
    "trend": lambda caller, _: caller.trend,
    "first_seen": lambda caller, _: _second(caller.first_seen),
    "last_seen": lambda caller, _: _second(caller.last_seen),
    "operations": lambda caller, _: list(caller.operations),
    "software": lambda caller, _: list(caller.software),
    "outcomes": lambda caller, _: dict(caller.outcomes),
    "migrated": lambda caller, _: _second(caller.migrated),
    "calls_since_migrated": lambda caller, _: caller.calls_since_migrated,
    "safe_to_retire_since": lambda caller, now: _second(caller.safe_since(now)),
}


def _facts(summary: Summary) -> list[dict[str, Any]]:
    return [{name: tell(caller, summary.made) for name, tell in _FACTS.items()} for caller in summary.callers]


def as_json(summary: Summary) -> str:
    """A list of callers."""
    return json.dumps(_facts(summary), indent=2, ensure_ascii=False)


def as_csv(summary: Summary) -> str:
    """A line for each caller; what has more than one part is parted by semicolons."""
    text = io.StringIO()
    written = csv.writer(text, lineterminator="\n")
    written.writerow(_FACTS)
    written.writerows(map(_cell, facts.values()) for facts in _facts(summary))
    return text.getvalue()


def as_table(summary: Summary) -> Table:
    """For people; a caller that was marked as migrated and calls all the same is red."""
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
        back = bool(caller.calls_since_migrated)
        migrated = f"{caller.migrated:%Y-%m-%d}" if caller.migrated else "no"
        safe = caller.safe_since(summary.made)
        cells = (
            caller.name,
            " ".join(caller.operations),
            f"{migrated}, but {caller.calls_since_migrated:,} calls since" if back else migrated,
            f"{caller.calls_7:,}",
            f"{caller.calls_30:,}",
            caller.trend,
            f"{caller.last_seen:%Y-%m-%d}",
            f"{safe:%Y-%m-%d}" if safe else "in use" if caller.is_named else "not let in",
        )
        table.add_row(*map(escape, cells), style="red" if back else None)
    return table


def _second(moment: datetime | None) -> str | None:
    return None if moment is None else moment.replace(microsecond=0).isoformat()


def _cell(fact: object) -> object:
    if isinstance(fact, Mapping):
        return "; ".join(f"{name} {value}" for name, value in fact.items())
    return "; ".join(map(str, fact)) if isinstance(fact, list) else fact
