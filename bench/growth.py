"""What a process and its children hold over time, and whether it grows."""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Final

_BINS: Final = 20
_WARM_UP: Final = 0.3
_LONGEST_WARM_UP: Final = 600.0
_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What was held at a moment, by the server and its workers together.

    Attributes:
        seconds: Since the start.
        calls: Answered since the start.
        rss: Resident memory of the workers and the ledger's writer in MB.
        pss: Their proportional share of it in MB.
        server_rss: Resident memory in MB of the server that started them.
        descriptors: Open files and sockets of all.
        threads: Of all.
        files: Temporary files, with or without a name.
    """

    seconds: float
    calls: int
    rss: float
    pss: float
    server_rss: float
    descriptors: int
    threads: int
    files: int


@dataclass(frozen=True, slots=True)
class Limit:
    """How far something may grow: whatever the time, as noise, and in an hour.

    Attributes:
        noise: In any time.
        hourly: In an hour.
        swing: How far it goes up and down with the calls under way, of which the median of more samples shows less.
    """

    noise: float
    hourly: float
    swing: float = 0


LIMITS: Final = {
    "rss": Limit(6, 4),
    "pss": Limit(6, 4),
    "server_rss": Limit(1, 1),
    "descriptors": Limit(6, 0, swing=24),
    "threads": Limit(4, 0),
    "files": Limit(2, 0, swing=8),
}
"""By column."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How something grew after the warm-up, and how far it was allowed to."""

    name: str
    middle: float
    hourly: float
    grown: float
    allowed: float

    @property
    def is_too_much(self) -> bool:
        """Whether it grew further."""
        return self.grown > self.allowed


def warm_up(samples: Sequence[Sample]) -> float:
    """Seconds that are not judged."""
    return min(_LONGEST_WARM_UP, _WARM_UP * samples[-1].seconds)


def judged(samples: Sequence[Sample]) -> list[Growth]:
    """Tell of every column how it grew after the warm-up."""
    begin = warm_up(samples)
    later = [sample for sample in samples if sample.seconds >= begin]
    return [_growth(name, limit, later) for name, limit in LIMITS.items()]


def _growth(name: str, limit: Limit, samples: Sequence[Sample]) -> Growth:
    size = max(1, len(samples) // _BINS)
    bins = [samples[start : start + size] for start in range(0, len(samples) - size + 1, size)]
    points = [
        (median(sample.seconds for sample in part), float(median(getattr(sample, name) for sample in part)))
        for part in bins
    ]
    slope = _slope(points)
    window = points[-1][0] - points[0][0]
    middle = median(value for _, value in points)
    noise = limit.noise + limit.swing / math.sqrt(size)
    return Growth(name, middle, slope * _HOUR, slope * window, noise + limit.hourly * window / _HOUR)


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """The median of the slopes between all pairs of points (Theil-Sen), which a few peaks do not move."""
    slopes = [(late[1] - early[1]) / (late[0] - early[0]) for early, late in combinations(points, 2)]
    return median(slopes) if slopes else 0.0


def sampled(server: int, folders: Iterable[Path], seconds: float, calls: int) -> Sample:
    """Look at a server and its workers now.

    Args:
        server: Its process number.
        folders: Where its temporary files are.
        seconds: Since the start.
        calls: Answered since the start.
    """
    workers = [int(pid) for pid in _proc(server, f"task/{server}/children").split()]
    everybody = [server, *workers]
    names = [str(folder) for folder in folders]
    links = [link for pid in everybody for link in _links(pid)]
    nameless = sum(link.startswith(tuple(names)) and link.endswith("(deleted)") for link in links)
    named = sum(path.is_file() for folder in names for path in Path(folder).rglob("*"))
    return Sample(
        round(seconds, 1),
        calls,
        sum(_megabytes(pid, "status", "VmRSS") for pid in workers),
        sum(_megabytes(pid, "smaps_rollup", "Pss") for pid in workers),
        _megabytes(server, "status", "VmRSS"),
        len(links),
        sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in everybody),
        nameless + named,
    )


def shared(server: int) -> Path:
    """The folder that a server's workers share, of which it has files open."""
    link = next(link for link in _links(server) if "/toefl-shim-" in link)
    return Path(link[: link.index("/", link.rindex("/toefl-shim-") + 1)])


def _proc(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8")


def _megabytes(pid: int, name: str, field: str) -> float:
    lines = dict(line.split(":", 1) for line in _proc(pid, name).splitlines() if ":" in line)
    return round(int(lines[field].split()[0]) / 1024, 2)


def _links(pid: int) -> list[str]:
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(str(path.readlink()))
        except OSError:  # closed since
            continue
    return found


def write(samples: Iterable[Sample], path: Path) -> None:
    """Write them as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(field.name for field in fields(Sample))
        writer.writerows(astuple(sample) for sample in samples)
