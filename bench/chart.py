"""The results as a chart that can be read on light and on dark paper."""

import io
import re
from statistics import median
from typing import TYPE_CHECKING, Final

from matplotlib.figure import Figure

from bench import bars, memory
from bench.large import BIG
from bench.results import Results
from bench.small import ONE, SIXTEEN, middle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Stand-ins that become variables in the SVG: light, dark.
_COLOURS: Final = {
    "#010101": ("paper", "#ffffff", "#0d1117"),
    "#020202": ("ink", "#1f2328", "#e6edf3"),
    "#030303": ("other", "#8c959f", "#6e7681"),
    "#040404": ("ours", "#0969da", "#4493f8"),
}
PAPER, INK, OTHER, OURS = _COLOURS


def drawn(found: Results) -> str:
    """The chart as SVG, of the parts that were measured."""
    panels = list(_panels(found).items())
    figure = Figure(figsize=(10, 2.4 * ((len(panels) + 1) // 2)), facecolor=PAPER, layout="constrained")
    for place, (title, values) in enumerate(panels, 1):
        _draw(figure.add_subplot((len(panels) + 1) // 2, 2, place), title, values)
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return themed(written.getvalue())


def _panels(found: Results) -> dict[str, dict[str, float]]:
    panels: dict[str, dict[str, float]] = {}
    if found.small:
        one, sixteen = found.small[ONE], found.small[SIXTEEN]
        panels["One record, 1 client: p50 added, ms"] = {
            name: bars.added(one, name) * 1000 for name in one if name not in ("direct", "gateway-2")
        }
        # nginx, which makes no envelope, would leave no room for the others.
        panels["One record, 16 clients: calls/s"] = {
            name: middle(sixteen[name], "rate") for name in sixteen if name not in ("direct", "nginx")
        }
    if found.large:
        panels["10,000 records: last byte, ms"] = {
            name: median(times.last) * 1000 for name, times in found.large[BIG].items()
        }
    if found.memory:
        panels["100,000 records: a worker's peak, MB"] = {
            name: peaks[memory.HUGE].worker for name, peaks in found.memory.items()
        }
    return panels


def _draw(axes: "Axes", title: str, values: dict[str, float]) -> None:
    names = list(values)[::-1]
    colours = [OURS if name.startswith("gateway") else OTHER for name in names]
    shapes = axes.barh(names, [values[name] for name in names], color=colours)
    axes.bar_label(shapes, [f" {values[name]:,.{2 if values[name] < 10 else 0}f}" for name in names], color=INK)  # noqa: PLR2004 - small figures need their decimals
    axes.set_title(title, color=INK, loc="left", fontsize=11)
    axes.set_facecolor(PAPER)
    axes.margins(x=0.15)
    axes.tick_params(left=False, bottom=False, labelbottom=False, colors=INK)
    axes.spines[:].set_visible(False)


def themed(svg: str) -> str:
    """A drawing in the colours above, as one that follows the reader's light or dark paper."""
    for stand_in, (name, light, _) in _COLOURS.items():
        svg = svg.replace(stand_in, f"var(--{name}, {light})")
    light = "".join(f"--{name}: {light};" for name, light, _ in _COLOURS.values())
    dark = "".join(f"--{name}: {dark};" for name, _, dark in _COLOURS.values())
    style = f"<style>:root {{{light}}} @media (prefers-color-scheme: dark) {{:root {{{dark}}}}}</style>"
    return re.sub(r"(<svg [^>]*>)", rf"\1\n {style}", svg, count=1)
