"""Which authcodes TOEFL Access accepted and refused last, as all workers together know it."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shim.shared import SharedFolder

_LEAST_INTERVAL: Final = 1.0
"""Seconds between two notes of a success."""


@dataclass(frozen=True, slots=True)
class AuthcodeStatus:
    """What TOEFL Access made of one authcode.

    Attributes:
        last_success: When a call with it last succeeded, in seconds since the epoch; ``None`` for never.
        last_refusal: When a call with it was last refused; ``None`` for never.
    """

    last_success: float | None
    last_refusal: float | None

    @property
    def is_refused(self) -> bool:
        """Whether the last call with it was refused."""
        return self.last_refusal is not None and (self.last_success is None or self.last_refusal > self.last_success)


class AuthcodeStatuses:
    """The status of each authcode, kept as two shared names with the times of the last success and refusal."""

    def __init__(self, folder: Path) -> None:
        """Use a folder that all workers share."""
        self._shared = SharedFolder(folder)
        self._noted: dict[str, float] = {}

    def succeeded(self, name: str) -> None:
        """Note that a call with the authcode succeeded."""
        now = time.monotonic()
        if now - self._noted.get(name, -_LEAST_INTERVAL) >= _LEAST_INTERVAL:
            self._noted[name] = now
            self._shared.stamp(_key("success", name), time.time_ns())

    def refused(self, name: str) -> None:
        """Note that TOEFL Access refused the authcode."""
        self._noted.pop(name, None)
        self._shared.stamp(_key("refusal", name), time.time_ns())

    def of(self, name: str) -> AuthcodeStatus:
        """Return the status of an authcode."""
        return AuthcodeStatus(self._seconds("success", name), self._seconds("refusal", name))

    def _seconds(self, event: str, name: str) -> float | None:
        nanoseconds = self._shared.time_of(_key(event, name))
        return None if nanoseconds is None else nanoseconds / 1e9


def _key(event: str, name: str) -> str:
    # In hexadecimal: a name from the configuration is no file name.
    return f"{event}-{name.encode().hex()}"
