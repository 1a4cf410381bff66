"""wrk, the load generator for small calls."""

import json
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.call import Call

_SCRIPT: Final = Path(__file__).with_name("load.lua")


@dataclass(frozen=True)
class Load:
    """What wrk saw: calls, in so many seconds, with their latencies in seconds, and what its own CPU spent."""

    calls: int
    seconds: float
    p50: float
    p99: float
    errors: int
    cpu: float


def load(call: Call, folder: Path, *, clients: int, seconds: int, scheme: str = "http") -> Load:
    """Call again and again, from so many clients for so long."""
    url = f"{scheme}://127.0.0.1:{call.port}{call.target}"
    command = f"wrk -t 1 -c {clients} -d {seconds}s --timeout 20s -s {_SCRIPT} {url} -- {call.method}".split()
    if call.body:
        body = folder / "call.xml"
        body.write_text(call.body, encoding="utf-8")
        command.append(str(body))
    before = _cpu()
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - all of it is ours
    return Load(**json.loads(done.stdout.splitlines()[-1]), cpu=_cpu() - before)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
