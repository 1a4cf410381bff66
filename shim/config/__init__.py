"""The configuration: one frozen object, read once from a TOML file and the environment, checked as a whole."""

from shim.config.access import AuthcodeSource, CallerEntry
from shim.config.contracts import SHIPPED, ContractSource
from shim.config.gateway import Gateway, Spool, Tracing, Upstream
from shim.config.ledger import Ledger
from shim.config.retirement import Brownout, Legacy, Retirement, Shadow
from shim.config.values import is_loopback
from shim.config.whole import FILE_VARIABLE, PREFIX, Config, ConfigError, load, names_upstream, reasons

__all__ = [
    "FILE_VARIABLE",
    "PREFIX",
    "SHIPPED",
    "AuthcodeSource",
    "Brownout",
    "CallerEntry",
    "Config",
    "ConfigError",
    "ContractSource",
    "Gateway",
    "Ledger",
    "Legacy",
    "Retirement",
    "Shadow",
    "Spool",
    "Tracing",
    "Upstream",
    "is_loopback",
    "load",
    "names_upstream",
    "reasons",
]
