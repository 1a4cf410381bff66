"""The command line."""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from argon2 import PasswordHasher
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from shim import __version__, app, config, log
from shim.cli import demo
from shim.cli import findings as checks
from shim.compare.comparison import Comparison
from shim.config import AuthcodeSettings, Config, ConfigError, ContractSettings
from shim.contracts import adopt, contract
from shim.contracts.adopt import AdoptError
from shim.contracts.contract import Contract, ContractError
from shim.retirement import successor
from shim.sandbox import DEMO_AUTHCODE, FIRST_REPORTED, LAST_REPORTED, Faults, Names, Options, Request, Sandbox, Scale
from shim.upstream.authcodes import Authcode, AuthcodeError, StoredAuthcode

if TYPE_CHECKING:
    from shim.ledger.store import Ledger

cli = typer.Typer(
    help="Stands in for the retired TOEFL score SOAP service, and answers from the TOEFL Access REST API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar=config.FILE_VARIABLE,
        help="The TOML file. Every key can also be set as TOEFL_SHIM_SECTION__KEY.",
    ),
]
# What workers share is mapped into memory: where a full disk could not keep it, they would end by a signal.
_IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - the folder made in it is the user's own
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command line."""
    cli()


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        wsdl = (config.SHIPPED / "TOEFLEdm.wsdl").read_bytes()
        typer.echo(f"toefl-shim {__version__}")
        typer.echo(f"contract TOEFLEdm, sha256 {hashlib.sha256(wsdl).hexdigest()[:12]}")
        typer.echo(f"spyne {metadata.version('spyne')}")
        raise typer.Exit


@cli.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the versions.")
    ] = False,
) -> None:
    pass


@cli.command()
def serve(config_file: ConfigFile = None) -> None:
    """Run the gateway. With no upstream configured, it answers from the built-in sandbox."""
    from shim.web.server import Deployment, Server  # noqa: PLC0415 - gunicorn changes signal handling, and only this command wants it

    log.configure(for_good=True)
    with _settings(config_file) as settings, TemporaryDirectory(prefix="toefl-shim-", dir=_IN_MEMORY) as shared:
        try:
            first = app.build(settings, Path(shared))
        except (AuthcodeError, ContractError) as error:
            _refuse(error)

        def rebuild() -> Deployment:
            changed = config.load(config_file)
            return Deployment(app.build(changed, Path(shared), first.metrics), changed.gateway, changed.ledger)

        Server(Deployment(first, settings.gateway, settings.ledger), rebuild).run()


@cli.command(name="sandbox")
def run_sandbox(  # noqa: PLR0913 - one argument for each option
    *,
    bind: Annotated[str, typer.Option(metavar="127.0.0.1:PORT", help="Where to listen.")] = "127.0.0.1:8081",
    records: Annotated[int, typer.Option(min=0, max=100_000, help="How many scores there are.")] = 30,
    width: Annotated[int, typer.Option(min=774, max=1600, help="Bytes in a record.")] = 1600,
    scale: Annotated[Scale, typer.Option(help="Which scores: 0-120, 1-6, or both.")] = "mixed",
    names: Annotated[Names, typer.Option(help="Encoding of names beyond ASCII, if there are any.")] = "ascii",
    lf: Annotated[bool, typer.Option("--lf", help="End records with LF alone.")] = False,
    first: Annotated[datetime, typer.Option(help="When the first score was reported, UTC.")] = FIRST_REPORTED,
    last: Annotated[datetime, typer.Option(help="When the last score was reported, UTC.")] = LAST_REPORTED,
    status: Annotated[int | None, typer.Option(min=200, max=599, help="Fault: answer with this HTTP status.")] = None,
    delay: Annotated[float, typer.Option(min=0, help="Fault: seconds before an answer.")] = 0,
    cut: Annotated[int | None, typer.Option(min=0, help="Fault: close after so many bytes of the body.")] = None,
    html: Annotated[bool, typer.Option("--html", help="Fault: answer a page of HTML.")] = False,
    json_errors: Annotated[bool, typer.Option("--json-errors", help="Write errors as JSON.")] = False,
) -> None:
    """Run a stand-in for TOEFL Access on this machine, with synthetic scores and, if wanted, with faults."""
    host, _, port = bind.rpartition(":")
    if host != "127.0.0.1" or not port.isdecimal():
        _refuse(ValueError("--bind: the sandbox listens on 127.0.0.1 alone"))
    try:
        options = Options(records, first, last, width, "\n" if lf else "\r\n", scale, names)
    except ValueError as error:
        _refuse(error)
    faults = Faults(status=status, delay=delay, cut=cut, html=html, json_errors=json_errors)
    stand_in = Sandbox(options, port=int(port), faults=faults, log=_show)
    _out.print(f"{stand_in.url} with the header authcode: {DEMO_AUTHCODE}")
    with suppress(KeyboardInterrupt):
        stand_in.serve_forever()


def _show(seen: Request) -> None:
    _out.print(seen.status, seen.line, markup=False)


@cli.command(name="demo")
def demonstrate() -> None:
    """Show one legacy SOAP call become the REST request and come back as scores."""
    if not demo.run(_out):
        raise typer.Exit(1)


@cli.command(name="check")
def check(
    config_file: ConfigFile = None,
    *,
    upstream: Annotated[bool, typer.Option("--upstream", help="Make one real call to TOEFL Access as well.")] = False,
) -> None:
    """Say what is wrong with the configuration and all it names, at once."""
    findings = list(checks.check(config_file, upstream=upstream))
    for finding in findings:
        _out.print(f"{'[green]good ' if finding.good else '[red]wrong'}[/] {finding.part}: {escape(finding.text)}")
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


@contextmanager
def _settings(config_file: Path | None) -> Iterator[Config]:
    with ExitStack() as stack:
        if not config.names_upstream(config_file):
            url = stack.enter_context(demo.sandbox_process())
            _err.print(f"No upstream is configured: answering from the sandbox at {url}")
            os.environ.update(demo.settings(url))
        yield _load(config_file)


def _load(config_file: Path | None) -> Config:
    try:
        return config.load(config_file)
    except ConfigError as error:
        _refuse(error)


@cli.command(name="adopt")
def adopt_wsdl(
    wsdl: Annotated[str, typer.Argument(help="The WSDL that the client was generated from, as a file.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a mapping that was edited.")] = False,
    fetch: Annotated[bool, typer.Option("--fetch", help="WSDL is a URL: fetch it into this folder first.")] = False,
) -> None:
    """Draft the mapping of a legacy WSDL, beside it, and say what a person must decide."""
    try:
        source = adopt.fetch(wsdl, Path()) if fetch else Path(wsdl)
        path = source.with_suffix(".toml")
        drafted = adopt.draft(source)
        adopt.write(drafted, path, force=force)
    except (AdoptError, OSError) as error:
        _refuse(error)
    _out.print(f"Wrote {escape(str(path))}")
    for question in drafted.questions:
        _out.print(f"[yellow]decide[/] {escape(question)}")


@cli.command(name="contract")
def show_contracts(config_file: ConfigFile = None) -> None:
    """Show the contracts: every operation, what its parameters become, its result and its errors."""
    try:
        configured = config.load(config_file) if config.names_upstream(config_file) else None
        for source in configured.contracts if configured else (ContractSettings(),):
            info_url = configured.retirement.info_url if configured else None
            _out.print(_contract_table(source.path, contract.from_settings(source, info_url)))
    except (ConfigError, ContractError) as error:
        _refuse(error)


def _contract_table(path: str, contract: Contract) -> Table:
    table = Table(title=path, title_justify="left", show_lines=True)
    for heading in ("operation", "namespace", "parameters become", "result", "errors"):
        table.add_column(heading, overflow="fold")
    for operation in contract.operations.values():
        described, mapped = operation.description, operation.mapping
        becomes = [f"{source} → {part}" for part, source in mapped.sources.items()]
        if mapped.unavailable:
            becomes = [f"not answered: {mapped.unavailable}"]
        result = f"{described.result_path[-1].local}: {described.result_type}" if described.result_path else "none"
        cells = (operation.name, described.request.namespace, "\n".join(becomes), result, mapped.errors)
        table.add_row(*map(escape, cells))
    return table


@cli.command(name="compare")
def compare_services(  # noqa: PLR0913 - one argument for each option
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day.")],
    config_file: ConfigFile = None,
    *,
    legacy_url: Annotated[str, typer.Option(help="Where the legacy service is; by default legacy.url.")] = "",
    legacy_wsdl: Annotated[Path | None, typer.Option(help="Its WSDL, as a file.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="What the WSDL means; by default beside it.")] = None,
    legacy_authcode: Annotated[Path | None, typer.Option(help="File with the base64 of user:password for it.")] = None,
    operation: Annotated[str, typer.Option(help="Its operation; by default the first with credentials.")] = "",
    authcode: Annotated[str, typer.Option(help="Name of the authcode; by default the first.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask the legacy service and TOEFL Access for the same days, and tell what differs, without a value.

    Exit status: 0 for the same, 1 for different, 2 where they could not be compared.
    """
    from shim.compare.services import ComparisonError, Services  # noqa: PLC0415 - only this command needs zeep

    log.configure()
    given: dict[str, str | Path] = {"url": legacy_url} if legacy_url else {}
    files = {"wsdl": legacy_wsdl, "mapping": mapping, "authcode_file": legacy_authcode}
    given |= {name: file.absolute() for name, file in files.items() if file is not None}
    try:
        settings = config.load(config_file).comparing_with(given)
        services = Services(settings, authcode, operation)
        days = tuple(services.days(first.date(), last.date()))
        shown = track(days, "days", console=_err, transient=True, disable=len(days) == 1 or not _err.is_terminal)
        found = services.compare(shown)
    except (ConfigError, ComparisonError) as error:
        _refuse(error, status=2)
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
    else:
        _out.print(_comparison_table(found))
    raise typer.Exit(int(found.outcome == "different"))


def _comparison_table(found: Comparison) -> Table:
    ends = ", ".join(sorted(found.line_ends_legacy)), ", ".join(sorted(found.line_ends_rest))
    table = Table(
        title=f"{found.outcome}: {found.legacy} records of the legacy service, {found.rest} of TOEFL Access",
        caption=(
            f"only legacy: {found.only_legacy} · only TOEFL Access: {found.only_rest} · coming and going: "
            f"{found.unsteady} · numbers more than once: {found.repeated_legacy}, {found.repeated_rest} · "
            f"line ends: {ends[0] or 'none'}; {ends[1] or 'none'}"
        ),
        title_justify="left",
        caption_justify="left",
    )
    for heading in ("field", "bytes", "records", "noise", "digests, old → new"):
        table.add_column(heading, overflow="fold")
    for part, finding in found.fields.items():
        pairs = "\n".join(f"{old} → {new} ({times})" for (old, new), times in finding.examples.items())
        where = f"{part.start}-{part.end}" if part.end else ""
        table.add_row(part.name, where, str(finding.records), str(finding.noise or ""), pairs)
    return table


callers_cli = typer.Typer(help="Who calls, and who may.", invoke_without_command=True)
cli.add_typer(callers_cli, name="callers")


@callers_cli.callback()
def list_callers(
    context: typer.Context,
    config_file: ConfigFile = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
) -> None:
    """List who calls, from the ledger: how often, with what, and who needs the gateway no more."""
    if context.invoked_subcommand is not None:
        return
    from shim.ledger import listing  # noqa: PLC0415 - only this command wants it

    with _ledger(config_file) as ledger:
        summary = ledger.summary(datetime.now(UTC))
    if as_json:
        typer.echo(listing.as_json(summary))
    elif as_csv:
        typer.echo(listing.as_csv(summary), nl=False)
    else:
        _out.print(listing.as_table(summary))


@callers_cli.command(name="migrated")
def mark_caller(
    name: Annotated[str, typer.Argument(help="Its name.")],
    config_file: ConfigFile = None,
    *,
    undo: Annotated[bool, typer.Option("--undo", help="It has not migrated after all.")] = False,
) -> None:
    """Mark a caller as migrated: it should not call any more, and is shown in red if it does."""
    with _ledger(config_file) as ledger:
        if not ledger.mark(name, None if undo else datetime.now(UTC)):
            _refuse(ValueError(f"{name}: nobody has called by this name; see toefl-shim callers"))
    _out.print(f"{escape(name)} is marked as {'not ' if undo else ''}migrated")


@contextmanager
def _ledger(config_file: Path | None) -> "Iterator[Ledger]":
    from shim.ledger.store import FAILURES, Ledger  # noqa: PLC0415 - the gateway must not load SQLAlchemy

    url = _load(config_file).ledger.url
    if url is None:
        _refuse(ValueError("no ledger is kept: set ledger.url"))
    ledger = Ledger(url.get_secret_value())
    try:
        yield ledger
    except FAILURES as error:
        _refuse(ValueError(f"ledger: {ledger.reason(error)}"))


@callers_cli.command(name="add")
def add_caller(
    name: Annotated[str, typer.Argument(help="What the log calls it.")],
    user: Annotated[str, typer.Argument(help="Its user name.")],
) -> None:
    """Ask for a caller's password, and print the entry for the config, with a hash of it."""
    password = _ask("Password")
    fields = {"name": name, "credentials": "own", "user": user, "password_hash": PasswordHasher().hash(password)}
    typer.echo(
        "\n".join(
            ("[[callers]]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()))
        )
    )


@cli.command(name="successor")
def show_successor(
    name: Annotated[str, typer.Argument(help="The caller's name.")],
    config_file: ConfigFile = None,
    *,
    operation: Annotated[str | None, typer.Option(help="Which of its operations, where it calls several.")] = None,
    lang: Annotated[
        successor.Language | None, typer.Option(help="As a program in this language; without it, the address.")
    ] = None,
) -> None:
    """Print the REST request that replaces a caller's calls, as an address or a program. None holds an authcode."""
    with _ledger(config_file) as ledger:
        summary = ledger.summary(datetime.now(UTC))
    upstream = _load(config_file).upstream.url
    try:
        query = successor.chosen(summary, name, operation)
    except LookupError as error:
        _refuse(error)
    told = successor.program(lang, upstream, query) if lang else f"{successor.url(upstream, query)}\n"
    typer.echo(told, nl=False)


authcode_cli = typer.Typer(help="Authcodes, the keys to TOEFL Access; none is ever printed.", no_args_is_help=True)
cli.add_typer(authcode_cli, name="authcode")


@authcode_cli.command(name="encode")
def encode_authcode(
    file: Annotated[Path, typer.Argument(help="The file to write, readable by you alone.")],
    client_id: Annotated[str, typer.Option("--id", prompt="Client id", help="The client id.")],
) -> None:
    """Make an authcode of a client id and a client secret, which is asked for without echo."""
    try:
        authcode = Authcode.of(client_id, _ask("Client secret"))
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as written:
            written.write(f"{authcode.value}\n")
    except (AuthcodeError, OSError) as error:
        _refuse(error)
    _err.print(f"Wrote {escape(str(file))}")


@authcode_cli.command(name="inspect")
def inspect_authcode(file: Annotated[Path, typer.Argument(help="The file with the authcode.")]) -> None:
    """Say whether a stored authcode is well-formed, and who may read it."""
    try:
        StoredAuthcode(AuthcodeSettings(name=file.name, file=file))
    except AuthcodeError as error:
        _refuse(error)
    _out.print(f"{escape(str(file))} is well-formed, and not readable by everybody")


def _ask(what: str) -> str:
    if not sys.stdin.isatty():
        text = sys.stdin.readline().rstrip("\r\n")
        return text or _refuse(ValueError(f"{what}: nothing was given"))
    return typer.prompt(what, hide_input=True, confirmation_prompt=True, err=True)  # type: ignore[no-any-return]


def _refuse(error: Exception, *, status: int = 1) -> NoReturn:
    for reason in str(error).splitlines():
        _err.print(f"[red]refused[/] {escape(reason)}")
    raise typer.Exit(status)
