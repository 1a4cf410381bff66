"""Nonces that were used: a digest counts once, in all workers of a machine."""

import hashlib
import os
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

WINDOW: Final = timedelta(minutes=5)
"""How far the clocks of a caller and the gateway may be apart; a nonce is remembered for twice as long."""


class Replays:
    """One empty file for each nonce, in a folder of the workers' own.

    A file is made or is there, in one step, for all processes. Only nonces of
    digests that are right come here, so nobody can fill the folder by guessing.
    """

    def __init__(self, folder: Path) -> None:
        """Take a folder that all workers share."""
        self._folder = folder
        self._swept = time.monotonic()

    def is_new(self, user: str, nonce: bytes, created: str) -> bool:
        """Remember a nonce; whether it was not seen before."""
        self._sweep()
        name = hashlib.sha256(b"\0".join((user.encode(), nonce, created.encode()))).hexdigest()
        try:
            os.close(os.open(self._folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return False
        return True

    def _sweep(self) -> None:
        if time.monotonic() - self._swept < WINDOW.total_seconds():
            return
        self._swept = time.monotonic()
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another worker sweeps as well
                if time.time() - path.stat().st_mtime > 2 * WINDOW.total_seconds():
                    path.unlink()
