"""Where score files are held until they are sent: in memory, then in temporary files without a name."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, cast

from shim import errors

_IN_MEMORY: Final = 64 * 1024
"""Bytes; a thousand calls at once hold no more than so much each."""


class SpoolQuota:
    """The room that the score files of one worker may take at any moment, in memory and on disk.

    Attributes:
        held: Bytes that are taken.
    """

    def __init__(self, limit: int, folder: Path | None = None) -> None:
        """Take the bytes that there are, and a folder if not the system's own."""
        self.held = 0
        self._limit = limit
        self._folder = folder

    @contextmanager
    def spooling(self) -> Iterator[BinaryIO]:
        """A spool to fill; it is left open, for a ``ScoreFile``, unless filling it fails.

        Raises:
            OperatorError: There is no room for it.
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

    def take(self, size: int) -> None:
        """Hold so many bytes more.

        Raises:
            OperatorError: There is no room for them.
        """
        if self.held + size > self._limit:
            raise errors.SPOOL.error(note="spool.max_bytes is used up")
        self.held += size

    def give_back(self, size: int) -> None:
        """Hold so many bytes less."""
        self.held -= size


class _Spool(SpooledTemporaryFile[bytes]):
    def __init__(self, room: SpoolQuota, folder: Path | None) -> None:
        super().__init__(max_size=_IN_MEMORY, dir=None if folder is None else str(folder))
        self._room = room
        self._size = 0

    def write(self, data: Any) -> int:  # noqa: ANN401 - the base class has a buffer here
        self._room.take(len(data))
        self._size += len(data)
        return super().write(data)

    def close(self) -> None:
        size, self._size = self._size, 0
        self._room.give_back(size)
        with suppress(OSError):  # it writes what a full disk did not take before; nobody wants that any more
            super().close()
