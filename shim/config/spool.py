"""Settings of the spool, which holds score files until they are sent."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import PositiveInt

from shim.config.section import SettingsSection
from shim.config.upstream import UpstreamSettings
from shim.config.values import AnchoredPath


class SpoolSettings(SettingsSection):
    """The spool, which holds each score file until it is sent, and deletes it before the call ends.

    Attributes:
        folder: The folder for score files that do not fit in memory; the system's temporary folder if unset.
        max_bytes: Most bytes that one worker spools at a time, in memory and on disk together.
    """

    folder: AnchoredPath | None = None
    max_bytes: PositiveInt = 2 * 1024 * 1024 * 1024

    @property
    def quota(self) -> tuple[int, Path | None]:
        """The size and the folder of the spools of one worker."""
        return self.max_bytes, self.folder


def spool_holds_the_largest_file(spool: SpoolSettings, upstream: UpstreamSettings) -> Iterator[str]:
    """Yield a mistake if the largest score file could not be spooled."""
    if spool.max_bytes < upstream.max_bytes:
        yield "spool.max_bytes: must be at least upstream.max_bytes, the size of the largest score file"
