"""The supervisor of the ledger's writer: a part of the server process that keeps the writer running."""

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

import structlog

from shim.config import LedgerSettings

# Seconds between two starts of a writer: doubled at each start, until a writer has run for longer than the maximum.
_MIN_DELAY: Final = 1
_MAX_DELAY: Final = 60
# Seconds that a writer has for the last calls.
_STOP_TIMEOUT: Final = 10
_log = structlog.get_logger()


class WriterSupervisor:
    """Starts the writer, and starts it again if it ends.

    The writer ends when no process holds the other end of its standard input. Workers are forks of the server and hold
    it too, so the writer outlives them and counts their last calls.
    """

    def __init__(
        self,
        ledger: LedgerSettings,
        signals_held: Callable[[], AbstractContextManager[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the settings; no writer is started yet.

        Args:
            ledger: The settings of the ledger.
            signals_held: Blocks the signals that end a process. The writer starts within, and inherits that: the
                signal that ends the gateway does not end its writer.
            clock: Returns seconds that only increase.
        """
        self._ledger = ledger
        self._signals_held = signals_held
        self._clock = clock
        self._writer: subprocess.Popen[bytes] | None = None
        self._started = -math.inf
        self._delay = _MIN_DELAY

    def ensure_running(self) -> None:
        """Start a writer if a ledger is configured and no writer runs."""
        if self._ledger.url is None or (self._writer is not None and self._writer.poll() is None):
            return
        if self._clock() - self._started >= self._delay:
            self._start(self._ledger.url.get_secret_value())

    def reconfigure(self, ledger: LedgerSettings) -> None:
        """Use other settings. A writer with the old settings ends after the last worker that was started with them."""
        if ledger != self._ledger:
            self._ledger = ledger
            self._release()
            self._started = -math.inf
            self.ensure_running()

    def stop(self) -> None:
        """Let the writer count the last calls, then end it. What it could not count, the next writer counts."""
        writer = self._writer
        self._release()
        if writer is not None:
            try:
                writer.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                writer.kill()

    def _release(self) -> None:
        if self._writer is not None and self._writer.stdin is not None:
            self._writer.stdin.close()
        self._writer = None

    def _start(self, url: str) -> None:
        self._release()
        now = self._clock()
        self._delay = _MIN_DELAY if now - self._started > _MAX_DELAY else min(2 * self._delay, _MAX_DELAY)
        self._started = now
        # Through standard input: every user of the machine can read the arguments of a process.
        settings = {"url": url, "journal": str(self._ledger.folder), "retention_days": self._ledger.retention_days}
        try:
            with self._signals_held():
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
            _log.warning("ledger", note=f"the writer cannot be started: {error.strerror}")
