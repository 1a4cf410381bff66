"""Calls of the journal, counted together: in whatever order and in however many parts they come, to the same sum."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

STRANGERS: Final = "unknown-others"
"""The caller that unnamed ones count as when there are too many: anybody can call from ever other addresses."""
MOST_UNNAMED: Final = 1000


class Key(NamedTuple):
    """What calls have in common that are counted together; ``day`` is UTC's."""

    day: date
    caller: str
    operation: str
    outcome: str
    software: str
    soap: str


@dataclass(slots=True, kw_only=True)
class Count:
    """Calls counted together.

    Attributes:
        calls: How many.
        records: Score records that they were answered with.
        bytes: Score data that they were answered with.
        total_us: Microseconds from their beginnings to their ends.
        upstream_us: Of these, what TOEFL Access took.
        first_seen: When the first ended, UTC.
        last_seen: When the last did.
        startdate: The earliest that was asked for, as ISO 8601; ``None`` if nothing was.
        enddate: The latest.
    """

    calls: int
    records: int
    bytes: int
    total_us: int
    upstream_us: int
    first_seen: datetime
    last_seen: datetime
    startdate: str | None
    enddate: str | None

    def add(self, other: "Count") -> None:
        """Count others along."""
        self.calls += other.calls
        self.records += other.records
        self.bytes += other.bytes
        self.total_us += other.total_us
        self.upstream_us += other.upstream_us
        self.first_seen = min(self.first_seen, other.first_seen)
        self.last_seen = max(self.last_seen, other.last_seen)
        self.startdate = min(filter(None, (self.startdate, other.startdate)), default=None)
        self.enddate = max(filter(None, (self.enddate, other.enddate)), default=None)


@dataclass(slots=True, kw_only=True)
class Seen:
    """A caller: whether it has a name in the configuration, its calls since it was marked, first and last seen."""

    is_named: bool
    since_migrated: int
    first_seen: datetime
    last_seen: datetime


class Query(NamedTuple):
    """A query that was answered with scores; of two, the later one is greater."""

    at: datetime
    startdate: str
    enddate: str
    type: str
    reportby: str
    format: str


@dataclass(slots=True)
class Aggregate:
    """What was counted.

    Attributes:
        marks: When each caller that was marked as migrated was, UTC.
        unnamed: The callers without a name that are known, these ones included.
        counts: The calls.
        callers: By name.
        queries: The last one, by caller and operation.
        unread: Lines that are no calls.
    """

    marks: Mapping[str, datetime] = field(default_factory=dict)
    unnamed: set[str] = field(default_factory=set)
    counts: dict[Key, Count] = field(default_factory=dict)
    callers: dict[str, Seen] = field(default_factory=dict)
    queries: dict[tuple[str, str], Query] = field(default_factory=dict)
    unread: int = 0

    def add(self, lines: Iterable[bytes]) -> None:
        """Count lines of the journal; one that was cut when the disk was full is no call."""
        for line in lines:
            try:
                self._add(json.loads(line))
            except (ValueError, TypeError, KeyError, OverflowError):
                self.unread += 1

    def _add(self, call: Mapping[str, Any]) -> None:
        at = datetime.fromtimestamp(call["at"], UTC)
        operation, ok = call.get("operation", ""), call["outcome"] == "ok"
        caller, software = self._who(call)
        key = Key(at.date(), caller, operation, call["outcome"], software, call["soap"])
        count = Count(
            calls=1,
            records=call.get("records", 0) if ok else 0,
            bytes=call.get("bytes", 0) if ok else 0,
            total_us=round(call["seconds"] * 1e6),
            upstream_us=round(call.get("upstream", 0) * 1e6),
            first_seen=at,
            last_seen=at,
            startdate=call.get("start"),
            enddate=call.get("end"),
        )
        if (counted := self.counts.setdefault(key, count)) is not count:
            counted.add(count)
        seen = self.callers.setdefault(caller, Seen(is_named=False, since_migrated=0, first_seen=at, last_seen=at))
        seen.is_named |= call["named"]
        seen.since_migrated += caller in self.marks and at > self.marks[caller]
        seen.first_seen, seen.last_seen = min(seen.first_seen, at), max(seen.last_seen, at)
        if "type" in call and "reportby" in call:
            words = call["type"], call["reportby"], call.get("format", "text")
            query = Query(at, call["start"], call["end"], *words)
            self.queries[caller, operation] = max(query, self.queries.get((caller, operation), query))

    def _who(self, call: Mapping[str, Any]) -> tuple[str, str]:
        if not call["named"] and call["caller"] not in self.unnamed:
            if len(self.unnamed) >= MOST_UNNAMED:
                return STRANGERS, "other"
            self.unnamed.add(call["caller"])
        return call["caller"], call["software"]
