"""Structured logs.

A line in the log has the fields listed here and no others. Any other field is dropped
and its name reported, so that a careless line of code cannot log score data, a password
or an authcode. Libraries that log what they handle are silenced: Spyne logs whole
request bodies, urllib3 logs queries.
"""

import logging
import sys
from contextlib import suppress
from typing import Final, TextIO, cast

import structlog
from structlog.typing import EventDict, WrappedLogger

FIELDS: Final = frozenset(
    {
        "address",
        "advice",
        "bytes",
        "caller",
        "cut",
        "dropped",
        "dry_run",
        "end",
        "event",
        "level",
        "note",
        "operation",
        "outcome",
        "party",
        "records",
        "request",
        "seconds",
        "start",
        "timestamp",
        "trace",
        "upstream",
    }
)
_SILENCED: Final = ("spyne", "zeep", "urllib3", "requests")


def configure(level: str = "info", *, for_good: bool = False) -> None:
    """Send lines to standard error: JSON, or readable text on a terminal.

    Args:
        level: The lowest level that is written.
        for_good: Whether loggers may keep this configuration from their first use on, which is faster.
    """
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _allow_listed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _StandardError())),
        cache_logger_on_first_use=for_good,
    )
    for name in _SILENCED:
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
        logger.setLevel(logging.CRITICAL)
    logging.lastResort = _LocationHandler(logging.WARNING)


class _LocationHandler(logging.Handler):
    """Logs other libraries' messages by location only: their text may hold what the library was given."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(record.levelno, "library", note=f"{record.name}:{record.lineno}")


class _StandardError:
    """Standard error; a full or closed one fails no call."""

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def _allow_listed(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    if fields.keys() <= FIELDS:
        return fields
    kept = {name: value for name, value in fields.items() if name in FIELDS}
    return {**kept, "dropped": sorted(fields.keys() - FIELDS)}
