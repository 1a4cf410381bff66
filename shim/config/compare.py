"""Settings of the comparison of the legacy service with TOEFL Access, by a command or for live calls."""

from collections.abc import Iterator

from pydantic import Field, PositiveInt

from shim.config.access import AuthcodeSettings
from shim.config.contracts import SHIPPED
from shim.config.section import SettingsSection
from shim.config.spool import SpoolSettings
from shim.config.upstream import UpstreamSettings
from shim.config.values import AnchoredPath, SecureUrl


class LegacySettings(SettingsSection):
    """The legacy service, as long as it lives; options of ``toefl-shim compare`` win over these settings.

    Attributes:
        url: Its address.
        wsdl: Its WSDL file; the shipped one if unset.
        mapping: The mapping of that WSDL; the file beside it that ends in ``.toml`` if unset.
        authcode_file: File with the base64 of ``user:password``, if the service takes other credentials than the
            halves of the authcode in use.
    """

    url: SecureUrl
    wsdl: AnchoredPath = SHIPPED / "TOEFLEdm.wsdl"
    mapping: AnchoredPath | None = None
    authcode_file: AnchoredPath | None = None


class ShadowSettings(SettingsSection):
    """The comparison of live calls, each after it was answered.

    Attributes:
        sample: The share of the calls to compare, from 0 to 1. A sampled call is dropped if a comparison is running.
        time_limit: Seconds for one comparison.
    """

    sample: float = Field(default=0, ge=0, le=1)
    time_limit: PositiveInt = 120


class ComparisonSettings(SettingsSection):
    """What a comparison needs of the configuration. As JSON it can be handed to another process.

    ``Config.comparison`` makes it with absolute paths, so that validating its dump gives an
    equal object in any working directory.

    Attributes:
        upstream: TOEFL Access.
        spool: Where its answers are held.
        authcodes: The stored authcodes; a comparison names the one to use.
        legacy: The legacy service.
        shadow: The limits of a comparison of a live call.
    """

    upstream: UpstreamSettings
    spool: SpoolSettings
    authcodes: tuple[AuthcodeSettings, ...]
    legacy: LegacySettings
    shadow: ShadowSettings


def shadow_has_a_legacy_service(shadow: ShadowSettings, legacy: LegacySettings | None) -> Iterator[str]:
    """Yield a mistake if live calls are to be compared with nothing."""
    if shadow.sample and legacy is None:
        yield "shadow.sample: needs legacy.url, the address of the service to compare with"
