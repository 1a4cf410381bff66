"""Settings of the retirement: when the gateway ends, and how callers learn of it."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from shim.config.access import AuthcodeSettings, CallerSettings, who_may_call
from shim.config.gateway import GatewaySettings
from shim.config.section import SettingsSection
from shim.config.values import Moment, Page


class BrownoutSettings(SettingsSection):
    """A brownout: a time in which callers get a fault that tells them of the sunset.

    Attributes:
        start: Its first second, UTC.
        end: The first second after it, UTC.
        callers: Names of the callers that it affects; all if empty.
        exempt: Names of the callers that it does not affect.
        dry_run: Answer as usual; only log and count the calls that it would affect.
    """

    start: Moment
    end: Moment
    callers: frozenset[str] = frozenset()
    exempt: frozenset[str] = frozenset()
    dry_run: bool = False

    def hits(self, caller: str) -> bool:
        """Whether it affects a caller."""
        return (not self.callers or caller in self.callers) and caller not in self.exempt

    def touches(self, other: "BrownoutSettings") -> bool:
        """Whether no time lies between it and another brownout."""
        return self.start <= other.end and other.start <= self.end


class RetirementSettings(SettingsSection):
    """The retirement of the gateway.

    Attributes:
        deprecated: When callers should begin to leave, UTC.
        sunset: The first second in which no call is answered any more, UTC; a date means its first second.
        info_url: A page on which callers can read about it.
        brownouts: The brownouts, all before the sunset.
    """

    deprecated: Moment | None = None
    sunset: Moment | None = None
    info_url: Page | None = None
    brownouts: tuple[BrownoutSettings, ...] = ()


def retirement_has_a_page(retirement: RetirementSettings) -> Iterator[str]:
    """Yield a mistake if callers would be told of the retirement without a page to read about it."""
    if retirement.info_url is None and (retirement.deprecated or retirement.sunset or retirement.brownouts):
        yield "retirement.info_url: is required with deprecated, sunset or brownouts, which refer callers to it"


def sunset_follows_deprecation(retirement: RetirementSettings) -> Iterator[str]:
    """Yield a mistake if the gateway ends before it is deprecated."""
    if retirement.deprecated and retirement.sunset and retirement.sunset < retirement.deprecated:
        yield "retirement.sunset: is before deprecated"


def brownouts_end_after_their_start(retirement: RetirementSettings) -> Iterator[str]:
    """Yield a mistake for each brownout that lasts no time."""
    for number, brownout in enumerate(retirement.brownouts):
        if brownout.end <= brownout.start:
            yield f"retirement.brownouts.{number}: ends before it starts"


def brownouts_lie_between_deprecation_and_sunset(retirement: RetirementSettings) -> Iterator[str]:
    """Yield a mistake for each brownout that is too early or too late."""
    for number, brownout in enumerate(retirement.brownouts):
        if retirement.deprecated and brownout.start < retirement.deprecated:
            yield f"retirement.brownouts.{number}: starts before deprecated"
        if retirement.sunset and brownout.end > retirement.sunset:
            yield f"retirement.brownouts.{number}: ends after the sunset"


def brownouts_name_known_callers(
    retirement: RetirementSettings,
    authcodes: Sequence[AuthcodeSettings],
    callers: Sequence[CallerSettings],
    gateway: GatewaySettings,
) -> Iterator[str]:
    """Yield a mistake for each name in a brownout that no caller has."""
    names = {caller.name for caller in who_may_call(authcodes, callers, gateway)}
    for number, brownout in enumerate(retirement.brownouts):
        for name in sorted((brownout.callers | brownout.exempt) - names):
            yield f"retirement.brownouts.{number}: no caller is named {name}"


def brownouts_affect_somebody(
    retirement: RetirementSettings,
    authcodes: Sequence[AuthcodeSettings],
    callers: Sequence[CallerSettings],
    gateway: GatewaySettings,
) -> Iterator[str]:
    """Yield a mistake for each brownout whose names are all known and that affects no caller."""
    names = {caller.name for caller in who_may_call(authcodes, callers, gateway)}
    for number, brownout in enumerate(retirement.brownouts):
        if brownout.callers | brownout.exempt <= names and not any(map(brownout.hits, names)):
            yield f"retirement.brownouts.{number}: affects no caller"


def brownouts_leave_time_to_call(
    retirement: RetirementSettings,
    authcodes: Sequence[AuthcodeSettings],
    callers: Sequence[CallerSettings],
    gateway: GatewaySettings,
) -> Iterator[str]:
    """Yield a mistake for each two brownouts of one caller without time between: the first tells when to call again."""
    names = sorted({caller.name for caller in who_may_call(authcodes, callers, gateway)})
    real = [(number, brownout) for number, brownout in enumerate(retirement.brownouts) if not brownout.dry_run]
    for (one, first), (other, second) in combinations(real, 2):
        both = ", ".join(name for name in names if first.hits(name) and second.hits(name))
        if both and first.touches(second):
            yield f"retirement.brownouts.{other}: overlaps or touches brownouts.{one} for {both}"
