"""The results as Markdown."""

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Final

from bench import bars, inflight, machine, memory, systems
from bench.bars import Bar
from bench.large import Large
from bench.memory import Memory, Peak
from bench.results import Results
from bench.small import Cell, Round, Small, middle
from bench.upstream import LATE, SOON

_WHAT: Final = """\
- `direct` is the upstream itself: nginx with files made by the sandbox, records of 1,600 bytes; late answers come from
  a small server behind it.
- `nginx` is a plain proxy to it.
- `textbook` is Spyne's own transport and one `requests` session on gunicorn, one worker with 16 threads.
- `node-soap` does the same on Node.js.
- `streaming` is base64 in a fixed envelope on the same gunicorn: it reads and verifies nothing.
- `gateway` and `gateway-2` are `toefl-shim serve` with one and with two workers, its log written to a file.

All run on one machine with what loads them, one called at a time, in another order every round. Before anything is
timed, the scores in each answer are held against their SHA-256; of wrk's calls the status is checked, of all others the
length and both ends as well. A figure is the median of its rounds, with the lowest and highest in brackets.
"""


def written(found: Results, gateway: Path, bystanders: float, settings: Iterable[str]) -> str:
    """The whole report."""
    today = dt.datetime.now(dt.UTC).date()
    lines = [
        "# Results",
        "",
        f"Written by `make bench` on {today}.",
        "",
        f"- Machine: {machine.described()}; other programs used {bystanders:.2f} cores meanwhile.",
        f"- Versions: {machine.versions(gateway)}.",
        *(f"- The gateways have `{setting}`." for setting in settings),
        *(f"- No {name}: {systems.missing(name)}." for name in systems.ALL if systems.missing(name)),
        "",
        "## Bars",
        "",
        *_bars(bars.bars(found)),
        "",
        "## What was measured",
        "",
        _WHAT,
        *_small(found.small),
        *_large(found.large),
        *_memory(found.memory),
        *_inflight(found.inflight),
        *_start(found.start),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(list(head))}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _bars(all_bars: list[Bar]) -> Iterator[str]:
    failed = sum(not bar.passed for bar in all_bars)
    yield f"**{failed} of {sum(bar.limit is not None for bar in all_bars)} bars failed.**\n"
    rows = []
    for bar in all_bars:
        wanted, ratio, verdict = "", "", "shown"
        if bar.limit is not None:
            wanted = f"{'≥' if bar.at_least else '≤'} {bar.limit:g} {bar.unit}"
            ratio, verdict = f"{bar.value / bar.limit:.2f}", "pass" if bar.passed else "**FAIL**"
        value = f"{bar.value:,.0f}" if bar.unit == "calls" else f"{bar.value:.2f}"
        rows.append((bar.what, f"{value} {bar.unit}", wanted, ratio, verdict))
    yield from _table(("bar", "measured", "wanted", "measured / wanted", ""), rows)
    notes = [f"- {bar.what}: {bar.note}." for bar in all_bars if bar.note]
    if notes:
        yield from ("", *notes)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.2f}"


def _spread(values: list[float], scale: float = 1000, digits: int = 2) -> str:
    if not values:
        return "-"
    middle_, low, high = (scale * one for one in (median(values), min(values), max(values)))
    return f"{middle_:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def _named(cell: Cell) -> str:
    late = " after 50 ms" if cell.kind == SOON else ""
    number = 1 if late else int(cell.kind.rpartition("-")[2])
    records = "no records" if number == 0 else "1 record" if number == 1 else f"{number} records"
    return f"{records}{late}, {cell.clients} client{'s' * (cell.clients > 1)}"


def _small(found: Small) -> Iterator[str]:
    head = ("", "calls/s", "p50 ms", "p99 ms", "p50 added", "p99 added", "CPU ms/call", "wrk", "upstream", "errors")
    for cell, by_system in found.items():
        yield f"### Small calls: {_named(cell)}\n"
        yield from _table(head, (_small_row(name, by_system) for name in by_system))
        yield ""
    if found:
        yield "`wrk` and `upstream` are the cores that these used.\n"


def _small_row(name: str, by_system: dict[str, list[Round]]) -> Iterator[str]:
    rounds = by_system[name]
    yield name
    yield _spread([one.rate for one in rounds], 1, 0)
    yield from (_spread([getattr(one, field) for one in rounds]) for field in ("p50", "p99"))
    yield from (_ms(bars.added(by_system, name, field)) for field in ("p50", "p99"))
    yield f"{middle(rounds, 'cpu') * 1000:.3f}"
    yield from (f"{middle(rounds, field):.2f}" for field in ("load", "upstream"))
    yield str(sum(one.errors for one in rounds))


def _large(found: Large) -> Iterator[str]:
    for kind, by_system in found.items():
        yield f"### Large answers: {int(kind.rpartition('-')[2]):,} records, 1 client\n"
        rows = (
            (
                name,
                _spread(times.first, digits=1),
                _spread(times.last, digits=1),
                f"{times.cpu / max(len(times.last), 1) * 1000:,.0f}",
                str(len(times.errors)),
            )
            for name, times in by_system.items()
        )
        yield from _table(("", "first byte ms", "last byte ms", "CPU ms/call", "errors"), rows)
        yield ""


def _memory(found: Memory) -> Iterator[str]:
    if not found:
        return
    yield "### Peak memory of a worker, MB\n"
    kinds = (memory.ONE, memory.HUGE, memory.MANY)
    rows = ((name, *(_peak(peaks.get(kind)) for kind in kinds)) for name, peaks in found.items())
    yield from _table(("", *kinds), rows)
    yield "\nResident, as the kernel counts its peak; in brackets all processes' proportional shares, every 20 ms.\n"


def _peak(peak: Peak | None) -> str:
    return f"{peak.worker:,.0f} ({peak.total:,.0f})" if peak else "-"


def _inflight(found: inflight.Inflight) -> Iterator[str]:
    if not found:
        return
    yield f"### {inflight.CALLS:,} calls at once, {int(LATE.rpartition('-')[2]) / 1000:g} s upstream\n"
    rows = (
        (
            name,
            f"{len(wait.seen.last):,}",
            f"{bars.percentile(wait.seen.last, 50):.2f}",
            f"{bars.percentile(wait.seen.last, 99):.2f}",
            f"{wait.peak.total:,.0f}",
            ", ".join(sorted(set(wait.seen.errors))),
        )
        for name, wait in found.items()
    )
    yield from _table(("", "answered", "p50 s", "p99 s", "MB of all processes", "the others"), rows)
    yield f"\nNothing is waited for after {inflight.DEADLINE:.0f} s. Memory is the sum of the proportional shares.\n"


def _start(found: dict[str, list[float]]) -> Iterator[str]:
    if found:
        yield "### From start to first answer\n"
        yield from _table(("", "ms"), ((name, _spread(times, digits=0)) for name, times in found.items()))
