"""All of it, read from the file and the environment."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from shim.config.access import AuthcodeSettings, CallerSettings
from shim.config.contracts import ContractSettings
from shim.config.gateway import GatewaySettings, SpoolSettings, TracingSettings, UpstreamSettings
from shim.config.ledger import LedgerSettings
from shim.config.retirement import LegacySettings, RetirementSettings, ShadowSettings
from shim.config.values import base

PREFIX: Final = "TOEFL_SHIM_"
FILE_VARIABLE: Final = "TOEFL_SHIM_CONFIG"


class ConfigError(Exception):
    """The configuration is wrong; the message has one line for each thing that is."""


class Config(BaseSettings):
    """Everything that an operator can set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the hook's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the hook's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the hook's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file."""
        return env_settings, init_settings

    @property
    def who_may_call(self) -> tuple[CallerSettings, ...]:
        """The callers, each with its authcode.

        Without any in the configuration: who sends the halves of an authcode, and
        on a loopback address alone whoever is on this machine.
        """
        if self.callers:
            only = self.authcodes[0].name if len(self.authcodes) == 1 else ""
            return tuple(
                entry
                if entry.authcode or entry.credentials == "pass-through"
                else entry.model_copy(update={"authcode": only})
                for entry in self.callers
            )
        entries = [
            CallerSettings(name=code.name, authcode=code.name, credentials="authcode") for code in self.authcodes
        ]
        if len(entries) == 1 and not self.gateway.is_exposed:
            entries.append(CallerSettings(name="this-machine", authcode=entries[0].authcode, anybody=True))
        return tuple(entries)

    def comparing_with(self, legacy: Mapping[str, str | Path]) -> Self:
        """The same with other settings of the old service.

        Raises:
            ConfigError: They are wrong.
        """
        known = {} if self.legacy is None else self.legacy.model_dump()
        try:
            return self.model_copy(update={"legacy": LegacySettings(**known | dict(legacy))})
        except ValidationError as error:
            raise ConfigError("\n".join(f"legacy.{reason}" for reason in reasons(error))) from None

    @model_validator(mode="after")
    def _safe_callers(self) -> Self:
        names = [code.name for code in self.authcodes]
        wrong = [f"two authcodes are named {name}" for name in {name for name in names if names.count(name) > 1}]
        if not names and not self.callers:
            wrong.append("authcodes: at least one is needed, unless every caller is pass-through")
        called = [entry.name for entry in self.callers]
        wrong += [f"two callers are named {name}" for name in {name for name in called if called.count(name) > 1}]
        for entry in self.who_may_call:
            if entry.credentials != "pass-through" and entry.authcode not in names:
                wrong.append(f"callers.{entry.name}: needs the name of one of the authcodes")
            if entry.is_open and self.gateway.is_exposed and not self.gateway.allow_anybody:
                wrong.append(
                    f"callers.{entry.name}: would give scores to everybody who reaches {self.gateway.bind}: name "
                    "networks, a certificate or credentials; or, if that is wanted, set gateway.allow_anybody"
                )
            if entry.certificate and not self.gateway.trusted_proxies:
                wrong.append(f"callers.{entry.name}: a certificate counts only from gateway.trusted_proxies")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @model_validator(mode="after")
    def _sound_retirement(self) -> Self:
        wrong = [
            f"retirement.{reason}"
            for reason in self.retirement.wrong(frozenset(entry.name for entry in self.who_may_call))
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @model_validator(mode="after")
    def _room_for_the_largest(self) -> Self:
        if self.spool.max_bytes < self.upstream.max_bytes:
            raise ValueError("spool.max_bytes: must have room for one file of upstream.max_bytes")
        return self

    @model_validator(mode="after")
    def _something_to_compare_with(self) -> Self:
        if self.shadow.sample and self.legacy is None:
            raise ValueError("shadow.sample: needs legacy.url, the service to compare with")
        return self

    @model_validator(mode="after")
    def _distinct_paths(self) -> Self:
        paths = [path for contract in self.contracts for path in (contract.path.lower(), contract.wsdl_path.lower())]
        for path in sorted({path for path in paths if paths.count(path) > 1}):
            raise ValueError(f"two contracts or WSDLs are at {path}")
        return self


def load(path: Path | None) -> Config:
    """Read the configuration.

    Args:
        path: The TOML file; paths in it are relative to it. Without one, the environment alone.

    Raises:
        ConfigError: It is wrong.
    """
    values = _read(path) if path is not None else {}
    base.set(path.parent if path is not None else Path())
    unknown = [
        f"{name}: no such setting"
        for name in os.environ
        if name.upper().startswith(PREFIX)
        and name.upper() != FILE_VARIABLE
        and name[len(PREFIX) :].lower().partition("__")[0] not in Config.model_fields
    ]
    try:
        config = Config(**values)
    except SettingsError as error:
        raise ConfigError("\n".join([*unknown, str(error)])) from None
    except ValidationError as error:
        raise ConfigError("\n".join(unknown + reasons(error))) from None
    if unknown:
        raise ConfigError("\n".join(unknown))
    return config


def names_upstream(path: Path | None) -> bool:
    """Whether an operator has said where scores come from: in a file, or in the environment."""
    return path is not None or any(name.startswith((f"{PREFIX}UPSTREAM", f"{PREFIX}AUTHCODES")) for name in os.environ)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # tomllib lets out more than its own errors
        raise ConfigError(f"{path}: {error}") from None


def reasons(error: ValidationError) -> list[str]:
    """What is wrong, one sentence a place, without the value that stands there."""
    return [
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg'].removeprefix('Value error, ')}".removeprefix(": ")
        for item in error.errors(include_input=False, include_url=False)
    ]
