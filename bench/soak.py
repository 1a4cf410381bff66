"""``make soak``: good and bad calls for a long time against two workers; fails when anything that they hold grows."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer

from bench import growth
from bench.found import Found
from bench.growth import Sample
from bench.traffic import Client, Tally
from shim.sandbox import DEMO_AUTHCODE
from shim.sandbox.process import free_port, wait_for

_ROOT: Final = Path(__file__).parent.parent
_WORKERS: Final = 2
_PAUSE: Final = 0.2
_REST: Final = 20.0
_PATIENCE: Final = 30
_AT_REST: Final = ("toefl_shim_calls_in_flight", "toefl_shim_spool_bytes")
_FOREIGN: Final = ("TOEFL_SHIM_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "GUNICORN_", "WEB_CONCURRENCY")


def run(seconds: float, folder: Path, *, clients: int = 8) -> Found:
    """Soak a gateway of its own for so long.

    Args:
        seconds: How long.
        folder: For its log and its temporary files.
        clients: How many call at a time.
    """
    spool, temporary = folder / "spool", folder / "tmp"
    for each in (spool, temporary):
        each.mkdir(parents=True)
    port, admin, upstream = free_port(), free_port(), free_port()
    settings = {
        "UPSTREAM__URL": f"http://127.0.0.1:{upstream}/scores",
        "UPSTREAM__READ_TIMEOUT": "2",
        "UPSTREAM__DEADLINE": "8",
        "UPSTREAM__BREAKER_SECONDS": "0.5",
        "GATEWAY__BIND": f"127.0.0.1:{port}",
        "GATEWAY__ADMIN_BIND": f"127.0.0.1:{admin}",
        "GATEWAY__WORKERS": str(_WORKERS),
        "GATEWAY__REQUEST_TIMEOUT": "2",
        "SPOOL__FOLDER": str(spool),
        "LEDGER__URL": f"sqlite:///{folder}/ledger.db",
        "AUTHCODES": json.dumps([{"name": "soak", "env": "SOAK_AUTHCODE"}]),
    }
    environment = {f"TOEFL_SHIM_{name}": value for name, value in settings.items()}
    environment |= {"SOAK_AUTHCODE": DEMO_AUTHCODE, "TMPDIR": str(temporary)}
    samples: list[Sample] = []
    wrong: list[str] = []
    with (
        _process("bench.moody", [str(upstream)], {}, folder / "upstream.log", upstream),
        _process("shim", ["serve"], environment, folder / "gateway.log", port) as gateway,
    ):
        folders = (spool, temporary, growth.shared(gateway))

        def look(tally: Tally) -> None:
            with suppress(FileNotFoundError, ProcessLookupError):  # a worker that ends while it is looked at
                samples.append(growth.sampled(gateway, folders, time.monotonic() - began, tally.calls))
            try:
                _metrics(admin)
            except (OSError, http.client.HTTPException, ValueError) as error:
                wrong.append(f"/metrics: {error}")

        # So many calls that whatever is made once has been made before the first look.
        with calling(port, clients):
            time.sleep(min(_REST, seconds / 4))
        began = time.monotonic()
        with calling(port, clients) as tally:
            while time.monotonic() - began < seconds:
                time.sleep(1)
                look(tally)
        wrong += _not_at_rest(admin, lambda: growth.sampled(gateway, folders, 0, 0), samples)
    log = (folder / "gateway.log").read_text(encoding="utf-8")
    wrong += [
        f"the log has {words}"
        for words in ("Traceback", '"outcome": "internal"', "WORKER TIMEOUT", "was sent")
        if words in log
    ]
    wrong += [f"{times} times {told}" for told, times in tally.wrong.most_common(20)]
    growths = growth.judged(samples)
    wrong += [
        f"{one.name} grew by {one.grown:.1f}, and only {one.allowed:.1f} are allowed"
        for one in growths
        if one.is_too_much
    ]
    return Found(samples, tally, growths, wrong)


@contextmanager
def calling(port: int, clients: int) -> Iterator[Tally]:
    """Have clients call until the end of the block."""
    tally, stopped = Tally(), threading.Event()
    threads = [
        threading.Thread(target=Client(port, tally, _PAUSE, seed).run, args=[stopped], daemon=True)
        for seed in range(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        yield tally
    finally:
        stopped.set()
        for thread in threads:
            thread.join(_PATIENCE)


def _not_at_rest(admin: int, look: Callable[[], Sample], samples: Sequence[Sample]) -> list[str]:
    """What is still held a while after the last call."""
    most = min(sample.descriptors for sample in samples)
    until = time.monotonic() + _PATIENCE
    left = [""]
    while left and time.monotonic() < until:
        time.sleep(0.5)
        metrics, now = _metrics(admin), look()
        left = [f"{name} is {metrics[name]:g} at rest" for name in _AT_REST if metrics[name]]
        if now.descriptors > most:
            left.append(f"{now.descriptors} descriptors at rest, and under load at least {most}")
    return left


def _metrics(admin: int) -> dict[str, float]:
    """Those without labels."""
    connection = http.client.HTTPConnection("127.0.0.1", admin, timeout=_PATIENCE)
    try:
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise ValueError(f"answered {response.status}")
    lines = [line.split(" ") for line in text.splitlines() if not line.startswith("#") and "{" not in line]
    return {name: float(value) for name, value in lines}


@contextmanager
def _process(module: str, arguments: list[str], more: dict[str, str], log: Path, port: int) -> Iterator[int]:
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith(_FOREIGN)}
    command = [sys.executable, "-m", module, *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=_ROOT, env=inherited | more, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603 - this very program
    try:
        wait_for(process, f"127.0.0.1:{port}")
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main(
    *,
    seconds: Annotated[float, typer.Option(min=5, help="How long.")] = 3600,
    clients: Annotated[int, typer.Option(min=1, max=64, help="How many call at a time.")] = 8,
    target: Annotated[Path, typer.Option(help="The folder for soak.csv, soak.svg and SOAK.md.")] = _ROOT / "build",
) -> None:
    """Soak a gateway, and tell what it held."""
    from bench import soak_report  # noqa: PLC0415 - a test runs a soak without what draws

    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="soak-") as folder:
        found = run(seconds, Path(folder), clients=clients)
        growth.write(found.samples, target / "soak.csv")
        (target / "soak-gateway.log").write_bytes((Path(folder) / "gateway.log").read_bytes())
    text = soak_report.written(found, clients)
    (target / "SOAK.md").write_text(text, encoding="utf-8")
    if find_spec("matplotlib") is not None:
        (target / "soak.svg").write_text(soak_report.drawn(found.samples), encoding="utf-8")
    typer.echo(text)
    for reason in found.wrong:
        typer.echo(f"wrong: {reason}", err=True)
    if found.wrong:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
