"""What a soak has found, as Markdown and as a chart."""

import io
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from bench import growth
from bench.found import Found
from bench.growth import Growth, Sample

_MINUTE: Final = 60
_UNITS: Final = {"rss": "MB", "pss": "MB", "server_rss": "MB"}
_NAMES: Final = {
    "rss": "resident memory of both workers and the ledger's writer",
    "pss": "their proportional share of it",
    "server_rss": "resident memory of the server that started them",
    "descriptors": "open files and sockets",
    "threads": "threads",
    "files": "temporary files",
}


def written(found: Found, clients: int) -> str:
    """The figures as Markdown."""
    last, begin = found.samples[-1], growth.warm_up(found.samples)
    rate = found.tally.calls / last.seconds
    lines = [
        "# Soak",
        "",
        f"`make soak`: {last.seconds / _MINUTE:.0f} minutes, two workers, {clients} clients,",
        f"{found.tally.calls:,} calls ({rate:.0f} a second) of every kind below, each held to what it must get.",
        f"Judged after {begin / _MINUTE:.0f} minutes of warm-up, by the median slope between all pairs of points.",
        "",
        "![What was held over time](soak.svg)",
        "",
        "| held | in the middle | an hour | grown | allowed |",
        "|---|--:|--:|--:|--:|",
        *(_row(one) for one in found.growths),
        "",
        f"Wrong: {'; '.join(found.wrong) if found.wrong else 'nothing'}.",
        "",
        "| calls | were told | times |",
        "|---|---|--:|",
        *(f"| {kind} | {told} | {times:,} |" for (kind, told), times in sorted(found.tally.told.items())),
        "",
    ]
    return "\n".join(lines)


def _row(one: Growth) -> str:
    unit = _UNITS.get(one.name, "")
    figures = (f"{value:+.2f} {unit}".rstrip() for value in (one.hourly, one.grown, one.allowed))
    return f"| {_NAMES[one.name]} | {one.middle:.4g} {unit}".rstrip() + f" | {' | '.join(figures)} |"


def drawn(samples: Sequence[Sample]) -> str:
    """The chart as SVG."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only the benchmark's group has it

    from bench.chart import INK, OTHER, OURS, PAPER, themed  # noqa: PLC0415 - same

    minutes = [sample.seconds / _MINUTE for sample in samples]
    # A minute each, as a second has few calls.
    wide = samples[::_MINUTE] if len(samples) > 2 * _MINUTE else samples
    rates = [(late.calls - early.calls) / (late.seconds - early.seconds) for early, late in pairwise(wide)]
    panels = {
        "Memory of both workers, MB: resident; share": ["rss", "pss"],
        "Memory of the server, MB": ["server_rss"],
        "Open files and sockets": ["descriptors"],
        "Threads; temporary files": ["threads", "files"],
    }
    figure = Figure(figsize=(10, 9), facecolor=PAPER, layout="constrained")
    plots = figure.subplots(len(panels) + 1, 1, sharex=True)
    for axes, (title, names) in zip(plots, panels.items(), strict=False):
        for name, colour in zip(names, (OURS, OTHER), strict=False):
            values = [getattr(sample, name) for sample in samples]
            axes.plot(minutes, values, color=colour, linewidth=1)
        axes.set_title(title, color=INK, loc="left", fontsize=11)
        axes.set_ylim(bottom=0, top=1.25 * max(getattr(sample, name) for sample in samples for name in names))
    plots[-1].plot([sample.seconds / _MINUTE for sample in wide[1:]], rates, color=OURS, linewidth=1)
    plots[-1].set_title("Calls a second", color=INK, loc="left", fontsize=11)
    plots[-1].set_ylim(bottom=0, top=1.25 * max(rates, default=1) or 1)
    plots[-1].set_xlabel("minutes", color=INK)
    for axes in plots:
        axes.set_facecolor(PAPER)
        axes.tick_params(colors=INK)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["bottom", "left"]].set_color(OTHER)
    picture = io.StringIO()
    figure.savefig(picture, format="svg", metadata={"Date": None, "Creator": None})
    return themed(picture.getvalue())
