"""The whole configuration, read from the file and the environment."""

import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import Field, TypeAdapter, ValidationError

from shim.config import access, environment, retirement
from shim.config.access import AuthcodeSettings, CallerSettings, who_may_call
from shim.config.compare import ComparisonSettings, LegacySettings, ShadowSettings, shadow_has_a_legacy_service
from shim.config.contracts import ContractSettings, paths_differ
from shim.config.environment import PREFIX
from shim.config.gateway import GatewaySettings
from shim.config.ledger import LedgerSettings
from shim.config.retirement import RetirementSettings
from shim.config.section import SettingsSection, reasons
from shim.config.spool import SpoolSettings, spool_holds_the_largest_file
from shim.config.tracing import TracingSettings
from shim.config.upstream import UpstreamSettings
from shim.config.values import relative_to

_WHO_MAY_CALL: Final = ("authcodes", "callers", "gateway")
_RULES: Final[tuple[tuple[Callable[..., Iterator[str]], tuple[str, ...]], ...]] = (
    (access.authcode_names_differ, ("authcodes",)),
    (access.there_is_an_authcode, ("authcodes", "callers")),
    (access.caller_names_differ, ("callers",)),
    (access.authcodes_of_callers_exist, _WHO_MAY_CALL),
    (access.exposed_callers_authenticate, ("callers", "gateway")),
    (access.certificates_come_from_a_proxy, ("callers", "gateway")),
    (retirement.retirement_has_a_page, ("retirement",)),
    (retirement.sunset_follows_deprecation, ("retirement",)),
    (retirement.brownouts_end_after_their_start, ("retirement",)),
    (retirement.brownouts_lie_between_deprecation_and_sunset, ("retirement",)),
    (retirement.brownouts_name_known_callers, ("retirement", *_WHO_MAY_CALL)),
    (retirement.brownouts_affect_somebody, ("retirement", *_WHO_MAY_CALL)),
    (retirement.brownouts_leave_time_to_call, ("retirement", *_WHO_MAY_CALL)),
    (spool_holds_the_largest_file, ("spool", "upstream")),
    (shadow_has_a_legacy_service, ("shadow", "legacy")),
    (paths_differ, ("contracts",)),
)
"""The rules between sections: each is given the sections beside it, and yields what is wrong."""


class ConfigError(Exception):
    """The configuration is wrong; the message has one line for each mistake."""


class Config(SettingsSection):
    """Everything that an operator can set. Each attribute is a table, or a list of tables, of the file."""

    gateway: GatewaySettings = GatewaySettings()
    upstream: UpstreamSettings
    spool: SpoolSettings = SpoolSettings()
    tracing: TracingSettings = TracingSettings()
    ledger: LedgerSettings = Field(default_factory=LedgerSettings)
    authcodes: tuple[AuthcodeSettings, ...] = ()
    callers: tuple[CallerSettings, ...] = ()
    contracts: tuple[ContractSettings, ...] = (ContractSettings(),)
    retirement: RetirementSettings = RetirementSettings()
    legacy: LegacySettings | None = None
    shadow: ShadowSettings = ShadowSettings()

    def mistakes(self) -> Iterable[str]:
        """Return what is wrong between the sections."""
        return _mistakes_between(dict(self))

    @property
    def who_may_call(self) -> tuple[CallerSettings, ...]:
        """The callers, each with the name of its authcode; made of the authcodes if none is configured."""
        return who_may_call(self.authcodes, self.callers, self.gateway)

    def comparison(self, legacy: Mapping[str, str | Path] | None = None) -> ComparisonSettings:
        """Return what a comparison needs.

        Args:
            legacy: The settings that win over those of ``legacy``; paths are absolute.

        Raises:
            ConfigError: The settings of the legacy service are wrong or missing.
        """
        return ComparisonSettings(
            upstream=self.upstream,
            spool=self.spool,
            authcodes=self.authcodes,
            legacy=self._legacy(legacy or {}),
            shadow=self.shadow,
        )

    def _legacy(self, changed: Mapping[str, str | Path]) -> LegacySettings:
        known = {} if self.legacy is None else self.legacy.model_dump()
        try:
            return LegacySettings(**known | dict(changed))
        except ValidationError as error:
            raise ConfigError("\n".join(reasons(error, "legacy"))) from None


_SECTIONS: Final[Mapping[str, TypeAdapter[Any]]] = {
    name: TypeAdapter(field.rebuild_annotation()) for name, field in Config.model_fields.items()
}


def load(path: Path | None) -> Config:
    """Read the configuration.

    Args:
        path: The TOML file, whose folder relative paths are taken from. If ``None``, the environment alone is read,
            and relative paths are taken from the working directory.

    Raises:
        ConfigError: It is wrong. The message names the mistakes of all sections, and those between sections that are
            valid by themselves.
    """
    tables = _read(path) if path is not None else {}
    folder = path.parent.absolute() if path is not None else Path.cwd()
    variables, mistakes = environment.read(os.environ, _SECTIONS)
    sections, wrong = _validated(_merged(tables, variables), folder)
    mistakes += wrong
    mistakes += [f"{name}: no such setting" for name in tables if name not in _SECTIONS]
    mistakes += _mistakes_between(sections)
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return Config(**sections)


def _validated(values: Mapping[str, Any], folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the sections that are valid, and the mistakes of the others."""
    sections: dict[str, Any] = {}
    mistakes: list[str] = []
    for name, field in Config.model_fields.items():
        if name not in values and not field.is_required():
            sections[name] = field.get_default(call_default_factory=True)
            continue
        try:
            # A section that is required and absent is taken as empty, so that the error names its required settings.
            sections[name] = _SECTIONS[name].validate_python(values.get(name, {}), context=relative_to(folder))
        except ValidationError as error:
            mistakes += reasons(error, name)
    return sections, mistakes


def _merged(tables: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Let the environment win over the file: key by key in a table, as a whole in a list of tables."""
    merged = dict(tables)
    for name, value in variables.items():
        table = merged.get(name)
        merged[name] = table | value if isinstance(table, dict) and isinstance(value, dict) else value
    return merged


def _mistakes_between(sections: Mapping[str, Any]) -> Iterator[str]:
    """Apply each rule whose sections are all there."""
    for rule, names in _RULES:
        if sections.keys() >= set(names):
            yield from rule(*(sections[name] for name in names))


def names_upstream(path: Path | None) -> bool:
    """Whether the operator has named an upstream: in a file, or in the environment."""
    return path is not None or any(
        name.upper().startswith((f"{PREFIX}UPSTREAM", f"{PREFIX}AUTHCODES")) for name in os.environ
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # tomllib raises these besides its own error, a ValueError
        raise ConfigError(f"{path}: {error}") from None
