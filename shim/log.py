"""Structured logs.

A log line holds fields of the list below and no other: a field that is not on
it is dropped and its name reported, so that no score data, password or authcode
gets into a log by a careless line of code. The loggers of the libraries below us
are silenced: Spyne logs whole request bodies, and urllib3 queries.
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
    """Send log lines to standard error: JSON, or readable lines on a terminal.

    Args:
        level: The least that is written.
        for_good: Nothing will be changed later, so every logger may keep what it was set up with.
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
    logging.lastResort = _OfOthers(logging.WARNING)


class _OfOthers(logging.Handler):
    """Tells that another library had something to say, and where: its text may hold what it was given."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(record.levelno, "library", note=f"{record.name}:{record.lineno}")


class _StandardError:
    """Standard error; that it is full or closed fails no call."""

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
