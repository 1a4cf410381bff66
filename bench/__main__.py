"""``make bench``: measures everything, and writes RESULTS.md and results.svg."""

import resource
import shutil
import signal
import sys
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer

from bench import bars, chart, inflight, large, machine, memory, report, small, start, upstream
from bench.process import ROOT
from bench.results import Results
from bench.systems import Setup

_NEEDED: Final = ("nginx", "wrk")
_FILES: Final = 16_384
_HERE: Final = Path(__file__).parent
_ELSEWHERE: Final = ROOT / "build" / "bench"
_OWN: Final = Path(sys.executable).with_name("toefl-shim")


class Part(StrEnum):
    """A part of the run."""

    SMALL = "small"
    LARGE = "large"
    INFLIGHT = "inflight"
    START = "start"
    MEMORY = "memory"


def main(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds, fewer cells.")] = False,
    only: Annotated[list[Part] | None, typer.Option(help="Measure this part alone; may be repeated.")] = None,
    gateway: Annotated[Path, typer.Option(help="The toefl-shim command to measure.")] = _OWN,
    setting: Annotated[list[str] | None, typer.Option(help="A line for [gateway], such as threads=8.")] = None,
) -> None:
    """Measure the gateway beside other ways to do its job.

    The results are written beside this program; those of a quick or partial run to build/bench.
    """
    absent = [name for name in _NEEDED if shutil.which(name) is None]
    if absent:
        raise typer.BadParameter(f"not installed: {', '.join(absent)}; apt-get install nginx-light wrk")
    # So that every process is stopped then as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, _FILES), most))
    bystanders = machine.Bystanders()
    settings = tuple(setting or ())
    with TemporaryDirectory(prefix="toefl-shim-bench-") as folder, upstream.running(Path(folder)) as running:
        found = _measured(Setup(Path(folder), running, gateway, settings), set(only or ()), quick=quick)
    target = _ELSEWHERE if quick or only else _HERE
    target.mkdir(parents=True, exist_ok=True)
    text = report.written(found, gateway, bystanders.cores(), settings)
    (target / "RESULTS.md").write_text(text, encoding="utf-8")
    (target / "results.svg").write_text(chart.drawn(found), encoding="utf-8")
    typer.echo(text)
    failed = [bar.what for bar in bars.bars(found) if not bar.passed]
    typer.echo(f"{target / 'RESULTS.md'}; bars that fail: {len(failed)}")
    for what in failed:
        typer.echo(f"  FAIL {what}")


def _measured(setup: Setup, parts: set[Part], *, quick: bool) -> Results:
    def wanted(part: Part) -> bool:
        if parts and part not in parts:
            return False
        typer.echo(f"measuring: {part}", err=True)
        return True

    return Results(
        small=small.measure(setup, quick=quick) if wanted(Part.SMALL) else {},
        large=large.measure(setup, quick=quick) if wanted(Part.LARGE) else {},
        inflight=inflight.measure(setup, quick=quick) if wanted(Part.INFLIGHT) else {},
        start=start.measure(setup, quick=quick) if wanted(Part.START) else {},
        memory=memory.measure(setup, quick=quick) if wanted(Part.MEMORY) else {},
    )


if __name__ == "__main__":
    typer.run(main)
