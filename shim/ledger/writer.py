"""The process that brings the journal into the ledger, and tells the workers what they may know of it.

Counts go into the database together with how far the journal was read, so whenever it is killed
nothing is lost and nothing counted twice. While the database cannot be used, the journal waits.
"""

import fcntl
import json
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
from shim.ledger.journal import MIGRATED, STATUS, SUFFIX, SUMMARY
from shim.ledger.store import FAILURES, Ledger

_DONE: Final = ".done"
# Seconds between looks at the journal, doubled up to the longest while the database cannot be used.
_TURN: Final = 1.0
_LONGEST: Final = 60.0
# Seconds between summaries while there are calls, and while there are none.
_BUSY: Final = 2.0
_IDLE: Final = 10.0
# Seconds for the workers' last calls when the server was killed.
_LINGER: Final = 5.0
# Bytes of journal that are counted at a time.
_BATCH: Final = 4 * 1024 * 1024
_log = structlog.get_logger()


@dataclass(slots=True)
class _Part:
    """A part of one journal, of whole lines, and whether nothing will follow."""

    begin: int
    text: bytes
    is_last: bool


class Writer:
    """Counts the calls in a folder.

    Attributes:
        failures: How often the ledger could not be written to.
        is_waiting: Whether a worker may write more.
    """

    def __init__(self, ledger: Ledger, folder: Path, retention_days: int) -> None:
        """Take the ledger and the folder of the journal."""
        self._ledger = ledger
        self._folder = folder
        self._retention = timedelta(days=retention_days)
        self._read: dict[str, int] | None = None
        self._in_ledger = 0
        self._cleaned: date | None = None
        self._told = -_IDLE
        self._marked: list[str] | None = None
        self.failures = self._earlier_failures()
        self.is_waiting = False

    def turn(self, *, last: bool = False) -> str:
        """Count what has come.

        Args:
            last: Tell of it in any case.

        Returns:
            Why that failed; nothing if it did not.
        """
        try:
            self._turn(last=last)
        except FAILURES as error:
            reason = self._ledger.reason(error)
        except Exception as error:  # noqa: BLE001 - it must go on whatever happens
            reason = errors.location(error)
        else:
            return ""
        self._read = None
        self.failures += 1
        return reason

    def report(self) -> None:
        """Write how it stands, for the metrics."""
        if self._read is not None:
            self._in_ledger = sum(self._read.values())
        with suppress(OSError):
            _replace(self._folder / STATUS, json.dumps({"read": self._in_ledger, "failures": self.failures}).encode())

    def _turn(self, *, last: bool) -> None:
        if self._read is None:
            self._ledger.migrate()
            for path in self._folder.glob(f"*{_DONE}"):
                self._delete(path)
            self._read = self._ledger.read_to()
        counted = False
        while parts := self._parts(self._read):
            self._count(parts, self._read)
            counted = True
        today = datetime.now(UTC).date()
        if today != self._cleaned:
            self._ledger.forget(today - self._retention)
            self._cleaned = today
        since = time.monotonic() - self._told
        if last or since >= (_BUSY if counted else _IDLE):
            self._tell()

    def _parts(self, read: dict[str, int]) -> dict[Path, _Part]:
        """What is new, up to a batch."""
        parts: dict[Path, _Part] = {}
        left = _BATCH
        self.is_waiting = False
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            with path.open("rb") as file:
                # Whoever writes to it has it locked, and looked at first so that nothing can follow what is read.
                is_last = _is_free(file)
                self.is_waiting |= not is_last
                begin = file.seek(read.get(path.name, 0))
                text = file.read(left)
            if len(text) == left:
                is_last = False
            if not is_last:
                text = text[: text.rfind(b"\n") + 1]
            if text or is_last:
                parts[path] = _Part(begin, text, is_last)
            left -= len(text)
            if left <= 0:
                break
        return parts

    def _count(self, parts: dict[Path, _Part], read: dict[str, int]) -> None:
        tally = self._ledger.blank()
        for part in parts.values():
            tally.add(part.text.splitlines())
        grown = {path.name: (part.begin, part.begin + len(part.text)) for path, part in parts.items() if part.text}
        if grown:
            self._ledger.add(tally, grown)
        read |= {name: end for name, (_, end) in grown.items()}
        if tally.unread:
            _log.warning("ledger", note=f"{tally.unread} lines of the journal were cut")
        for path, part in parts.items():
            if part.is_last:
                self._delete(path.rename(path.with_suffix(_DONE)))
                read.pop(path.name, None)

    def _delete(self, path: Path) -> None:
        """Delete a journal that is counted, under a name under which it is not counted again."""
        self._ledger.forget_journal(path.with_suffix(SUFFIX).name)
        path.unlink()

    def _tell(self) -> None:
        """Write what the workers may know: they do not ask a database."""
        known = self._ledger.summary(datetime.now(UTC))
        marked = [caller.name for caller in known.callers if caller.migrated is not None]
        if marked != self._marked:
            _replace(self._folder / MIGRATED, json.dumps(marked).encode())
            self._marked = marked
        _replace(self._folder / SUMMARY, summary.to_json(known))
        self._told = time.monotonic()

    def _earlier_failures(self) -> int:
        try:
            return int(json.loads((self._folder / STATUS).read_bytes())["failures"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0


def main() -> None:
    """Count until nobody holds the other side of standard input; its first line has the settings."""
    log.configure()
    with suppress(PermissionError):  # where a sandbox forbids it, there it is as important as the others
        os.nice(5)
    os.umask(0o077)
    settings = _settings()
    folder = Path(settings["journal"])
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(folder) as is_alone:
            if is_alone:
                _write(Writer(Ledger(settings["url"]), folder, settings["retention_days"]))
    except OSError as error:
        _log.warning("ledger", note=f"the journal cannot be used: {error.strerror}")
        raise SystemExit(1) from None


def _write(writer: Writer) -> None:
    pause, failing = _TURN, ""
    while True:
        reason = writer.turn()
        writer.report()
        if reason and not failing:
            _log.warning("ledger", note=reason)
        elif failing and not reason:
            _log.info("ledger", note="can be written to again")
        failing = reason
        pause = min(2 * pause, _LONGEST) if reason else _TURN
        if _has_ended(pause):
            break
    until = time.monotonic() + _LINGER
    while (writer.turn(last=True) or writer.is_waiting) and time.monotonic() < until:
        time.sleep(0.2)
    writer.report()


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Wait until no other writer works in a folder; tells whether that was before there was nothing to do any more."""
    with (folder / "writer.lock").open("ab") as lock:
        ended = False
        while not (free := _is_free(lock)) and not ended:
            ended = _has_ended(_TURN)
        yield free


def _is_free(file: BinaryIO) -> bool:
    """Lock a file, unless somebody else has."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _settings() -> dict[str, Any]:
    with FileIO(0, closefd=False) as given:
        line = given.readline()  # byte by byte: what follows, or its end, is waited for later
    if not line.endswith(b"\n"):
        raise SystemExit
    return json.loads(line)  # type: ignore[no-any-return]


def _has_ended(seconds: float) -> bool:
    """Wait, but not beyond the end of standard input."""
    ready, _, _ = select.select([0], [], [], seconds)
    return bool(ready)


def _replace(path: Path, text: bytes) -> None:
    begun = path.with_name(uuid.uuid4().hex)
    try:
        begun.write_bytes(text)
        begun.replace(path)
    finally:
        begun.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
