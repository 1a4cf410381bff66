"""The status page: may the gateway be switched off today, and if not, who still needs it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final, Literal, NamedTuple
from urllib.parse import parse_qs, urlsplit

from shim import errors
from shim.access import source
from shim.config import RetirementSettings
from shim.ledger.summary import DAYS, QUIET, CallerSummary, Summary
from shim.retirement import policy, successor
from shim.retirement.policy import now
from shim.retirement.template import day_of, render

STALE: Final = timedelta(minutes=10)
"""Figures that are older say nothing of today."""

_STATIC: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    "status.css": "text/css; charset=utf-8",
    "status.js": "text/javascript; charset=utf-8",
    "uplot.css": "text/css; charset=utf-8",
    "uplot.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = [
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]


class Answer(NamedTuple):
    """An answer to a GET."""

    status: HTTPStatus
    headers: list[tuple[str, str]]
    body: bytes


KeyState = Literal["accepted", "refused", "not used yet"]


class Key(NamedTuple):
    """How an authcode stands.

    Attributes:
        name: Its name in the configuration.
        age: Seconds since its file was written; ``None`` where it is in the environment.
        state: What TOEFL Access made of it.
    """

    name: str
    age: float | None
    state: KeyState


class Health(NamedTuple):
    """How the keys and the upstream are.

    Attributes:
        keys: All of them.
        is_answering: Whether TOEFL Access answers, as far as is known.
    """

    keys: tuple[Key, ...]
    is_answering: bool


class Verdict(NamedTuple):
    """Whether the gateway may be switched off.

    Attributes:
        answer: In a word.
        headline: In a sentence.
        reasons: Why.
    """

    answer: Literal["yes", "no", "unknown"]
    headline: str
    reasons: tuple[str, ...]


class Day(NamedTuple):
    """The callers of a day.

    Attributes:
        day: The day, UTC.
        left: Those that still needed the gateway.
        called: Those that called.
    """

    day: date
    left: int
    called: int

    @property
    def seconds(self) -> int:
        """Its start as a Unix time."""
        return int(datetime.combine(self.day, time.min, UTC).timestamp())


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPage:
    """The page, and one for each caller with the programs that replace its calls.

    Attributes:
        read: Reads what the ledger says of the callers; ``None`` where it says nothing yet.
        retirement: The dates.
        upstream: The address of ``/scores``.
        hosts: Names by which the page may be asked for, besides addresses and ``localhost``.
        clock: Tells the time, UTC.
    """

    read: Callable[[], Summary | None]
    retirement: RetirementSettings
    upstream: str
    hosts: frozenset[str]
    clock: Callable[[], datetime] = now

    def answer(self, path: str, query: str, host: str, health: Health) -> Answer | None:
        """Answer a request.

        Args:
            path: Its path.
            query: Its query.
            host: Its Host header.
            health: How things stand.

        Returns:
            ``None`` if there is no such page.
        """
        name = path.removeprefix("/static/")
        if name != path and name in _TYPES:
            kept = ("Cache-Control", "public, max-age=31536000, immutable")
            body = (_STATIC / name).read_bytes()
            return Answer(HTTPStatus.OK, [("Content-Type", _TYPES[name]), kept, *_HEADERS], body)
        if path not in ("/", "/successor"):
            return None
        if not self._is_own(host):
            # A web page elsewhere may have made its own name lead here, to read this one in its visitor's browser.
            told = b"Ask for this page by the gateway's address, not by a name that it does not know.\n"
            return Answer(HTTPStatus.MISDIRECTED_REQUEST, [("Content-Type", "text/plain"), *_HEADERS], told)
        text = self._status(health) if path == "/" else self._successor(parse_qs(query).get("caller", [""])[0])
        status = HTTPStatus.OK if text else HTTPStatus.NOT_FOUND
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"), *_HEADERS]
        return Answer(status, headers, (text or _render("unknown.html")).encode())

    def _is_own(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name == "localhost" or name in self.hosts or source.parse(name) is not None

    def _status(self, health: Health) -> str:
        summary, now, retirement = self.read(), self.clock(), self.retirement
        days = burndown(summary) if summary is not None else []
        chart = {
            "days": [day.seconds for day in days],
            "left": [day.left for day in days],
            "called": [day.called for day in days],
            "sunset": int(retirement.sunset.timestamp()) if retirement.sunset is not None else None,
        }
        callers = summary.callers if summary is not None else ()
        hits = ((caller.name, caller.outcomes.get(errors.BROWNOUT.slug, 0)) for caller in callers)
        return _render(
            "status.html",
            now=now,
            summary=summary,
            verdict=verdict(summary, retirement, now),
            health=health,
            retirement=retirement,
            upstream=self.upstream,
            days_left=policy.days_left(retirement.sunset, now) if retirement.sunset else None,
            days=days,
            chart=chart,
            hits=[(name, calls) for name, calls in hits if calls],
        )

    def _successor(self, name: str) -> str:
        summary = self.read()
        caller = summary.caller(name) if summary is not None else None
        if caller is None:
            return ""
        return _render("successor.html", caller=caller, upstream=self.upstream, successor=successor)


def verdict(summary: Summary | None, retirement: RetirementSettings, now: datetime) -> Verdict:
    """Whether the gateway may be switched off, in plain words."""
    why_unknown = _why_unknown(summary, now)
    if summary is None or why_unknown:
        return Verdict("unknown", "Nobody can say today whether the gateway may be switched off.", (why_unknown,))
    if summary.may_be_switched_off:
        counted = f"Calls are counted since {day_of(min(caller.first_seen for caller in summary.known))}."
        gone = f"Every caller has migrated, or has not called for {QUIET.days} days."
        return Verdict(
            "yes", "Yes, the gateway may be switched off today.", (gone, f"{counted} Who calls once a year?")
        )
    using, all_of_them = len(summary.in_use_by), len(summary.known)
    reasons = [f"{using} of {all_of_them} callers still {'needs' if using == 1 else 'need'} it."]
    returned = [caller.name for caller in summary.in_use_by if caller.migrated is not None]
    if returned:
        reasons.append(f"Marked as migrated, but still calling: {', '.join(returned)}.")
    if retirement.sunset is not None and now >= retirement.sunset:
        reasons.append("The sunset has passed: whoever calls gets no scores, and is told what to use instead.")
    return Verdict("no", "No, do not switch the gateway off today.", tuple(reasons))


def _why_unknown(summary: Summary | None, now: datetime) -> str:
    if summary is None:
        return "There are no figures: no ledger is kept, or its writer has not told of it yet."
    if now - summary.made > STALE:
        return (
            f"The figures are of {summary.made:%H:%M} UTC on {day_of(summary.made)}: the ledger's writer does not run."
        )
    return "" if summary.known else "No call of a caller with a name has been counted yet."


def burndown(summary: Summary) -> list[Day]:
    """The callers day by day, oldest first, from the first call on; the last day is that of the summary."""
    today = summary.made.date()
    spans = [_needed(caller, summary.made) for caller in summary.known]
    first = min((begin for begin, _ in spans), default=today)
    days = []
    for age in range(min((today - first).days, DAYS - 1), -1, -1):
        day = today - timedelta(days=age)
        left = sum(begin <= day <= end for begin, end in spans)
        days.append(Day(day, left, sum(bool(caller.daily[-1 - age]) for caller in summary.known)))
    return days


def _needed(caller: CallerSummary, now: datetime) -> tuple[date, date]:
    """The first and the last day on which a caller needed the gateway."""
    safe = caller.safe_since(now)
    # The day on which it left is the last with it, but not today: that is as the verdict says.
    last = now.date() if safe is None else min(safe.date(), now.date() - timedelta(days=1))
    return caller.first_seen.date(), last


@cache
def _static(name: str) -> str:
    """The address of a file, which is another when the file is."""
    digest = hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
    return f"static/{name}?{digest}"


def _render(name: str, **values: object) -> str:
    return render(f"web/{name}", static=_static, **values)
