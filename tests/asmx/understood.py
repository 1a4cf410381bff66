"""What a request means: the query that TOEFL Access must be asked, or the document that is wanted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

REPORT_BY: Final = {"getScorelinkData": "scorelinkbytestdate"}
"""By operation: the report-by value that the gateway's configuration adds to the shipped mapping."""

_TYPE: Final = "TOEFL"
_REPORT_BY: Final = "scorelinkbyreportdate"
_OF_WHOLE_DAYS: Final = frozenset({"ByDay", "getEDIData", "getScorelinkData", "getScorelinkDataByReportDate"})
_SHOWN: Final = 20
_LAST_SECOND: Final = time(23, 59, 59)
# .NET writes seven digits; Python reads six.
_SEVENTH_DIGIT: Final = re.compile(r"(?<=\.\d{6})\d")
# ASP.NET puts ? or U+FFFD for bytes that are no character of the declared encoding.
_BEYOND_ASCII: Final = re.compile("[?\x80-\U0010ffff]+")


@dataclass(frozen=True, slots=True)
class Query:
    """A range of scores.

    Attributes:
        start: First second, UTC without a zone.
        end: Last second, UTC without a zone.
        type: Test program; a run of characters beyond ASCII as one question mark.
        reportby: What the range selects by.
    """

    start: datetime
    end: datetime
    type: str
    reportby: str

    def __str__(self) -> str:
        """Tell it in one line; without the report-by value that nearly all have."""
        by = "" if self.reportby == _REPORT_BY else f" {self.reportby}"
        kind = self.type if len(self.type) <= _SHOWN else f"{self.type[:_SHOWN]}…"
        return f"{self.start.isoformat()} to {self.end.isoformat()} {kind}{by}"


@dataclass(frozen=True, slots=True)
class Document:
    """An answer to a GET or HEAD.

    Attributes:
        kind: What it is, in a few words.
    """

    kind: str

    def __str__(self) -> str:
        """Tell its kind."""
        return self.kind


def asked(parameters: Mapping[str, str]) -> Query:
    """Return the query that the parameters of a REST request state."""
    return Query(
        datetime.fromisoformat(parameters["startdate"]),
        datetime.fromisoformat(parameters["enddate"]),
        _folded(parameters["type"]),
        parameters["reportby"],
    )


def meant(stated: Mapping[str, str]) -> Query:
    """Return the query that an operation and its parameters mean, by the shipped contract.

    Args:
        stated: What the ASMX service states in its result: ``operation``, ``start``, ``end``, and ``type`` and
            ``reportby`` where they were sent. Values that were left out have the defaults of the mapping.
    """
    operation = stated["operation"]
    start, end = (_moment(stated[name]) for name in ("start", "end"))
    if operation in _OF_WHOLE_DAYS:
        start, end = _start_of_day(start), _end_of_day(end)
    return Query(
        _second(start),
        _second(end),
        _folded(stated.get("type", "")) or _TYPE,
        stated.get("reportby", "").strip() or REPORT_BY.get(operation, _REPORT_BY),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(_SEVENTH_DIGIT.sub("", text))


def _start_of_day(moment: datetime) -> datetime:
    """Return the first second of a day that is given as its midnight: the written date counts, not its offset."""
    return moment.replace(tzinfo=None) if moment.time() == time.min else moment


def _end_of_day(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), _LAST_SECOND) if moment.time() == time.min else moment


def _second(moment: datetime) -> datetime:
    """Return the moment in UTC without a zone; its fraction of a second is cut."""
    offset = moment.utcoffset() or timedelta()
    return moment.replace(tzinfo=None, microsecond=0) - offset


def _folded(text: str) -> str:
    return _BEYOND_ASCII.sub("?", text.strip())
