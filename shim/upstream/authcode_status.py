"""How the authcodes stand with TOEFL Access, as all workers together know it."""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_OFTEN_ENOUGH: Final = 1.0
"""Seconds between two notes of a success."""


@dataclass(frozen=True, slots=True)
class AuthcodeStatus:
    """How one stands.

    Attributes:
        last_success: When a call with it last succeeded, as ``time.time()``; ``None`` for not yet.
        last_refusal: When a call with it was last refused.
    """

    last_success: float | None
    last_refusal: float | None

    @property
    def is_refused(self) -> bool:
        """Whether the last call with it was refused."""
        return self.last_refusal is not None and (self.last_success is None or self.last_refusal > self.last_success)


class AuthcodeStatuses:
    """Two empty files for each authcode, in a folder of the workers' own: their times are what is known."""

    def __init__(self, folder: Path) -> None:
        """Take a folder that all workers share."""
        self._folder = folder
        self._noted: dict[str, float] = {}

    def succeeded(self, name: str) -> None:
        """Note a success."""
        now = time.monotonic()
        if now - self._noted.get(name, -_OFTEN_ENOUGH) >= _OFTEN_ENOUGH:
            self._noted[name] = now
            self._stamp(name, "success")

    def refused(self, name: str) -> None:
        """Note a refusal."""
        self._noted.pop(name, None)
        self._stamp(name, "refusal")

    def of(self, name: str) -> AuthcodeStatus:
        """How one stands now."""
        return AuthcodeStatus(self._time(name, "success"), self._time(name, "refusal"))

    def _stamp(self, name: str, what: str) -> None:
        path, now = self._file(name, what), time.time_ns()
        with suppress(OSError):  # a full disk must not fail a call whose scores are here
            path.touch()
            os.utime(path, ns=(now, now))  # the file system's own clock ticks in milliseconds

    def _time(self, name: str, what: str) -> float | None:
        try:
            return self._file(name, what).stat().st_mtime
        except FileNotFoundError:
            return None

    def _file(self, name: str, what: str) -> Path:
        return self._folder / f"{what}-{name.encode().hex()}"
