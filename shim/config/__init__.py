"""The configuration: one frozen object, read from a TOML file and the environment, and checked as a whole.

Each part of the gateway has a file here with its settings, and with the rules between them and other settings.
"""

from shim.config.access import AuthcodeSettings, CallerSettings
from shim.config.compare import ComparisonSettings, LegacySettings, ShadowSettings
from shim.config.config import Config, ConfigError, load, names_upstream
from shim.config.contracts import SHIPPED, ContractSettings
from shim.config.environment import FILE_VARIABLE, PREFIX
from shim.config.gateway import GatewaySettings
from shim.config.ledger import LedgerSettings
from shim.config.retirement import BrownoutSettings, RetirementSettings
from shim.config.section import reasons
from shim.config.spool import SpoolSettings
from shim.config.tracing import TracingSettings
from shim.config.upstream import UpstreamSettings
from shim.config.values import is_loopback

__all__ = [
    "FILE_VARIABLE",
    "PREFIX",
    "SHIPPED",
    "AuthcodeSettings",
    "BrownoutSettings",
    "CallerSettings",
    "ComparisonSettings",
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
