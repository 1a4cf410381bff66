"""A stored authcode: read again when it changes, and followed by its next one when TOEFL Access refuses it."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import structlog

from shim import errors
from shim.config import AuthcodeSettings
from shim.query import ScoreFile
from shim.upstream.authcode import Authcode, AuthcodeError
from shim.upstream.secret_file import AuthcodeFile, OptionalAuthcodeFile

_log = structlog.get_logger()

Fetch = Callable[[Authcode], ScoreFile]
"""Asks TOEFL Access with an authcode."""


class StoredAuthcode:
    """One configured authcode, and the next one that may follow it.

    Attributes:
        name: Its name in the configuration.
    """

    def __init__(self, settings: AuthcodeSettings, environ: Mapping[str, str] = os.environ) -> None:
        """Read the authcode.

        Args:
            settings: Where it is stored.
            environ: The environment variables.

        Raises:
            AuthcodeError: It is missing; or it or the next one is malformed, or everybody may read it.
        """
        self.name = settings.name
        self._file = AuthcodeFile(settings.file, settings.name) if settings.file is not None else None
        self._from_environment = None if settings.file is not None else _read_environment(settings, environ)
        next_name = f"{settings.name}, next"
        self._next = OptionalAuthcodeFile(settings.next_file, next_name) if settings.next_file is not None else None
        self._moved_on_from: Authcode | None = None
        self._last_good: Authcode | None = None
        self._refused = False
        self._lock = threading.Lock()

    @property
    def current(self) -> Authcode:
        """The authcode in use: the first, or the next one after the first was refused and the next accepted."""
        first = self._first()
        following = self._following() if first == self._moved_on_from else None
        return following or first

    @property
    def accepted(self) -> tuple[Authcode, ...]:
        """The authcodes whose halves callers may present: during a rotation not all callers change on one day."""
        following = self._following()
        return (self._first(),) if following is None else (self._first(), following)

    @property
    def age(self) -> float | None:
        """Seconds since the file was last written; ``None`` for an authcode in the environment."""
        return time.time() - self._file.written if self._file is not None else None

    def use(self, fetch: Fetch) -> ScoreFile:
        """Fetch with the authcode in use, and if TOEFL Access refuses it, with the others.

        Raises:
            GatewayError: The call failed, or TOEFL Access refused every authcode.
        """
        used = self.current
        try:
            file = fetch(used)
        except errors.GatewayError as error:
            if error.cause is not errors.UPSTREAM_AUTHCODE:
                raise
            used, file = self._use_another(fetch, used, error)
        self._refused = False
        self._last_good = used
        return file

    def _use_another(self, fetch: Fetch, refused: Authcode, error: errors.GatewayError) -> tuple[Authcode, ScoreFile]:
        # Another thread may have moved on, or the file may have changed, since the call began. A half-written authcode
        # can be well-formed too, so the value that was good before the file changed is tried last.
        tried = {refused}
        for candidate in self._candidates():
            if candidate in tried:
                continue
            tried.add(candidate)
            try:
                file = fetch(candidate)
            except errors.GatewayError as again:
                if again.cause is not errors.UPSTREAM_AUTHCODE:
                    raise
            else:
                self._move_on(candidate)
                return candidate, file
        with self._lock:
            first_time, self._refused = not self._refused, True
        if first_time:
            _log.error("authcode", note=f"{self.name} was refused", advice=errors.UPSTREAM_AUTHCODE.advice)
        raise error

    def _candidates(self) -> Iterator[Authcode]:
        # Each is read when its turn comes: the file may change while TOEFL Access refuses the one before it.
        yield self.current
        yield from self.accepted
        if self._last_good is not None:
            yield self._last_good

    def _move_on(self, to: Authcode) -> None:
        with self._lock:
            first, *following = self.accepted
            if first not in (to, self._moved_on_from):
                self._moved_on_from = first
                which = "next one is in use: make it the first" if to in following else "last good one stays in use"
                _log.warning("authcode", note=f"{self.name} was refused; the {which}")

    def _following(self) -> Authcode | None:
        return self._next.read() if self._next is not None else None

    def _first(self) -> Authcode:
        if self._file is not None:
            return self._file.read()
        assert self._from_environment is not None  # noqa: S101 - one of the two is there
        return self._from_environment


def _read_environment(settings: AuthcodeSettings, environ: Mapping[str, str]) -> Authcode:
    place = f"authcode {settings.name!r} (environment variable {settings.env})"
    if settings.env not in environ:
        raise AuthcodeError(f"{place} is not set")
    try:
        return Authcode.parse(environ[settings.env])
    except AuthcodeError as error:
        raise AuthcodeError(f"{place} {error}") from None
