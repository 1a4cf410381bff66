"""A sample of the live calls, compared with the old service once they are answered.

It never harms a call: each comparison is a process of its own, of which there is one
at a time in the whole gateway; a call that is sampled meanwhile is dropped and counted,
and so is whatever fails. The process is told what was asked, not what was answered: it
asks both services itself, so that no score is kept for it.
"""

import fcntl
import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import gevent
import structlog

from shim import errors
from shim.config import Config

_PROGRAM: Final = (sys.executable, "-m", "shim.compare.services")
_RANDOM: Final = secrets.SystemRandom()

_log = structlog.get_logger()


class Shadow:
    """Starts the comparisons, in every worker."""

    def __init__(self, config: Config, lock: Path, count: Callable[[str], None]) -> None:
        """Take the configuration, a file that all workers share, and what to tell each outcome."""
        needed = {"upstream", "spool", "authcodes", "legacy", "shadow"}
        self._settings = config.model_dump(mode="json", include=needed)
        self._sample = config.shadow.sample
        self._authcodes = {entry.name: entry.authcode for entry in config.who_may_call if entry.authcode}
        self._lock = lock
        self._count = count

    def observe(self, call: Mapping[str, Any]) -> None:
        """Compare a call that has ended, if it is of the sample: score records, with a stored authcode."""
        authcode = self._authcodes.get(call.get("caller", ""))
        if call["outcome"] != "ok" or authcode is None or call["format"] != "text":
            return
        if _RANDOM.random() < self._sample:
            gevent.spawn(self._compare, call, authcode)

    def _compare(self, call: Mapping[str, Any], authcode: str) -> None:
        asked = {name: call[name] for name in ("operation", "start", "end", "type", "reportby")}
        job = json.dumps({"settings": self._settings, "authcode": authcode, **asked}).encode()
        try:
            with self._lock.open("wb") as lock:
                # The process has the lock as long as it lives, whatever becomes of this worker.
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found = gevent.get_hub().threadpool.apply(_run, (job, lock.fileno()))
        except BlockingIOError:
            found = {"outcome": "dropped"}
        except OSError as error:
            found = _failed(errors.location(error))
        self._count(found["outcome"])
        if found["outcome"] != "dropped":
            fields = {name: call[name] for name in ("request", "operation", "caller", "start", "end")}
            _log.info("shadow", **fields, **found)


def _run(job: bytes, lock: int) -> dict[str, Any]:
    """Run the process, in a thread, where gevent would print whatever is raised; it limits its own time."""
    try:
        ended = subprocess.run(  # noqa: S603 - this very program
            _PROGRAM, input=job, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=(lock,), check=False
        )
        if ended.returncode:
            late = ended.returncode == -signal.SIGALRM
            return _failed("shadow.time_limit" if late else f"its process ended with {ended.returncode}")
        return json.loads(ended.stdout)  # type: ignore[no-any-return]
    except Exception as error:  # noqa: BLE001 - a call that is answered must not be harmed
        return _failed(errors.location(error))


def _failed(note: str) -> dict[str, Any]:
    return {"outcome": "failed", "note": note}
