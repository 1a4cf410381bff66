"""How the gateway ends."""

from collections.abc import Iterator
from itertools import combinations

from pydantic import Field, PositiveInt

from shim.config.contracts import SHIPPED
from shim.config.values import AnchoredPath, Moment, Page, SecureUrl, SettingsSection


class BrownoutSettings(SettingsSection):
    """A time in which callers are told of the end instead of being answered.

    Attributes:
        start: Its first second, UTC.
        end: The first second after it, UTC.
        callers: Names of those whom it hits; all, if none is named.
        exempt: Names of those whom it does not hit.
        dry_run: Answer as always, and only log and count whom it would have hit.
    """

    start: Moment
    end: Moment
    callers: frozenset[str] = frozenset()
    exempt: frozenset[str] = frozenset()
    dry_run: bool = False

    def hits(self, caller: str) -> bool:
        """Whether it is meant for a caller."""
        return (not self.callers or caller in self.callers) and caller not in self.exempt


class RetirementSettings(SettingsSection):
    """How the gateway ends.

    Attributes:
        deprecated: When callers should begin to leave, UTC.
        sunset: When it answers for the last time, UTC; a day's first second where a day is given.
        info_url: Where callers read about it.
        brownouts: Times before the sunset in which callers are told of it.
    """

    deprecated: Moment | None = None
    sunset: Moment | None = None
    info_url: Page | None = None
    brownouts: tuple[BrownoutSettings, ...] = ()

    def wrong(self, callers: frozenset[str]) -> Iterator[str]:
        """What cannot be meant, with callers of these names."""
        if self.info_url is None and (self.deprecated or self.sunset or self.brownouts):
            yield "info_url: is needed, for callers who are told of the end want to know more"
        if self.deprecated and self.sunset and self.sunset < self.deprecated:
            yield "sunset: is before deprecated"
        for number, brownout in enumerate(self.brownouts):
            if brownout.end <= brownout.start:
                yield f"brownouts.{number}: ends before it starts"
            if self.deprecated and brownout.start < self.deprecated:
                yield f"brownouts.{number}: starts before deprecated"
            if self.sunset and brownout.end > self.sunset:
                yield f"brownouts.{number}: ends after the sunset"
            unknown = (brownout.callers | brownout.exempt) - callers
            yield from (f"brownouts.{number}: no caller is named {name}" for name in sorted(unknown))
            if not unknown and not any(map(brownout.hits, callers)):
                yield f"brownouts.{number}: hits nobody"
        # A caller is told when to call again, and then must not meet the next one.
        real = [(number, brownout) for number, brownout in enumerate(self.brownouts) if not brownout.dry_run]
        for (one, first), (other, second) in combinations(real, 2):
            both = sorted(name for name in callers if first.hits(name) and second.hits(name))
            if both and first.start <= second.end and second.start <= first.end:
                yield f"brownouts.{other}: overlaps or touches brownouts.{one} for {', '.join(both)}"


class LegacySettings(SettingsSection):
    """The old service, while it lives, to compare with; ``toefl-shim compare`` can be told other ones.

    Attributes:
        url: Its address.
        wsdl: Its WSDL; by default the shipped one.
        mapping: What its parts mean; by default beside the WSDL, with ``.toml`` at its end.
        authcode_file: File with the base64 of ``user:password``, if these are not the halves of the authcode in use.
    """

    url: SecureUrl
    wsdl: AnchoredPath = SHIPPED / "TOEFLEdm.wsdl"
    mapping: AnchoredPath | None = None
    authcode_file: AnchoredPath | None = None


class ShadowSettings(SettingsSection):
    """How many live calls are compared with the old service once they are answered.

    Attributes:
        sample: The share of the calls, from 0 to 1; a call that comes while another is compared is not.
        time_limit: Seconds for one comparison.
    """

    sample: float = Field(default=0, ge=0, le=1)
    time_limit: PositiveInt = 120
