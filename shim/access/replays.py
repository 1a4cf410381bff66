"""Nonces that were used: a digest counts once, in all workers of a machine."""

import hashlib
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

from shim.shared import SharedFolder

WINDOW: Final = timedelta(minutes=5)
"""How far the clocks of a caller and the gateway may differ; a nonce is remembered for twice as long."""


class Replays:
    """One shared name for each nonce of a digest that was right, so that guessing cannot fill the folder."""

    def __init__(self, folder: Path) -> None:
        """Use a folder that all workers share."""
        self._shared = SharedFolder(folder)
        self._swept = time.monotonic()

    def is_new(self, user: str, nonce: bytes, created: str) -> bool:
        """Remember a nonce, and return whether it was not used before."""
        self._sweep()
        return self._shared.claim(hashlib.sha256(b"\0".join((user.encode(), nonce, created.encode()))).hexdigest())

    def _sweep(self) -> None:
        if time.monotonic() - self._swept >= WINDOW.total_seconds():
            self._swept = time.monotonic()
            self._shared.discard(older_than=2 * WINDOW.total_seconds())
