"""The stand-in for TOEFL Access that no system under test can outrun: files behind nginx, and late answers."""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import nginx
from bench.process import Group, free_port, listening, started
from shim.sandbox import FIRST_REPORTED, LAST_REPORTED, Options, select

SOON: Final = "delay-50"
LATE: Final = "delay-5000"
"""Kinds of answers of one record, after so many milliseconds."""

_SIZES: Final = (0, 1, 100, 10_000, 100_000)


def records(number: int) -> str:
    """The kind of answer with so many records, at once."""
    return f"records-{number}"


@dataclass(frozen=True)
class Upstream:
    """One that runs on a port of this machine, its processes, and the SHA-256 of each kind of answer."""

    port: int
    group: Group
    late: Group
    digests: dict[str, str]

    @property
    def url(self) -> str:
        """The address of ``/scores``."""
        return f"http://127.0.0.1:{self.port}/scores"

    def cpu(self) -> float:
        """Seconds of CPU that its processes have used."""
        return self.group.cpu() + self.late.cpu()


@contextmanager
def running(folder: Path) -> Iterator[Upstream]:
    """Run one until the end of the block."""
    content = folder / "content"
    content.mkdir()
    digests = {records(size): _write(content / records(size), size) for size in _SIZES}
    digests |= dict.fromkeys((SOON, LATE), digests[records(1)])
    late_port, port = free_port(), free_port()
    late = [sys.executable, "-m", "bench.delayed", str(late_port), str(content / records(1))]
    files = nginx.files(folder / "upstream", port, content, late_port)
    with (
        started(late, folder / "late.log", listening(late_port)) as late_group,
        started(files, folder / "upstream.log", listening(port)) as group,
    ):
        yield Upstream(port, group, late_group, digests)


def _write(path: Path, size: int) -> str:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for chunk in select(Options(records=size), FIRST_REPORTED, LAST_REPORTED).chunks():
            file.write(chunk)
            digest.update(chunk)
    return digest.hexdigest()
