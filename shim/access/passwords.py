"""Callers' own passwords, kept as Argon2 hashes."""

import threading
from collections.abc import Callable
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

RunInThread = Callable[[Callable[[str, str], bool], tuple[str, str]], bool]
"""Runs a function with its arguments where it does not keep other calls waiting, and returns the result."""

# Each hash takes 64 MiB; many guesses at once must not use up the memory.
_HASHING: Final = threading.BoundedSemaphore(2)


class PasswordChecker:
    """Checks passwords against hashes, a few at a time."""

    def __init__(self, run_in_thread: RunInThread = lambda function, arguments: function(*arguments)) -> None:
        """Check where told: hashing keeps a processor busy for a while."""
        self._run_in_thread = run_in_thread

    def is_right(self, password: str, hashed: str) -> bool:
        """Return whether a password has this hash."""
        with _HASHING:
            return self._run_in_thread(_verify, (password, hashed))


def _verify(password: str, hashed: str) -> bool:
    try:
        return PasswordHasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
