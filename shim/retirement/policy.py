"""How callers are told that the gateway ends: in every answer, by brownouts, and when it has ended."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

from shim import errors
from shim.config import BrownoutSettings, RetirementSettings

_TO_THE_MINUTE: Final = "%Y-%m-%d %H:%M"


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


class Policy:
    """What the dates of the retirement mean for a call.

    Attributes:
        signals: Headers for every answer, as pairs.
        farewell: A page for people, for when it has ended.
    """

    def __init__(self, retirement: RetirementSettings, successor: str, clock: Callable[[], datetime] = now) -> None:
        """Prepare all that can be said beforehand.

        Args:
            retirement: The dates.
            successor: The address that replaces the service.
            clock: Tells the time, UTC.
        """
        self.signals = _signals(retirement, successor)
        self._brownouts = retirement.brownouts
        self._info_url = retirement.info_url
        self._sunset = retirement.sunset
        self._clock = clock
        self._instead = f"ask TOEFL Access by REST at {successor} instead, as {self._info_url} tells."
        self.farewell = f"{errors.SUNSET.error(self._instead).sentence}\n".encode()

    def ended(self) -> errors.GatewayError | None:
        """The error with which every call ends after the sunset; ``None`` before."""
        if self._sunset is None or self._clock() < self._sunset:
            return None
        return errors.SUNSET.error(self._instead)

    def spares(self, caller: str) -> bool:
        """Whether a brownout would hit a caller now, but is a dry run.

        Raises:
            CallerError: One hits it.
        """
        if not self._brownouts:
            return False
        moment = self._clock()
        hits = [one for one in self._brownouts if one.start <= moment < one.end and one.hits(caller)]
        for hit in hits:
            if not hit.dry_run:
                raise self._brownout(hit, moment)
        return bool(hits)

    def _brownout(self, hit: BrownoutSettings, moment: datetime) -> errors.GatewayError:
        told = f"call again after {hit.end:%Y-%m-%d %H:%M:%S} UTC, and read {self._info_url} before it ends."
        return errors.BROWNOUT.error(told, retry_after=(hit.end - moment).total_seconds())


def _signals(retirement: RetirementSettings, successor: str) -> list[tuple[str, str]]:
    """The headers of RFC 9745, RFC 8594, and with RFC 5829's relation the address of what comes after."""
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


def days_left(sunset: datetime, moment: datetime) -> int:
    """How many days there are until the sunset, begun ones included; none or fewer after it."""
    return math.ceil((sunset - moment) / timedelta(days=1))


def outlook(retirement: RetirementSettings, moment: datetime) -> str:
    """What is coming, in a line for the operator; empty where nothing was set."""
    told = []
    if retirement.deprecated is not None:
        told.append(f"deprecated {retirement.deprecated:%Y-%m-%d}")
    if retirement.sunset is not None:
        days = days_left(retirement.sunset, moment)
        left = f"days left: {days}" if days > 0 else "over: every call is told so"
        told.append(f"sunset {retirement.sunset:%Y-%m-%d} ({left})")
    coming = [brownout for brownout in retirement.brownouts if brownout.end > moment]
    if coming:
        following = min(coming, key=lambda brownout: brownout.start)
        hit = ", ".join(sorted(following.callers)) or "all callers"
        hit += f" but {', '.join(sorted(following.exempt))}" if following.exempt else ""
        kind = "next brownout, a dry run," if following.dry_run else "next brownout"
        told.append(f"{kind} {following.start:{_TO_THE_MINUTE}} to {following.end:{_TO_THE_MINUTE}} UTC for {hit}")
    return ", ".join(told)
