"""Who calls, as the command line shows it."""

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from shim.retirement.summary import CallerSummary, Summary


def facts(caller: CallerSummary, now: datetime) -> dict[str, Any]:
    """What is told of one caller."""
    return {
        "name": caller.name,
        "named": caller.is_named,
        "calls_7": caller.calls_7,
        "calls_30": caller.calls_30,
        "trend": caller.trend,
        "first_seen": _second(caller.first_seen),
        "last_seen": _second(caller.last_seen),
        "operations": list(caller.operations),
        "software": list(caller.software),
        "outcomes": dict(caller.outcomes),
        "migrated": _second(caller.migrated),
        "calls_since_migrated": caller.calls_since_migrated,
        "safe_to_retire_since": _second(caller.safe_since(now)),
    }


def as_json(summary: Summary) -> str:
    """A list of callers."""
    return json.dumps([facts(caller, summary.made) for caller in summary.callers], indent=2, ensure_ascii=False)


def as_csv(summary: Summary) -> str:
    """A line for each caller; what has more than one part is parted by spaces."""
    text = io.StringIO()
    rows = [{name: _cell(fact) for name, fact in facts(caller, summary.made).items()} for caller in summary.callers]
    if rows:
        written = csv.DictWriter(text, rows[0], lineterminator="\n")
        written.writeheader()
        written.writerows(rows)
    return text.getvalue()


def as_table(summary: Summary) -> Table:
    """For people; a caller that was marked as migrated and calls all the same is red."""
    table = Table(title=f"Callers, {summary.made:%Y-%m-%d %H:%M} UTC", title_justify="left", box=SIMPLE, padding=(0, 1))
    table.add_column("caller", overflow="fold")
    for heading in ("7 days", "30 days"):
        table.add_column(heading, justify="right")
    for heading in ("trend", "last seen", "operations", "migrated", "safe to retire since"):
        table.add_column(heading, overflow="fold")
    for caller in summary.callers:
        back = bool(caller.calls_since_migrated)
        migrated = f"{caller.migrated:%Y-%m-%d}" if caller.migrated else "no"
        safe = caller.safe_since(summary.made)
        cells = (
            caller.name,
            f"{caller.calls_7:,}",
            f"{caller.calls_30:,}",
            caller.trend,
            f"{caller.last_seen:%Y-%m-%d}",
            " ".join(caller.operations),
            f"{migrated}, but called {caller.calls_since_migrated:,} times since" if back else migrated,
            f"{safe:%Y-%m-%d}" if safe else "in use",
        )
        table.add_row(*map(escape, cells), style="red" if back else None)
    return table


def _second(moment: datetime | None) -> str | None:
    return None if moment is None else moment.replace(microsecond=0).isoformat()


def _cell(fact: object) -> object:
    if isinstance(fact, Mapping):
        return " ".join(f"{name}={value}" for name, value in fact.items())
    return " ".join(map(str, fact)) if isinstance(fact, list) else fact
