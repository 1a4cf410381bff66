"""Where a score file is held until it is sent: in memory, then in a temporary file without a name."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast

from shim import errors

_IN_MEMORY: Final = 1024 * 1024
"""Bytes."""


@contextmanager
def spooling() -> Iterator[BinaryIO]:
    """A spool to fill; it is left open, for a ``ScoreFile``, unless filling it fails.

    Raises:
        OperatorError: There is no room for it.
    """
    spool = cast("BinaryIO", SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - the ScoreFile closes it
    try:
        yield spool
    except OSError as error:
        spool.close()
        raise errors.SPOOL.error(note=error.strerror or type(error).__name__) from error
    except BaseException:
        spool.close()
        raise
