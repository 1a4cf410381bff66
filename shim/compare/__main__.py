"""``python -m shim.compare``: compare one call that a gateway has answered.

Standard input has the job as JSON: the settings, and what was asked. Standard output gets the result, as fields of a
line in the log.
"""

import json
import resource
import signal
import sys
from datetime import datetime
from typing import Any, Final

from shim import errors, log
from shim.compare.services import ComparisonError, Services
from shim.config import ComparisonSettings
from shim.query import ScoreQuery

_MEMORY: Final = 2 * 1024 * 1024 * 1024
"""Bytes."""


def main() -> None:
    """Compare the call on standard input."""
    log.configure()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        result = compare(json.load(sys.stdin))
    except Exception as error:  # noqa: BLE001 - its text could hold anything
        result = {"outcome": "failed", "note": errors.location(error)}
    json.dump(result, sys.stdout)


def compare(job: dict[str, Any]) -> dict[str, object]:
    """Compare what a call asked for, and return the result as fields of the log."""
    settings = ComparisonSettings.model_validate(job["settings"])
    # The default action of the alarm ends the process, wherever it waits.
    signal.alarm(settings.shadow.time_limit)
    start, end = (datetime.fromisoformat(job[name]) for name in ("start", "end"))
    query = ScoreQuery(start, end, job["type"], job["reportby"])
    try:
        services = Services(settings, job["authcode"], job["operation"])
        found = services.compare(services.parts(query))
    except ComparisonError as error:
        return {"outcome": "failed", "note": str(error)}
    differing = ", ".join(f"{name} {records}" for name, records in found.different.items())
    return {"outcome": found.outcome, "records": found.rest, "note": differing}


if __name__ == "__main__":
    main()
