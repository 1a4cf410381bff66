"""The status page: the verdict, the callers, and for each caller the requests that replace its calls."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from shim import errors
from shim.access import source
from shim.config import RetirementSettings
from shim.ledger.burndown import BurndownDay, burndown
from shim.ledger.summary import Summary
from shim.retirement import policy, successor, verdict
from shim.retirement.policy import utc_now
from shim.retirement.template import render
from shim.web.health import Health

_STATIC: Final = Path(__file__).parent / "static"
_STATIC_TYPES: Final = {
    "status.css": "text/css; charset=utf-8",
    "status.js": "text/javascript; charset=utf-8",
    "uplot.css": "text/css; charset=utf-8",
    "uplot.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_SECURITY_HEADERS: Final = [
    ("Content-Security-Policy", _CONTENT_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]


class PageResponse(NamedTuple):
    """The response to a GET."""

    status: HTTPStatus
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPage:
    """The status page, its static files, and a page of replacements for each caller.

    Attributes:
        read_summary: Returns the summary of the ledger; ``None`` if there is none yet.
        retirement: The dates.
        upstream: The URL of ``/scores``.
        hosts: Host names of the page. IP addresses and ``localhost`` are always accepted.
        clock: Returns the time, UTC.
    """

    read_summary: Callable[[], Summary | None]
    retirement: RetirementSettings
    upstream: str
    hosts: frozenset[str]
    clock: Callable[[], datetime] = utc_now

    def respond(self, path: str, query: str, host: str, health: Health) -> PageResponse | None:
        """Return the response to a request; ``None`` if there is no page at the path.

        Args:
            path: The path.
            query: The query string.
            host: The Host header.
            health: The health of the gateway.
        """
        if path.startswith("/static/"):
            return _static_file(path.removeprefix("/static/"))
        if path not in ("/", "/successor"):
            return None
        if not self._is_own_host(host):
            # DNS rebinding: another site's name may resolve to this address, so that its scripts can read the page.
            text = b"Open this page by the gateway's address: it is not known by this host name.\n"
            headers = [("Content-Type", "text/plain"), *_SECURITY_HEADERS]
            return PageResponse(HTTPStatus.MISDIRECTED_REQUEST, headers, text)
        if path == "/":
            return _page(HTTPStatus.OK, self._status(health))
        replacements = self._replacements(parse_qs(query).get("caller", [""])[0])
        if replacements is None:
            return _page(HTTPStatus.NOT_FOUND, _render("unknown.html"))
        return _page(HTTPStatus.OK, replacements)

    def _is_own_host(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name == "localhost" or name in self.hosts or source.parse(name) is not None

    def _status(self, health: Health) -> str:
        summary, now, sunset = self.read_summary(), self.clock(), self.retirement.sunset
        days = burndown(summary) if summary is not None else []
        return _render(
            "status.html",
            now=now,
            summary=summary,
            verdict=verdict.decide(summary, self.retirement, now),
            health=health,
            retirement=self.retirement,
            upstream=self.upstream,
            days_left=policy.days_left(sunset, now) if sunset is not None else None,
            days=days,
            chart=_chart(days, sunset),
            hits=_brownout_hits(summary),
        )

    def _replacements(self, name: str) -> str | None:
        summary = self.read_summary()
        caller = summary.caller(name) if summary is not None else None
        if caller is None:
            return None
        return _render("successor.html", caller=caller, upstream=self.upstream, successor=successor)


def _chart(days: list[BurndownDay], sunset: datetime | None) -> dict[str, object]:
    """Return what ``status.js`` draws, with days and the sunset as Unix time."""
    return {
        "days": [day.timestamp for day in days],
        "remaining": [day.remaining for day in days],
        "active": [day.active for day in days],
        "sunset": int(sunset.timestamp()) if sunset is not None else None,
    }


def _brownout_hits(summary: Summary | None) -> list[tuple[str, int]]:
    """Return the callers that brownouts hit in the last 30 days, and how many of their calls."""
    callers = summary.callers if summary is not None else ()
    hits = ((caller.name, caller.outcomes.get(errors.BROWNOUT.slug, 0)) for caller in callers)
    return [(name, calls) for name, calls in hits if calls]


def _page(status: HTTPStatus, text: str) -> PageResponse:
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"), *_SECURITY_HEADERS]
    return PageResponse(status, headers, text.encode())


def _static_file(name: str) -> PageResponse | None:
    if name not in _STATIC_TYPES:
        return None
    cache_forever = ("Cache-Control", "public, max-age=31536000, immutable")
    headers = [("Content-Type", _STATIC_TYPES[name]), cache_forever, *_SECURITY_HEADERS]
    return PageResponse(HTTPStatus.OK, headers, (_STATIC / name).read_bytes())


@cache
def _static_url(name: str) -> str:
    """Return the URL of a static file. It contains a digest of the file, as browsers cache it for ever."""
    digest = hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
    return f"static/{name}?{digest}"


def _render(name: str, **values: object) -> str:
    return render("shim.web", name, static=_static_url, **values)
