"""The journal: one line of JSON for each call that has ended, on disk until the writer has added it to the ledger.

Each worker appends to a file of its own. A line takes one ``write``, so a worker that is killed loses no line that it
has written. A line that cannot be written is counted as lost, and the call goes on.

The folder holds the journals, ``*.journal``, and three files that the writer leaves for the workers: ``SUMMARY_FILE``,
``MIGRATED_FILE`` and ``STATUS_FILE``.
"""

import fcntl
import hashlib
import hmac
import json
import math
import os
import re
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

JOURNAL_SUFFIX: Final = ".journal"
SUMMARY_FILE: Final = "summary.json"
MIGRATED_FILE: Final = "migrated.json"
STATUS_FILE: Final = "writer.json"

_UNNAMED_PREFIX: Final = "unknown-"
_FIELDS: Final = ("operation", "outcome", "soap", "software", "records", "bytes", "seconds", "upstream", "start", "end")
# Type and report-by are free text from the caller: they are recorded only if TOEFL Access accepted them.
_QUERY_FIELDS: Final = ("type", "reportby", "format")
_QUERY_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_encode: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLimits:
    """Limits of the journal.

    Attributes:
        folder_bytes: Size of all journals in the folder at which further calls are lost.
        file_bytes: Size of one file at which a worker begins another, so that the writer can delete the first.
        refresh_seconds: Seconds between two looks at the folder.
    """

    folder_bytes: int = 256 * 1024 * 1024
    file_bytes: int = 1024 * 1024
    refresh_seconds: float = 1.0


DEFAULT_LIMITS: Final = JournalLimits()


class Journal:
    """The journal of one worker. It is created before the workers fork, and opens its file at the first call."""

    def __init__(
        self,
        folder: Path,
        key_file: Path | None,
        on_loss: Callable[[], None],
        on_migrated: Callable[[str], None],
        limits: JournalLimits = DEFAULT_LIMITS,
    ) -> None:
        """Read the key, or create it. An unusable folder raises nothing: each call is then reported as lost.

        Args:
            folder: The folder of the journals; it is created if it does not exist.
            key_file: The key for the hashes of unnamed callers; by default one in the folder.
            on_loss: Called for each call that could not be written.
            on_migrated: Called with the caller's name for each call of a caller that is marked as migrated.
            limits: The limits.
        """
        self._folder = folder
        self._on_loss = on_loss
        self._on_migrated = on_migrated
        self._limits = limits
        self._key = _load_key(folder, key_file)
        self._file: _JournalFile | None = None
        self._is_full = False
        self._refreshed = -math.inf
        self._migrated: frozenset[str] = frozenset()
        self._migrated_mtime = 0

    def record(self, call: Mapping[str, Any]) -> None:
        """Append a call, given as the fields that every observer of calls gets."""
        try:
            if time.monotonic() - self._refreshed >= self._limits.refresh_seconds:
                self._refresh()
            is_written = not self._is_full and self._append(self._line(call))
        except OSError:
            is_written = False
        if not is_written:
            self._on_loss()
        caller = call.get("caller")
        if caller in self._migrated:
            self._on_migrated(caller)
            _log.warning("migrated", caller=caller, request=call["request"], note="is marked as migrated, but called")

    def _line(self, call: Mapping[str, Any]) -> bytes:
        name = call.get("caller")
        fields = {field: call[field] for field in _FIELDS if field in call}
        if call["outcome"] == "ok":
            fields |= {field: call[field] for field in _QUERY_FIELDS if _QUERY_WORD.fullmatch(str(call.get(field, "")))}
        line = {"at": round(time.time(), 6), "caller": name or self._hashed_name(call), "named": bool(name), **fields}
        return _encode(line).encode() + b"\n"

    def _hashed_name(self, call: Mapping[str, Any]) -> str:
        origin = f"{call.get('address', '')} {call['software']}".encode()
        return _UNNAMED_PREFIX + hmac.new(self._key, origin, hashlib.sha256).hexdigest()[:8]

    def _append(self, line: bytes) -> bool:
        if self._file is None or self._file.size >= self._limits.file_bytes:
            self._close_file()
            self._file = _JournalFile(self._folder)
        return self._file.append(line)

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _refresh(self) -> None:
        """Measure the folder, drop a deleted file, and read which callers are marked as migrated."""
        self._refreshed = time.monotonic()
        if self._file is not None and self._file.is_deleted:
            self._close_file()
        self._is_full = journal_size(self._folder) >= self._limits.folder_bytes
        with suppress(OSError, ValueError):
            path = self._folder / MIGRATED_FILE
            mtime = path.stat().st_mtime_ns
            if mtime != self._migrated_mtime:
                self._migrated = frozenset(json.loads(path.read_bytes()))
                self._migrated_mtime = mtime


class _JournalFile:
    """One file of the journal, locked as long as its worker may append to it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / uuid.uuid4().hex
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        self._is_torn = False
        self.size = 0
        try:
            # The lock comes before the suffix: the writer takes a journal without a lock as finished, and deletes it.
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            path.rename(path.with_suffix(JOURNAL_SUFFIX))
        except OSError:
            self.close()
            raise

    def append(self, line: bytes) -> bool:
        """Write a line. Return False if the disk took only a part of it."""
        if self._is_torn:
            line = b"\n" + line
        written = os.write(self._descriptor, line)
        self.size += written
        self._is_torn = written != len(line)
        return not self._is_torn

    @property
    def is_deleted(self) -> bool:
        return not os.fstat(self._descriptor).st_nlink

    def close(self) -> None:
        os.close(self._descriptor)


def journal_size(folder: Path) -> int:
    """Return the size of all journals in a folder, in bytes."""
    size = 0
    for path in folder.glob(f"*{JOURNAL_SUFFIX}"):
        with suppress(FileNotFoundError):  # the writer has just deleted it
            size += path.stat().st_size
    return size


def _load_key(folder: Path, key_file: Path | None) -> bytes:
    """Return the key of the hashes. If no file can be used, return a random one: hashes then change at a restart."""
    path = key_file or folder / "key"
    try:
        if key_file is None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _create_key(path)
        return path.read_bytes().strip() or secrets.token_bytes()
    except OSError:
        return secrets.token_bytes()


def _create_key(path: Path) -> None:
    """Create a key file unless it exists. The link makes it whole at once: another gateway may do the same now."""
    if path.exists():
        return
    draft = path.with_name(uuid.uuid4().hex)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
