"""The configuration: one frozen object, read once from a TOML file and the environment, checked as a whole."""

from shim.config.access import AuthcodeSettings, CallerSettings
from shim.config.config import FILE_VARIABLE, PREFIX, Config, ConfigError, load, names_upstream, reasons
from shim.config.contracts import SHIPPED, ContractSettings
from shim.config.gateway import GatewaySettings, SpoolSettings, TracingSettings, UpstreamSettings
from shim.config.ledger import LedgerSettings
from shim.config.retirement import BrownoutSettings, LegacySettings, RetirementSettings, ShadowSettings
from shim.config.values import is_loopback

__all__ = [
    "FILE_VARIABLE",
    "PREFIX",
    "SHIPPED",
    "AuthcodeSettings",
    "BrownoutSettings",
    "CallerSettings",
    "Config",
    "ConfigError",
    "ContractSettings",
    "GatewaySettings",
    "LedgerSettings",
    "LegacySettings",
    "RetirementSettings",
    "ShadowSettings",
    "SpoolSettings",
    "TracingSettings",
    "UpstreamSettings",
    "is_loopback",
    "load",
    "names_upstream",
    "reasons",
]
