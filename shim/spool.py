"""Spools for score files: in memory first, then in temporary files without a name, within a quota."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, cast

from shim import errors

_IN_MEMORY: Final = 64 * 1024
"""Bytes of a spool that stay in memory; a thousand calls at once hold 64 MB."""


class SpoolQuota:
    """The bytes that all spools of one worker may hold together, in memory and on disk.

    Attributes:
        held: Bytes that the spools hold now.
    """

    def __init__(self, limit: int, folder: Path | None = None) -> None:
        """Start without spools.

        Args:
            limit: The most bytes to hold.
            folder: The folder of the temporary files; by default the system's.
        """
        self.held = 0
        self._limit = limit
        self._folder = folder

    @contextmanager
    def spooling(self) -> Iterator[BinaryIO]:
        """Make a spool to fill; it stays open for a ``ScoreFile`` and is closed only if filling it fails.

        Raises:
            OperatorError: The quota is used up, or the disk is full.
        """
        spool = cast("BinaryIO", _Spool(self, self._folder))
        try:
            yield spool
        except OSError as error:
            spool.close()
            raise errors.SPOOL.error(note=error.strerror or type(error).__name__) from error
        except BaseException:
            spool.close()
            raise

    def reserve(self, size: int) -> None:
        """Reserve bytes.

        Raises:
            OperatorError: The quota is used up.
        """
        if self.held + size > self._limit:
            raise errors.SPOOL.error(note="spool.max_bytes is used up")
        self.held += size

    def release(self, size: int) -> None:
        """Release reserved bytes."""
        self.held -= size


class _Spool(SpooledTemporaryFile[bytes]):
    def __init__(self, quota: SpoolQuota, folder: Path | None) -> None:
        super().__init__(max_size=_IN_MEMORY, dir=None if folder is None else str(folder))
        self._quota = quota
        self._size = 0

    def write(self, data: Any) -> int:  # noqa: ANN401 - the base class takes any buffer
        self._quota.reserve(len(data))
        self._size += len(data)
        return super().write(data)

    def close(self) -> None:
        size, self._size = self._size, 0
        self._quota.release(size)
        with suppress(OSError):  # closing writes what a full disk refused before, and that is not needed any more
            super().close()
