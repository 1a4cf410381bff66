"""``make replicas``: what one, two and four gateways carry behind one nginx, with one ledger. Writes REPLICAS.md."""

import datetime as dt
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import psutil
import psycopg
import typer

from bench import call, machine, upstream
from bench.load import load
from bench.process import Group, free_port, listening, started
from bench.small import turns
from bench.systems import Setup
from bench.upstream import Upstream, records
from shim.ledger.store import LedgerStore
from tests import postgresql
from tests.deploy.front import Front, front

_COUNTS: Final = (1, 2, 4)
_ROUNDS: Final = 5
_SECONDS: Final = 3
_CLIENTS: Final = 64
_KIND: Final = records(1)
_CALLER: Final = "wrk"
_WRITER: Final = "shim.ledger.writer"
_NEEDED: Final = ("nginx", "wrk", "openssl")
_PARTS: Final = ("gateways", "their writers", "PostgreSQL", "nginx", "wrk", "upstream")
_TARGET: Final = Path(__file__).with_name("REPLICAS.md")
_OWN: Final = Path(sys.executable).with_name("toefl-shim")


_WHAT: Final = """\
- One, two and four gateways of one worker each, behind one nginx with the files of `deploy/nginx`, over TLS; their
  ledger is one PostgreSQL.
- All of it runs on these cores, with what loads it: once they are busy, another gateway has none to run on. What
  says whether gateways add up is the CPU of a call, here without the writers of the ledger: where it stays the same,
  they are in nobody's way."""


@dataclass(frozen=True)
class Round:
    """So many gateways, once.

    Attributes:
        calls: How many were answered.
        errors: How many were not.
        rate: Calls in a second.
        p50: Seconds.
        p99: Seconds.
        cpu: Seconds of the gateways' CPU for a call, without the writers of their ledger.
        cores: What each of ``_PARTS`` kept busy.
    """

    calls: int
    errors: int
    rate: float
    p50: float
    p99: float
    cpu: float
    cores: dict[str, float]


@dataclass(frozen=True)
class Site:
    """All that runs.

    Attributes:
        gateways: All of them; those that are not called are idle.
        writers: Those of their ledger.
        fronts: An nginx before each number of them.
    """

    setup: Setup
    gateways: list[Group]
    writers: list[Group]
    fronts: dict[int, Front]
    database: Group

    def round(self, count: int) -> Round:
        """Call so many for some seconds."""
        site = self.fronts[count]
        nginx = Group(psutil.Process(int((site.folder / "pid").read_text(encoding="ascii"))))

        def used() -> list[float]:
            all_of_it = sum(gateway.cpu() for gateway in self.gateways)
            writers = sum(writer.cpu() for writer in self.writers)
            return [all_of_it - writers, writers, self.database.cpu(), nginx.cpu(), 0, self.setup.upstream.cpu()]

        before = used()
        asked = call.make(site.port, "soap", _KIND)
        seen = load(asked, self.setup.folder, clients=_CLIENTS, seconds=_SECONDS, scheme="https")
        spent = [after - begun for after, begun in zip(used(), before, strict=True)]
        cores = dict(zip(_PARTS, (one / seen.seconds for one in spent), strict=True)) | {"wrk": seen.cpu / seen.seconds}
        rate = seen.calls / seen.seconds
        return Round(seen.calls, seen.errors, rate, seen.p50, seen.p99, spent[0] / max(seen.calls, 1), cores)


@contextmanager
def running(folder: Path, fast: Upstream, cluster: postgresql.Cluster, database: str) -> Iterator[Site]:
    """Run four gateways, and an nginx before one, two and all of them, until the end of the block."""
    setup = Setup(folder, fast, _OWN)
    ports = [free_port() for _ in range(max(_COUNTS))]
    with ExitStack() as stack:
        gateways = []
        for port in ports:
            command = [str(_OWN), "serve", "-c", str(_configured(setup, port, database))]
            gateways.append(stack.enter_context(started(command, folder / f"{port}.log", listening(port))))
        fronts = {count: stack.enter_context(front(folder / f"nginx-{count}", ports[:count])) for count in _COUNTS}
        writers = [Group(one) for gateway in gateways for one in gateway.members() if _WRITER in one.cmdline()]
        yield Site(setup, gateways, writers, fronts, Group(psutil.Process(cluster.pid)))


def _configured(setup: Setup, port: int, database: str) -> Path:
    path = setup.folder / f"{port}.toml"
    lines = [
        "[gateway]",
        f'bind = "127.0.0.1:{port}"',
        'trusted_proxies = ["127.0.0.1/32"]',
        "workers = 1",
        "[upstream]",
        f'url = "{setup.upstream.url}"',
        "[[authcodes]]",
        'name = "bench"',
        f'file = "{setup.authcode}"',
        "[[callers]]",
        f'name = "{_CALLER}"',
        'networks = ["127.0.0.1/32"]',
        "[ledger]",
        f'url = "{database}"',
        f'journal = "journal-{port}"',
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _written(
    found: dict[int, list[Round]], server: str, bystanders: float, before: int, counted: dict[str, int]
) -> str:
    rounds = [one for of_count in found.values() for one in of_count]
    calls, errors = before + sum(one.calls for one in rounds), sum(one.errors for one in rounds)
    one = median(each.rate for each in found[1])
    lines = [
        "# Replicas",
        "",
        f"Written by `make replicas` on {dt.datetime.now(dt.UTC).date()}.",
        "",
        f"- Machine: {machine.described()}; other programs used {bystanders:.2f} cores meanwhile.",
        f"- Versions: {machine.versions(_OWN)}, {server}.",
        f"- {_CLIENTS} clients of wrk, one record an answer, {_ROUNDS} rounds of {_SECONDS} s in turn.",
        *_WHAT.splitlines(),
        "",
        "| gateways | calls/s | to one | p50 ms | p99 ms | CPU ms/call | errors |",
        "|---|---|---|---|---|---|---|",
    ]
    for count, of_count in found.items():
        rates = [each.rate for each in of_count]
        lines.append(
            f"| {count} | {median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f}) | {median(rates) / one:.2f} "
            f"| {_middle(of_count, 'p50') * 1000:.1f} | {_middle(of_count, 'p99') * 1000:.1f} "
            f"| {_middle(of_count, 'cpu') * 1000:.3f} | {sum(each.errors for each in of_count)} |"
        )
    lines += ["", f"| cores busy, by | {' | '.join(_PARTS)} | all |", f"|---|{'---|' * (len(_PARTS) + 1)}"]
    for count, of_count in found.items():
        cores = [median(each.cores[part] for each in of_count) for part in _PARTS]
        lines.append(f"| {count} | {' | '.join(f'{part:.2f}' for part in cores)} | {sum(cores):.2f} |")
    told = ", ".join(f"{number:,} `{outcome}`" for outcome, number in sorted(counted.items()))
    lines += [
        "",
        f"wrk was answered {calls:,} times, with {errors} errors; the ledger has {told}. At its end a round",
        f"leaves up to {_CLIENTS} calls without their client, and the ledger counts these as well.",
    ]
    return "\n".join(lines) + "\n"


def _middle(rounds: list[Round], field: str) -> float:
    return float(median(getattr(one, field) for one in rounds))


def main() -> None:
    """Measure, and write REPLICAS.md beside this program."""
    absent = [name for name in _NEEDED if shutil.which(name) is None]
    if absent:
        raise typer.BadParameter(
            f"not installed: {', '.join(absent)}; apt-get install nginx-light wrk openssl postgresql"
        )
    bystanders = machine.Bystanders()
    found: dict[int, list[Round]] = {count: [] for count in _COUNTS}
    with (
        TemporaryDirectory(prefix="toefl-shim-bench-") as name,
        upstream.running(Path(name)) as fast,
        postgresql.running() as cluster,
    ):
        database = cluster.database().replace("postgresql://", "postgresql+psycopg://")
        with running(Path(name), fast, cluster, database) as site:
            # Until every connection is made, and every table.
            before = sum(site.round(count).calls for count in _COUNTS)
            for count in turns(_COUNTS, _ROUNDS):
                found[count].append(site.round(count))
        counted = _counted(database)
        with psycopg.connect(cluster.address("postgres")) as connection:
            server = connection.info.parameter_status("server_version")
    text = _written(found, f"PostgreSQL {server}", bystanders.cores(), before, counted)
    _TARGET.write_text(text, encoding="utf-8")
    typer.echo(text)


def _counted(database: str) -> dict[str, int]:
    """Calls in the ledger by how they ended."""
    (caller,) = LedgerStore(database).summary(dt.datetime.now(dt.UTC)).callers
    return dict(caller.outcomes)


if __name__ == "__main__":
    typer.run(main)
