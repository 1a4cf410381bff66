"""The stored authcodes: read again when they change, and followed by the next one when TOEFL Access refuses them."""

import base64
import binascii
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from shim import errors
from shim.config import AuthcodeSettings
from shim.query import ScoreFile

_log = structlog.get_logger()


class AuthcodeError(Exception):
    """An authcode cannot be used; the message says why, and never what it is."""


@dataclass(frozen=True, slots=True, repr=False)
class Authcode:
    """A key to TOEFL Access: base64 of ``clientid:clientsecret``.

    It has no representation, so that no log or trace can show it.

    Attributes:
        value: The text of the ``authcode`` header.
    """

    value: str

    @classmethod
    def parse(cls, text: str) -> "Authcode":
        """Take the text of an authcode, with white space around it.

        Raises:
            AuthcodeError: It is empty or not well-formed.
        """
        value = text.strip()
        if not value:
            raise AuthcodeError("is empty")
        try:
            halves = base64.b64decode(value, validate=True).decode("utf-8").split(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise AuthcodeError("is not base64 text") from None
        if len(halves) != 2 or not all(halves):  # noqa: PLR2004 - a client id and a client secret
            raise AuthcodeError("is not the base64 of a client id and a client secret with one colon between")
        return cls(value)

    @classmethod
    def of(cls, user: str, password: str) -> "Authcode":
        """Make one of its halves.

        Raises:
            AuthcodeError: They are no halves of an authcode.
        """
        return cls.parse(base64.b64encode(f"{user}:{password}".encode()).decode())

    @property
    def halves(self) -> tuple[str, str]:
        """The client id and the client secret: the user name and the password of the SOAP service."""
        user, _, password = base64.b64decode(self.value).decode().partition(":")
        return user, password


Call = Callable[[Authcode], ScoreFile]
"""A call of TOEFL Access with an authcode."""


class StoredAuthcode:
    """One configured authcode, and the one that may follow it.

    Attributes:
        name: Its name in the configuration.
    """

    def __init__(self, source: AuthcodeSettings, environ: Mapping[str, str] = os.environ) -> None:
        """Read it.

        Raises:
            AuthcodeError: It is missing, or it or the one that follows is not well-formed or readable by everybody.
        """
        self.name = source.name
        self._place = _File(source.file, source.name) if source.file is not None else None
        self._fixed = None if source.file is not None else _of_environment(source, environ)
        self._next = _Following(source.next_file, f"{source.name}, next") if source.next_file is not None else None
        self._moved_on_from: Authcode | None = None
        self._last_good: Authcode | None = None
        self._refused = False
        self._lock = threading.Lock()

    @property
    def current(self) -> Authcode:
        """The one in use: the first until it was refused and the next accepted, and any new first one again."""
        first = self._first()
        following = self._following() if first == self._moved_on_from else None
        return following or first

    @property
    def accepted(self) -> tuple[Authcode, ...]:
        """Those whose halves callers may prove themselves with: they may not all change on the same day."""
        following = self._following()
        return (self._first(),) if following is None else (self._first(), following)

    @property
    def age(self) -> float | None:
        """Seconds since the file was last written; ``None`` for one in the environment."""
        return time.time() - self._place.written if self._place is not None else None

    def use(self, call: Call) -> ScoreFile:
        """Make a call with it; when it is refused, once more with the one that follows.

        Raises:
            GatewayError: The call fails, or every authcode is refused.
        """
        used = self.current
        try:
            file = call(used)
        except errors.GatewayError as error:
            if error.cause is not errors.UPSTREAM_AUTHCODE:
                raise
            used, file = self._use_another(call, used, error)
        self._refused = False
        self._last_good = used
        return file

    def _use_another(self, call: Call, refused: Authcode, error: errors.GatewayError) -> tuple[Authcode, ScoreFile]:
        # Another thread may have moved on, or the file may have changed, since the call began. Half of an authcode can
        # be well-formed too, so what was good before the file changed is the last to try.
        tried = {refused}
        for candidate in self._candidates():
            if candidate in tried:
                continue
            tried.add(candidate)
            try:
                file = call(candidate)
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
        # Each is read when its turn comes: the file may change while the one before it is refused.
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
        if self._place is not None:
            return self._place.read()
        assert self._fixed is not None  # noqa: S101 - one of the two is there
        return self._fixed


class _File:
    """An authcode in a file; the last good value stays when a new one is not."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._lock = threading.Lock()
        self._signature = self._look()
        self._value = _of_file(path, name)

    @property
    def written(self) -> float:
        # As it is now: where no call comes, nobody has read it again.
        signature = self._look() or self._signature
        return signature[0] / 1e9 if signature is not None else time.time()

    def read(self) -> Authcode:
        signature = self._look()
        if signature != self._signature:
            with self._lock:
                if signature != self._signature:
                    self._read_again()
                    # Last, so that no other thread takes the old value for the new one.
                    self._signature = signature
        return self._value

    def _read_again(self) -> None:
        try:
            self._value = _of_file(self._path, self._name)
            _log.info("authcode", note=f"{self._name} was read again")
        except AuthcodeError as error:
            _log.warning("authcode", note=f"{error}; the last good value stays in use")

    def _look(self) -> tuple[int, int, int] | None:
        # Through symbolic links: Kubernetes changes a secret by changing a link.
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


class _Following:
    """An authcode in a file that may not be there yet, or any more."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._file = _File(path, name) if path.exists() else None

    def read(self) -> Authcode | None:
        if not self._path.exists():
            self._file = None
        elif self._file is None:
            try:
                self._file = _File(self._path, self._name)
            except AuthcodeError:
                return None  # half-written, it seems; the next call looks again
        return self._file.read() if self._file is not None else None


def _of_environment(source: AuthcodeSettings, environ: Mapping[str, str]) -> Authcode:
    place = f"authcode {source.name!r} (environment variable {source.env})"
    if source.env not in environ:
        raise AuthcodeError(f"{place} is not set")
    try:
        return Authcode.parse(environ[source.env])
    except AuthcodeError as error:
        raise AuthcodeError(f"{place} {error}") from None


def _of_file(path: Path, name: str) -> Authcode:
    try:
        return Authcode.parse(private_text(path))
    except AuthcodeError as error:
        raise AuthcodeError(f"authcode {name!r} (file {path}) {error}") from None


def private_text(path: Path) -> str:
    """Read a file that not everybody may read.

    Raises:
        AuthcodeError: It cannot be read, or everybody may read it.
    """
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & stat.S_IROTH:
                raise AuthcodeError("is readable by everybody: take that right away (chmod o-r)")
            return file.read()
    except UnicodeDecodeError:
        raise AuthcodeError("is not text") from None
    except OSError as error:
        raise AuthcodeError(f"cannot be read: {error.strerror}") from None
