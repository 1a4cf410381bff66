"""``make fuzz``: runs the harnesses one after the other, each for a while, and says what they found."""

import importlib.util
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from tests.fuzz import harnesses, limits

_BUILD: Final = Path("build") / "fuzz"
_LIMITS: Final = ("-timeout=20", f"-rss_limit_mb={limits.FUZZER_MEBIBYTES}", "-max_len=4096")
_EXECUTIONS: Final = re.compile(r"^stat::number_of_executed_units: (\d+)$", re.MULTILINE)
_NEW: Final = re.compile(r"^#\d+\s+NEW", re.MULTILINE)
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
_SLACK: Final = 120
"""Seconds for a harness to start and to end besides."""

_out = Console(highlight=False, soft_wrap=True)


def main(
    only: Annotated[list[str] | None, typer.Argument(help="Harnesses; all by default.")] = None,
    *,
    seconds: Annotated[int, typer.Option(help="How long each runs.")] = 20,
) -> None:
    """Fuzz what reads hostile input."""
    if importlib.util.find_spec("atheris") is None:
        _out.print(
            "Nothing is fuzzed: atheris is not installed. It has wheels for CPython 3.11 to 3.14 on Linux x86_64; "
            f"this is {platform.python_implementation()} {platform.python_version()} on {platform.platform()}."
        )
        return
    unknown = set(only or ()) - set(harnesses.NAMES)
    if unknown:
        raise typer.BadParameter(f"no harness {', '.join(sorted(unknown))}: there are {', '.join(harnesses.NAMES)}")
    table = Table("harness")
    for heading in ("executions", "executions/s", "new inputs", "findings"):
        table.add_column(heading, justify="right")
    findings = [found for name in only or harnesses.NAMES for found in _fuzz(name, seconds, table)]
    _out.print(table)
    for found in findings:
        _out.print(f"[bold]{found}")
    if findings:
        _out.print(
            "Minimise an input with python -m tests.fuzz.one NAME -minimize_crash=1 FILE, and add it to the corpus."
        )
        raise typer.Exit(1)


def _fuzz(name: str, seconds: int, table: Table) -> list[str]:
    """Run one harness, add its row, and tell what it found."""
    found, fresh = _BUILD / "findings", _BUILD / name
    for folder in (found, fresh):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(found.glob(f"{name}-*"))
    options = (f"-max_total_time={seconds}", "-print_final_stats=1", f"-artifact_prefix={found}/{name}-", *_LIMITS)
    command = (sys.executable, "-m", "tests.fuzz.one", name, *options, str(fresh), str(harnesses.CORPUS / name))
    began = time.monotonic()
    log = fresh.with_suffix(".log")
    # A fuzzer does not clean up behind itself.
    with log.open("wb") as output, TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as temporary:
        environment = os.environ | {"TMPDIR": temporary}
        ended = subprocess.run(
            command, stdout=output, stderr=output, timeout=seconds + _SLACK, env=environment, check=False
        )
    took = time.monotonic() - began
    text = log.read_text(errors="replace")
    executions = int((_EXECUTIONS.findall(text) or ["0"])[-1])
    findings = [f"{name}: {path} (see {log})" for path in sorted(set(found.glob(f"{name}-*")) - before)]
    if ended.returncode and not findings:
        findings.append(f"{name}: it ended with {ended.returncode} (see {log})")
    cells = (f"{executions:,}", f"{executions / took:,.0f}", str(len(_NEW.findall(text))), str(len(findings)))
    table.add_row(name, *cells)
    return findings


if __name__ == "__main__":
    typer.run(main)
