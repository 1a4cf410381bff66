"""What the workers of one machine share without a server: names, each with a time, in a folder."""

import os
import time
from contextlib import suppress
from pathlib import Path


class SharedFolder:
    """Empty files: a name is claimed by making its file, and its time is the file's modification time.

    Making a file and renaming one each happen in one step for all processes.
    """

    def __init__(self, path: Path) -> None:
        """Make the folder unless it exists."""
        path.mkdir(exist_ok=True)
        self._path = str(path)

    def claim(self, name: str) -> bool:
        """Make a name; return False if it exists already."""
        try:
            os.close(os.open(f"{self._path}/{name}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return False
        return True

    def stamp(self, name: str, nanoseconds: int) -> None:
        """Give a name a time, in nanoseconds since the epoch, and make the name if needed.

        A full disk is not an error: it must not fail the call that stamps.
        """
        # Renamed into place: no reader may see the file with the time of its making.
        made = f"{self._path}/.{name}-{os.getpid()}"
        with suppress(OSError):
            os.close(os.open(made, os.O_CREAT | os.O_WRONLY, 0o600))
            os.utime(made, ns=(nanoseconds, nanoseconds))
            os.replace(made, f"{self._path}/{name}")  # noqa: PTH105 - the paths are text already

    def time_of(self, name: str) -> int | None:
        """Return the time of a name in nanoseconds since the epoch; None for a name that does not exist."""
        try:
            return os.stat(f"{self._path}/{name}").st_mtime_ns  # noqa: PTH116 - every call asks; Path takes twice as long
        except FileNotFoundError:
            return None

    def discard(self, prefix: str = "", *, keep: str = "", older_than: float = 0) -> None:
        """Remove the names that begin with a prefix, but one.

        Args:
            prefix: How the names begin; all names if empty.
            keep: The name that stays.
            older_than: Remove only names whose time is longer ago, in seconds.
        """
        limit = time.time() - older_than if older_than else None
        for entry in os.scandir(self._path):
            if entry.name.startswith(prefix) and entry.name != keep:
                with suppress(FileNotFoundError):  # another worker discards too
                    if limit is None or entry.stat().st_mtime < limit:
                        os.unlink(entry.path)  # noqa: PTH108 - the path is text already
