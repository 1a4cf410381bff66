"""The writer: the process that adds the journals to the ledger and leaves files for the workers.

Calls enter the database in one transaction with the journals' offsets, so a writer that is killed at any moment loses
no call and counts none twice. While the database cannot be used, the calls wait in the journals.
"""

import fcntl
import json
import math
import os
import select
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, Final

import structlog

from shim import errors, log
from shim.ledger import summary
from shim.ledger.journal import JOURNAL_SUFFIX, MIGRATED_FILE, STATUS_FILE, SUMMARY_FILE
from shim.ledger.store import DATABASE_ERRORS, LedgerStore

_DONE_SUFFIX: Final = ".done"
# Seconds between two looks at the journals; doubled up to the maximum while the database cannot be used.
_INTERVAL: Final = 1.0
_MAX_INTERVAL: Final = 60.0
# Seconds between two summaries: after new calls, and without any.
_SUMMARY_INTERVAL: Final = 2.0
_IDLE_SUMMARY_INTERVAL: Final = 10.0
# Seconds that workers have for their last calls after the server was killed, and between two looks in that time.
_DRAIN_TIMEOUT: Final = 5.0
_DRAIN_INTERVAL: Final = 0.2
# Bytes of the journals that are counted in one transaction.
_BATCH_BYTES: Final = 4 * 1024 * 1024
_log = structlog.get_logger()


@dataclass(slots=True)
class _JournalPart:
    """A part of one journal that is not in the ledger yet.

    Attributes:
        start: Its offset in the journal, in bytes.
        text: Whole lines.
        is_last: Whether the journal ends with it, and its worker will append no more.
    """

    start: int
    text: bytes
    is_last: bool


class Writer:
    """Adds the journals of one folder to the ledger.

    Attributes:
        failures: Failed runs since the folder was created, those of earlier writers included.
        has_open_journals: Whether a worker may still append to a journal.
    """

    def __init__(self, store: LedgerStore, folder: Path, retention_days: int, batch_bytes: int = _BATCH_BYTES) -> None:
        """Read the failures of earlier writers; the database is not used yet.

        Args:
            store: The ledger.
            folder: The folder of the journals.
            retention_days: Days after which calls are deleted from the ledger.
            batch_bytes: Bytes of the journals that are counted in one transaction.
        """
        self._store = store
        self._folder = folder
        self._retention = timedelta(days=retention_days)
        self._batch_bytes = batch_bytes
        self._offsets: dict[str, int] | None = None
        self._read_bytes = 0
        self._purged: date | None = None
        self._summarized = -math.inf
        self._migrated: list[str] | None = None
        self.failures = self._earlier_failures()
        self.has_open_journals = False

    def run_once(self, *, force_summary: bool = False) -> str:
        """Add all new lines of the journals to the ledger, and write the summary if it is due.

        Args:
            force_summary: Write the summary even if it is not due.

        Returns:
            Why that failed, in one line; empty after a success.
        """
        try:
            self._run(force_summary=force_summary)
        except DATABASE_ERRORS as error:
            reason = self._store.describe(error)
        except Exception as error:  # noqa: BLE001 - a bug must not end the process: the journals would fill up
            reason = errors.location(error)
        else:
            return ""
        self._offsets = None
        self.failures += 1
        return reason

    def write_status(self) -> None:
        """Write the bytes read and the failures for the workers' metrics."""
        if self._offsets is not None:
            self._read_bytes = sum(self._offsets.values())
        status = {"read": self._read_bytes, "failures": self.failures}
        with suppress(OSError):
            _replace_file(self._folder / STATUS_FILE, json.dumps(status).encode())

    def _run(self, *, force_summary: bool) -> None:
        if self._offsets is None:
            self._offsets = self._recover()
        has_new_calls = False
        while parts := self._read_parts(self._offsets):
            self._count(parts, self._offsets)
            has_new_calls = True
        self._purge()
        age = time.monotonic() - self._summarized
        if force_summary or age >= (_SUMMARY_INTERVAL if has_new_calls else _IDLE_SUMMARY_INTERVAL):
            self._write_summary()

    def _recover(self) -> dict[str, int]:
        """Bring the tables up to date, delete the journals that an earlier run counted, and return the offsets."""
        self._store.migrate()
        for path in self._folder.glob(f"*{_DONE_SUFFIX}"):
            self._delete(path)
        return self._store.read_offsets()

    def _read_parts(self, offsets: dict[str, int]) -> dict[Path, _JournalPart]:
        """Return the new part of each journal, up to one batch in all."""
        parts: dict[Path, _JournalPart] = {}
        left = self._batch_bytes
        self.has_open_journals = False
        for path in sorted(self._folder.glob(f"*{JOURNAL_SUFFIX}")):
            part = self._read_part(path, offsets.get(path.name, 0), left)
            if part.text or part.is_last:
                parts[path] = part
            left -= len(part.text)
            if left <= 0:
                break
        return parts

    def _read_part(self, path: Path, start: int, limit: int) -> _JournalPart:
        with path.open("rb") as file:
            # The lock comes before the read: if it is free, no worker can append after what is read.
            is_finished = _try_lock(file)
            self.has_open_journals |= not is_finished
            file.seek(start)
            text = file.read(limit)
        is_last = is_finished and len(text) < limit
        if not is_last:
            text = text[: text.rfind(b"\n") + 1]
        return _JournalPart(start, text, is_last)

    def _count(self, parts: dict[Path, _JournalPart], offsets: dict[str, int]) -> None:
        aggregate = self._store.new_aggregate()
        for part in parts.values():
            aggregate.add(part.text.splitlines())
        spans = {path.name: (part.start, part.start + len(part.text)) for path, part in parts.items() if part.text}
        if spans:
            self._store.add(aggregate, spans)
        offsets |= {name: end for name, (_, end) in spans.items()}
        if aggregate.unreadable:
            _log.warning("ledger", note=f"{aggregate.unreadable} lines of the journal are cut and were not counted")
        for path, part in parts.items():
            if part.is_last:
                self._delete(path.rename(path.with_suffix(_DONE_SUFFIX)))
                offsets.pop(path.name, None)

    def _delete(self, path: Path) -> None:
        """Delete a counted journal and its offset. Its suffix hides it: without an offset it would be counted again."""
        self._store.delete_journal(path.with_suffix(JOURNAL_SUFFIX).name)
        path.unlink()

    def _purge(self) -> None:
        """Delete calls that are older than the retention, once a day."""
        today = datetime.now(UTC).date()
        if today != self._purged:
            self._store.purge(today - self._retention)
            self._purged = today

    def _write_summary(self) -> None:
        """Write the files from which the workers learn what is in the ledger: they do not ask the database."""
        known = self._store.summary(datetime.now(UTC))
        migrated = [caller.name for caller in known.callers if caller.migrated is not None]
        if migrated != self._migrated:
            _replace_file(self._folder / MIGRATED_FILE, json.dumps(migrated).encode())
            self._migrated = migrated
        _replace_file(self._folder / SUMMARY_FILE, summary.to_json(known))
        self._summarized = time.monotonic()

    def _earlier_failures(self) -> int:
        try:
            return int(json.loads((self._folder / STATUS_FILE).read_bytes())["failures"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0


def main() -> None:
    """Write until standard input closes. Its first line holds the settings as JSON."""
    log.configure()
    with suppress(PermissionError):  # a sandbox may forbid it; the writer then competes with the workers
        os.nice(5)
    os.umask(0o077)
    settings = _settings()
    folder = Path(settings["journal"])
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(folder) as is_locked:
            if is_locked:
                _run(Writer(LedgerStore(settings["url"]), folder, settings["retention_days"]))
    except OSError as error:
        _log.warning("ledger", note=f"the journal folder cannot be used: {error.strerror}")
        raise SystemExit(1) from None


def _run(writer: Writer) -> None:
    interval, failure = _INTERVAL, ""
    is_open = True
    while is_open:
        previous, failure = failure, writer.run_once()
        writer.write_status()
        _log_change(previous, failure)
        interval = min(2 * interval, _MAX_INTERVAL) if failure else _INTERVAL
        is_open = not _stdin_closes(interval)
    _drain(writer)


def _log_change(before: str, now: str) -> None:
    """Log the first of several failures, and the end of them."""
    if now and not before:
        _log.warning("ledger", note=now)
    elif before and not now:
        _log.info("ledger", note="can be written to again")


def _drain(writer: Writer) -> None:
    """Count the last calls of workers that are still answering."""
    deadline = time.monotonic() + _DRAIN_TIMEOUT
    while (writer.run_once(force_summary=True) or writer.has_open_journals) and time.monotonic() < deadline:
        time.sleep(_DRAIN_INTERVAL)
    writer.write_status()


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Wait for the folder's lock: one writer at a time. Yield False if stdin closed before the lock was free."""
    with (folder / "writer.lock").open("ab") as lock:
        is_closed = False
        while not (is_locked := _try_lock(lock)) and not is_closed:
            is_closed = _stdin_closes(_INTERVAL)
        yield is_locked


def _try_lock(file: BinaryIO) -> bool:
    """Lock a file unless another process holds the lock."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _settings() -> dict[str, Any]:
    with FileIO(0, closefd=False) as stdin:
        line = stdin.readline()  # unbuffered: a buffer would swallow the end of file that select() waits for later
    if not line.endswith(b"\n"):
        raise SystemExit
    return json.loads(line)  # type: ignore[no-any-return]


def _stdin_closes(timeout: float) -> bool:
    """Wait up to some seconds for the end of standard input. Return whether it came."""
    ready, _, _ = select.select([0], [], [], timeout)
    return bool(ready)


def _replace_file(path: Path, content: bytes) -> None:
    draft = path.with_name(uuid.uuid4().hex)
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
