"""A sample of the live calls, compared with the legacy service once they are answered.

A comparison never harms a call. It is a process of its own, and the whole gateway runs
one at a time; a call that is sampled meanwhile is dropped and counted, and so is any
failure. The process is told what was asked, not what was answered: it asks both
services itself, so no score is kept for it.
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

_PROGRAM: Final = (sys.executable, "-m", "shim.compare")
_RANDOM: Final = secrets.SystemRandom()

_log = structlog.get_logger()


class Shadow:
    """Starts the comparisons of one worker."""

    def __init__(self, config: Config, lock: Path, count: Callable[[str], None]) -> None:
        """Set up the job of a comparison.

        Args:
            config: The configuration.
            lock: A file that all workers share.
            count: Called with the outcome of each sampled call.
        """
        self._settings = config.comparison().model_dump(mode="json")
        self._sample = config.shadow.sample
        self._authcodes = {entry.name: entry.authcode for entry in config.who_may_call if entry.authcode}
        self._lock = lock
        self._count = count

    def observe(self, call: Mapping[str, Any]) -> None:
        """Compare a call that has ended, if it is sampled: one with score records and a stored authcode."""
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
                # The process holds the lock as long as it lives, whatever becomes of this worker.
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
    """Run the process, which limits its own time. Called in a thread, where gevent would print any exception."""
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
