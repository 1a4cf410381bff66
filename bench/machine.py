"""What a run was made on and with, and how much of it other programs used."""

import json
import os
import platform
import re
import resource
import shutil
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

_PACKAGES: Final = ("gunicorn", "spyne", "lxml", "requests")
_SOAP: Final = Path(__file__).parent / "peers" / "node_modules" / "soap" / "package.json"
_PROGRAMS: Final = (["nginx", "-v"], ["wrk", "-v"], ["node", "-v"])


def described() -> str:
    """The machine."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = psutil.virtual_memory().total / 1024**3
    name = model[1] if model else platform.machine()
    return f"{os.cpu_count()} cores ({name}), {memory:.0f} GB, {platform.system()} {platform.release()}"


def versions(gateway: Path) -> str:
    """Of everything that takes part."""
    found = [_said([str(gateway), "--version"]), f"Python {platform.python_version()}"]
    found += [f"{name} {version(name)}" for name in _PACKAGES]
    found += [f"{command[0]} {_said(command)}" for command in _PROGRAMS if shutil.which(command[0])]
    if _SOAP.exists():
        found.append(f"node-soap {json.loads(_SOAP.read_text(encoding='utf-8'))['version']}")
    return ", ".join(found)


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - none but ours
    words = (done.stdout + done.stderr).splitlines()[0]
    numbers = re.search(r"\d+(\.\d+)+\S*", words)
    return words if command[-1] == "--version" or not numbers else numbers[0]


class Bystanders:
    """Tells how much CPU was used by programs that are no part of the run."""

    def __init__(self) -> None:
        """Begin."""
        self._began = time.monotonic()
        self._busy, self._own = _busy(), _own()

    def cores(self) -> float:
        """How many cores they kept busy, on average."""
        others = (_busy() - self._busy) - (_own() - self._own)
        return max(others, 0) / (time.monotonic() - self._began)


def _busy() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)


def _own() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
