"""The retirement policy of a call: the headers of every answer, the brownouts, and the sunset."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

from shim import errors
from shim.config import BrownoutSettings, RetirementSettings

_TO_THE_MINUTE: Final = "%Y-%m-%d %H:%M"


def utc_now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ActiveBrownout:
    """A brownout that applies to a caller now.

    Attributes:
        end: The first second after it, UTC.
        seconds_left: Seconds until its end.
        info_url: The page about the retirement.
        dry_run: Whether the call is answered, and the brownout only logged and counted.
    """

    end: datetime
    seconds_left: float
    info_url: str | None
    dry_run: bool

    def error(self) -> errors.GatewayError:
        """Return the error that ends the call, unless this is a dry run."""
        advice = f"call again after {self.end:%Y-%m-%d %H:%M:%S} UTC, and read {self.info_url} before the service ends."
        return errors.BROWNOUT.error(advice, retry_after=self.seconds_left)


class RetirementPolicy:
    """What the dates of the retirement mean for a call.

    Attributes:
        signals: Headers for every answer, as pairs of name and value.
        farewell: The text that replaces pages and WSDL after the sunset, UTF-8.
    """

    def __init__(self, retirement: RetirementSettings, successor: str, clock: Callable[[], datetime] = utc_now) -> None:
        """Prepare the headers and texts that do not depend on the time.

        Args:
            retirement: The dates.
            successor: The URL that replaces the service.
            clock: Returns the time, UTC.
        """
        self.signals = _signals(retirement, successor)
        self._retirement = retirement
        self._clock = clock
        self._alternative = f"call TOEFL Access by REST at {successor} instead, and read {retirement.info_url}."
        self.farewell = f"{errors.SUNSET.error(self._alternative).sentence}\n".encode()

    def ended(self) -> errors.GatewayError | None:
        """Return the error that ends every call after the sunset; ``None`` before it."""
        sunset = self._retirement.sunset
        if sunset is None or self._clock() < sunset:
            return None
        return errors.SUNSET.error(self._alternative)

    def brownout(self, caller: str) -> ActiveBrownout | None:
        """Return the brownout that applies to a caller now; ``None`` if there is none.

        A dry run does not protect from a real brownout at the same time.
        """
        now = self._clock()
        active = [one for one in self._retirement.brownouts if one.start <= now < one.end and one.hits(caller)]
        if not active:
            return None
        brownout = min(active, key=lambda one: one.dry_run)
        seconds_left = (brownout.end - now).total_seconds()
        return ActiveBrownout(brownout.end, seconds_left, self._retirement.info_url, brownout.dry_run)


def _signals(retirement: RetirementSettings, successor: str) -> list[tuple[str, str]]:
    """Return ``Deprecation`` (RFC 9745), ``Sunset`` (RFC 8594), and ``Link`` with their relations and RFC 5829's."""
    headers, relations = [], []
    if retirement.deprecated is not None:
        headers.append(("Deprecation", f"@{int(retirement.deprecated.timestamp())}"))
        relations.append((retirement.info_url, "deprecation"))
    if retirement.sunset is not None:
        headers.append(("Sunset", format_datetime(retirement.sunset, usegmt=True)))
        relations.append((retirement.info_url, "sunset"))
    if relations:
        relations.append((successor, "successor-version"))
        headers.append(("Link", ", ".join(f'<{url}>; rel="{relation}"' for url, relation in relations)))
    return headers


def days_left(sunset: datetime, now: datetime) -> int:
    """Return the days until the sunset. A day that has begun counts; after the sunset there are none or fewer."""
    return math.ceil((sunset - now) / timedelta(days=1))


def outlook(retirement: RetirementSettings, now: datetime) -> str:
    """Return the dates and the next brownout in one line for the operator; empty if none is configured."""
    parts = []
    if retirement.deprecated is not None:
        parts.append(f"deprecated {retirement.deprecated:%Y-%m-%d}")
    if retirement.sunset is not None:
        days = days_left(retirement.sunset, now)
        state = f"days left: {days}" if days > 0 else "passed: every call gets a fault"
        parts.append(f"sunset {retirement.sunset:%Y-%m-%d} ({state})")
    coming = [brownout for brownout in retirement.brownouts if brownout.end > now]
    if coming:
        parts.append(_described(min(coming, key=lambda brownout: brownout.start)))
    return ", ".join(parts)


def _described(brownout: BrownoutSettings) -> str:
    callers = ", ".join(sorted(brownout.callers)) or "all callers"
    exempt = f" except {', '.join(sorted(brownout.exempt))}" if brownout.exempt else ""
    kind = "next brownout (dry run)" if brownout.dry_run else "next brownout"
    period = f"{brownout.start:{_TO_THE_MINUTE}} to {brownout.end:{_TO_THE_MINUTE}} UTC"
    return f"{kind} {period} for {callers}{exempt}"
