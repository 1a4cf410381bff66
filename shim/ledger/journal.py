"""The journal: a line for each call that has ended, on disk until the writer has it in the ledger.

Each worker appends to a file of its own in a folder that the writer reads. A line costs
a single write, which a killed worker cannot lose; one that cannot be written is counted and gone.
The files are told apart by their names: ``.journal`` for calls, and for what the writer tells the workers
``SUMMARY``, ``MIGRATED`` and ``STATUS``.
"""

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

SUFFIX: Final = ".journal"
SUMMARY: Final = "summary.json"
MIGRATED: Final = "migrated.json"
STATUS: Final = "writer.json"
UNNAMED: Final = "unknown-"
"""How the names of callers begin that have none in the configuration."""

# What all files of the folder may take; and after how much a worker begins another, so that the writer can delete it.
_MOST: Final = 256 * 1024 * 1024
_FILE: Final = 1024 * 1024
# Seconds between looks at the folder.
_LOOK: Final = 1.0
_KEPT: Final = ("operation", "outcome", "soap", "software", "records", "bytes", "seconds", "upstream", "start", "end")
# Type and report-by are the caller's own words, kept only where TOEFL Access took them.
_ASKED: Final = ("type", "reportby", "format")
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_encode: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_log = structlog.get_logger()


class Journal:
    """What one worker appends to; it is made before the worker is, and opens its file with the first call."""

    def __init__(
        self, folder: Path, key_file: Path | None, on_loss: Callable[[], None], on_migrated: Callable[[str], None]
    ) -> None:
        """Take the folder; that it cannot be used fails nothing.

        Args:
            folder: Where the journal is; it is made if it is not there.
            key_file: The key for the hashes of callers that have no name; by default one in the folder.
            on_loss: Called for each call that could not be written.
            on_migrated: Called, with its name, for each call of a caller that is marked as migrated.
        """
        self._folder = folder
        self._on_loss = on_loss
        self._on_migrated = on_migrated
        self._key = _key(folder, key_file)
        self._file: int | None = None
        self._size = 0
        self._is_torn = self._is_full = False
        self._looked = -_LOOK
        self._marks: tuple[int, frozenset[str]] = (0, frozenset())

    def record(self, call: Mapping[str, Any]) -> None:
        """Append a call, by what the exchange tells of it."""
        try:
            if time.monotonic() - self._looked >= _LOOK:
                self._look()
            written = not self._is_full and self._append(self._line(call))
        except OSError:
            written = False
        if not written:
            self._on_loss()
        if call.get("caller") in self._marks[1]:
            self._on_migrated(call["caller"])
            note = "is marked as migrated, and still calls"
            _log.warning("migrated", caller=call["caller"], request=call["request"], note=note)

    def _line(self, call: Mapping[str, Any]) -> bytes:
        named = call.get("caller")
        kept = {name: call[name] for name in _KEPT if name in call}
        if call["outcome"] == "ok":
            kept |= {name: call[name] for name in _ASKED if _WORD.fullmatch(str(call.get(name, "")))}
        line = {"at": round(time.time(), 6), "caller": named or self._unnamed(call), "named": bool(named), **kept}
        return _encode(line).encode() + b"\n"

    def _unnamed(self, call: Mapping[str, Any]) -> str:
        known = f"{call.get('address', '')} {call['software']}".encode()
        return UNNAMED + hmac.new(self._key, known, hashlib.sha256).hexdigest()[:8]

    def _append(self, line: bytes) -> bool:
        if self._file is None or self._size >= _FILE:
            self._open()
        if self._is_torn:
            line = b"\n" + line
        written = os.write(self._file or 0, line)
        self._size += written
        self._is_torn = written != len(line)
        return not self._is_torn

    def _open(self) -> None:
        """Begin a file; it has its name only when it is locked, for one that nobody has locked is finished."""
        self._close()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / uuid.uuid4().hex
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        self._file, self._size, self._is_torn = opened, 0, False
        fcntl.flock(opened, fcntl.LOCK_EX)
        path.rename(path.with_suffix(SUFFIX))

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _look(self) -> None:
        """See how full the folder is, whether somebody deleted the file, and who is marked as migrated."""
        self._looked = time.monotonic()
        if self._file is not None and not os.fstat(self._file).st_nlink:
            self._close()
        self._is_full = size(self._folder) >= _MOST
        with suppress(OSError, ValueError):
            path = self._folder / MIGRATED
            changed = path.stat().st_mtime_ns
            if changed != self._marks[0]:
                self._marks = (changed, frozenset(json.loads(path.read_bytes())))


class Backlog(Collector):
    """How the journal stands, for Prometheus."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of the journal."""
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Look at it now."""
        read, failures = 0, 0
        with suppress(OSError, ValueError, KeyError):
            status = json.loads((self._folder / STATUS).read_bytes())
            read, failures = status["read"], status["failures"]
        waiting = max(size(self._folder) - read, 0)
        yield GaugeMetricFamily(
            "toefl_shim_ledger_backlog_bytes", "Journal that is not in the ledger yet.", value=waiting
        )
        yield CounterMetricFamily(
            "toefl_shim_ledger_writer_failures", "Times that the ledger could not be written to.", value=failures
        )


def size(folder: Path) -> int:
    """How many bytes of journal there are."""
    taken = 0
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(FileNotFoundError):  # the writer is done with it
            taken += path.stat().st_size
    return taken


def _key(folder: Path, given: Path | None) -> bytes:
    """The key of the hashes. Without one to keep, the hashes of this gateway stand for this run alone."""
    path = given or folder / "key"
    try:
        if given is None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
        return path.read_bytes().strip() or secrets.token_bytes()
    except OSError:
        return secrets.token_bytes()


def _make(path: Path) -> None:
    """Make a key, unless there is one: whole or not at all, for another gateway may do so at the same time."""
    if path.exists():
        return
    begun = path.with_name(uuid.uuid4().hex)
    with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex())
    with suppress(FileExistsError):
        os.link(begun, path)
    begun.unlink()
