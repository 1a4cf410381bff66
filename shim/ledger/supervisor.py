"""Keeps the writer of the ledger alive, from the server's process."""

import json
import math
import subprocess
import sys
import time
from typing import Final

import structlog

from shim.config import LedgerSettings
from shim.web.worker import hold_signals, release_signals

# Seconds from one start of a writer to the next, and at most: each time twice as long, until one holds for longer.
_DELAY: Final = 1
_LONGEST: Final = 60
# Seconds for a writer to end in.
_PATIENCE: Final = 10
_log = structlog.get_logger()


class WriterSupervisor:
    """The writer, a process that ends when nobody holds the other side of its standard input.

    Workers are forks of the server and hold it as well, so that the writer counts their last calls.
    """

    def __init__(self, ledger: LedgerSettings) -> None:
        """Take the settings of the ledger; nothing is started yet."""
        self._ledger = ledger
        self._writer: subprocess.Popen[bytes] | None = None
        self._started = -math.inf
        self._delay = _DELAY

    def look(self) -> None:
        """Start a writer if there is a ledger, and none."""
        if self._ledger.url is None or (self._writer is not None and self._writer.poll() is None):
            return
        if time.monotonic() - self._started >= self._delay:
            self._start(self._ledger.url.get_secret_value())

    def keep(self, ledger: LedgerSettings) -> None:
        """Take other settings. The writer with the old ones ends after the last worker with the old ones."""
        if ledger != self._ledger:
            self._ledger = ledger
            self._let_go()
            self._started = -math.inf
            self.look()

    def end(self) -> None:
        """Let it count the last calls. One that cannot is left alone: the next gateway's will."""
        writer = self._writer
        self._let_go()
        if writer is not None:
            try:
                writer.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                writer.kill()

    def _let_go(self) -> None:
        if self._writer is not None and self._writer.stdin is not None:
            self._writer.stdin.close()
        self._writer = None

    def _start(self, url: str) -> None:
        self._let_go()
        now = time.monotonic()
        self._delay = _DELAY if now - self._started > _LONGEST else min(2 * self._delay, _LONGEST)
        self._started = now
        # By standard input, as everybody can read the arguments of a process.
        settings = {"url": url, "journal": str(self._ledger.folder), "retention_days": self._ledger.retention_days}
        hold_signals()  # which it inherits: what ends the gateway does not end its writer
        try:
            self._writer = subprocess.Popen(
                [sys.executable, "-m", "shim.ledger.writer"],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            if self._writer.stdin is not None:
                self._writer.stdin.write(json.dumps(settings).encode() + b"\n")
        except OSError as error:
            _log.warning("ledger", note=f"its writer does not start: {error.strerror}")
        finally:
            release_signals()
