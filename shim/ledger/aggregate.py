"""Calls of the journal, added up. The order of the lines, and how they are split into batches, do not matter."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

MAX_UNNAMED: Final = 1000
"""Unnamed callers that are counted one by one. Anyone can call from ever new addresses, so there must be a limit."""
OTHER_UNNAMED: Final = "unknown-others"
"""The caller that stands for all unnamed callers beyond the limit."""
_OTHER_SOFTWARE: Final = "other"


class CallKey(NamedTuple):
    """What calls that are added up have in common; ``day`` is in UTC."""

    day: date
    caller: str
    operation: str
    outcome: str
    software: str
    soap: str


@dataclass(slots=True, kw_only=True)
class CallTotals:
    """Totals of the calls with one key.

    Attributes:
        calls: Number of calls.
        records: Score records in their answers.
        bytes: Bytes of score data in their answers.
        total_us: Microseconds from the start to the end of each call.
        upstream_us: Microseconds of these that TOEFL Access took.
        first_seen: End of the first call, UTC.
        last_seen: End of the last call, UTC.
        startdate: Earliest start of the queried ranges, ISO 8601; ``None`` if there was no query.
        enddate: Latest end of the queried ranges, ISO 8601; ``None`` if there was no query.
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

    def add(self, other: "CallTotals") -> None:
        """Add the totals of other calls."""
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
class CallerTotals:
    """Totals of one caller.

    Attributes:
        is_named: Whether it has a name in the configuration.
        since_migrated: Calls after it was marked as migrated.
        first_seen: End of its first call, UTC.
        last_seen: End of its last call, UTC.
    """

    is_named: bool
    since_migrated: int
    first_seen: datetime
    last_seen: datetime


class AnsweredQuery(NamedTuple):
    """A query that was answered with scores. Of two queries, the later one compares as greater."""

    at: datetime
    startdate: str
    enddate: str
    type: str
    reportby: str
    format: str


@dataclass(slots=True)
class Aggregate:
    """Totals of a batch of calls.

    Attributes:
        migrated: When each migrated caller was marked, UTC.
        unnamed: The unnamed callers that are counted one by one, those of the batch included.
        calls: Totals by key.
        callers: Totals by caller.
        queries: The last query by caller and operation.
        unreadable: Number of lines that are not calls.
    """

    migrated: Mapping[str, datetime] = field(default_factory=dict)
    unnamed: set[str] = field(default_factory=set)
    calls: dict[CallKey, CallTotals] = field(default_factory=dict)
    callers: dict[str, CallerTotals] = field(default_factory=dict)
    queries: dict[tuple[str, str], AnsweredQuery] = field(default_factory=dict)
    unreadable: int = 0

    def add(self, lines: Iterable[bytes]) -> None:
        """Add lines of the journal. A line that is not a call, such as one cut by a full disk, is only counted."""
        for line in lines:
            try:
                self._add(json.loads(line))
            except (ValueError, TypeError, KeyError, OverflowError):
                self.unreadable += 1

    def _add(self, call: Mapping[str, Any]) -> None:
        at = datetime.fromtimestamp(call["at"], UTC)
        caller, software = self._identify(call)
        key = CallKey(at.date(), caller, call.get("operation", ""), call["outcome"], software, call["soap"])
        totals = _totals(call, at)
        if (present := self.calls.setdefault(key, totals)) is not totals:
            present.add(totals)
        self._add_caller(caller, at, is_named=call["named"])
        if "type" in call and "reportby" in call:
            words = call["type"], call["reportby"], call.get("format", "text")
            query = AnsweredQuery(at, call["start"], call["end"], *words)
            self.queries[caller, key.operation] = max(query, self.queries.get((caller, key.operation), query))

    def _identify(self, call: Mapping[str, Any]) -> tuple[str, str]:
        """Return the caller and the software that a call is counted under."""
        if not call["named"] and call["caller"] not in self.unnamed:
            if len(self.unnamed) >= MAX_UNNAMED:
                return OTHER_UNNAMED, _OTHER_SOFTWARE
            self.unnamed.add(call["caller"])
        return call["caller"], call["software"]

    def _add_caller(self, caller: str, at: datetime, *, is_named: bool) -> None:
        new = CallerTotals(is_named=False, since_migrated=0, first_seen=at, last_seen=at)
        totals = self.callers.setdefault(caller, new)
        totals.is_named |= is_named
        totals.since_migrated += caller in self.migrated and at > self.migrated[caller]
        totals.first_seen = min(totals.first_seen, at)
        totals.last_seen = max(totals.last_seen, at)


def _totals(call: Mapping[str, Any], at: datetime) -> CallTotals:
    has_scores = call["outcome"] == "ok"
    return CallTotals(
        calls=1,
        records=call.get("records", 0) if has_scores else 0,
        bytes=call.get("bytes", 0) if has_scores else 0,
        total_us=round(call["seconds"] * 1e6),
        upstream_us=round(call.get("upstream", 0) * 1e6),
        first_seen=at,
        last_seen=at,
        startdate=call.get("start"),
        enddate=call.get("end"),
    )
