"""The command ``serve``."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from shim import app, config, log
from shim.cli import console, options
from shim.cli.options import ConfigFile
from shim.config import Config
from shim.contracts.contract import ContractError
from shim.upstream.authcode import AuthcodeError

# Workers map the files that they share into memory. On a disk that is full, a write to one would kill the worker.
_IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - the folder made in it is private

cli = typer.Typer(add_completion=False)


@cli.command(name="serve")
def serve(config_file: ConfigFile = None) -> None:
    """Run the gateway. Without a configured upstream, it answers from the built-in sandbox."""
    from shim.web.server import Deployment, Server  # noqa: PLC0415 - gunicorn changes signal handling; --help must not

    log.configure(for_good=True)
    with _settings(config_file) as settings, TemporaryDirectory(prefix="toefl-shim-", dir=_IN_MEMORY) as shared:
        try:
            first = app.build(settings, Path(shared))
        except (AuthcodeError, ContractError) as error:
            console.refuse(error)

        def rebuild() -> Deployment:
            changed = config.load(config_file)
            return Deployment(app.build(changed, Path(shared), first.metrics), changed.gateway, changed.ledger)

        Server(Deployment(first, settings.gateway, settings.ledger), rebuild).run()


@contextmanager
def _settings(config_file: Path | None) -> Iterator[Config]:
    with ExitStack() as stack:
        if not config.names_upstream(config_file):
            from shim.sandbox.process import gateway_environment, sandbox_process  # noqa: PLC0415 - seldom needed

            url = stack.enter_context(sandbox_process())
            console.err.print(f"No upstream is configured: answering from the sandbox at {url}")
            os.environ.update(gateway_environment(url))
        yield options.load(config_file)
