"""Files with secrets: read only where not everybody may read them, and read again when they change."""

import os
import stat
import threading
import time
from pathlib import Path

import structlog

from shim.upstream.authcode import Authcode, AuthcodeError

_log = structlog.get_logger()


def read_secret(path: Path) -> str:
    """Return the text of a file with a secret.

    Raises:
        AuthcodeError: The file cannot be read, or everybody may read it.
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


class AuthcodeFile:
    """An authcode in a file; the last good value stays in use while the file holds no good one."""

    def __init__(self, path: Path, name: str) -> None:
        """Read the file.

        Args:
            path: The file.
            name: What messages call the authcode.

        Raises:
            AuthcodeError: The file holds no authcode that can be used.
        """
        self._path = path
        self._name = name
        self._lock = threading.Lock()
        self._signature = self._stat()
        self._value = self._parse()

    @property
    def written(self) -> float:
        """When the file was last written, in seconds since the epoch."""
        # Asked of the file system: a worker without calls has not read the file again.
        signature = self._stat() or self._signature
        return signature[0] / 1e9 if signature is not None else time.time()

    def read(self) -> Authcode:
        """Return the authcode, read again if the file has changed."""
        signature = self._stat()
        if signature != self._signature:
            with self._lock:
                if signature != self._signature:
                    self._read_again()
                    # Last, so that no other thread takes the old value for the new one.
                    self._signature = signature
        return self._value

    def _read_again(self) -> None:
        try:
            self._value = self._parse()
            _log.info("authcode", note=f"{self._name} was read again")
        except AuthcodeError as error:
            _log.warning("authcode", note=f"{error}; the last good value stays in use")

    def _parse(self) -> Authcode:
        try:
            return Authcode.parse(read_secret(self._path))
        except AuthcodeError as error:
            raise AuthcodeError(f"authcode {self._name!r} (file {self._path}) {error}") from None

    def _stat(self) -> tuple[int, int, int] | None:
        # Through symbolic links: Kubernetes changes a secret by changing a link.
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


class OptionalAuthcodeFile:
    """An authcode in a file that may appear and disappear while the gateway runs."""

    def __init__(self, path: Path, name: str) -> None:
        """Read the file if it exists.

        Raises:
            AuthcodeError: The file exists and holds no authcode that can be used.
        """
        self._path = path
        self._name = name
        self._file = AuthcodeFile(path, name) if path.exists() else None

    def read(self) -> Authcode | None:
        """Return the authcode; None while there is none."""
        if not self._path.exists():
            self._file = None
        elif self._file is None:
            try:
                self._file = AuthcodeFile(self._path, self._name)
            except AuthcodeError:
                return None  # probably half-written; the next call looks again
        return self._file.read() if self._file is not None else None
