import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from shim.cli import cli
from shim.ledger import listing
from shim.ledger.store import LedgerStore
from shim.ledger.summary import Summary
from tests.ledger.lines import line

_runner = CliRunner()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AUTHCODE", "aWQ6c2VjcmV0")
    path = tmp_path / "gateway.toml"
    path.write_text(
        '[upstream]\nurl = "http://127.0.0.1:9/scores"\n[[authcodes]]\nname = "main"\nenv = "AUTHCODE"\n'
        '[ledger]\nurl = "sqlite:///ledger.db"\n'
    )
    return str(path)


@pytest.fixture
def ledger(tmp_path: Path) -> LedgerStore:
    store = LedgerStore(f"sqlite:///{tmp_path / 'ledger.db'}")
    store.migrate()
    now = datetime.now(UTC)
    aggregate = store.new_aggregate()
    aggregate.add(
        [
            *[line(at=now.timestamp())] * 3,
            line(at=(now - timedelta(days=20)).timestamp(), outcome="busy"),
            line(at=(now - timedelta(days=40)).timestamp(), caller="nightly [import]"),
        ]
    )
    store.add(aggregate, {"a": (0, 1)})
    return store


def run(*arguments: str) -> str:
    shown = _runner.invoke(cli, ["callers", *arguments])
    assert shown.exit_code == 0, shown.output
    return shown.output


def refused(*arguments: str) -> str:
    shown = _runner.invoke(cli, ["callers", *arguments])
    assert shown.exit_code == 1
    return " ".join(shown.output.split())


def test_a_table_for_people(config: str, ledger: LedgerStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    shown = run("-c", config)
    for word in ("registrar", "nightly [import]", "GetScores", "rising", "silent", "in use", "no"):
        assert word in shown


def test_json(config: str, ledger: LedgerStore) -> None:
    registrar, nightly = json.loads(run("-c", config, "--json"))
    assert (registrar["name"], registrar["calls_7"], registrar["calls_30"]) == ("registrar", 3, 4)
    assert registrar["outcomes"] == {"busy": 1, "ok": 3}
    assert (registrar["software"], registrar["operations"]) == (["PHP-SOAP 8.2"], ["GetScores"])
    assert (registrar["safe_to_retire_since"], registrar["migrated"]) == (None, None)
    assert nightly["safe_to_retire_since"] == nightly["last_seen"]


def test_csv(config: str, ledger: LedgerStore) -> None:
    registrar, nightly = csv.DictReader(io.StringIO(run("-c", config, "--csv")))
    assert (registrar["name"], registrar["calls_30"], registrar["outcomes"]) == ("registrar", "4", "busy 1; ok 3")
    assert (nightly["name"], nightly["calls_7"]) == ("nightly [import]", "0")


def test_csv_without_callers() -> None:
    assert listing.as_csv(Summary(made=datetime.now(UTC), callers=())).startswith("name,named,calls_7,calls_30,")


def test_a_caller_is_marked_and_unmarked(config: str, ledger: LedgerStore) -> None:
    assert run("migrated", "registrar", "-c", config) == "registrar is marked as migrated\n"
    (registrar, _) = json.loads(run("-c", config, "--json"))
    assert registrar["safe_to_retire_since"] == registrar["migrated"] is not None
    assert run("migrated", "registrar", "--undo", "-c", config) == "registrar is marked as not migrated\n"
    (registrar, _) = json.loads(run("-c", config, "--json"))
    assert registrar["migrated"] is None
    assert "nobody has called by this name" in refused("migrated", "registrat", "-c", config)


def test_a_migrated_caller_that_calls_is_red(ledger: LedgerStore) -> None:
    now = datetime.now(UTC)
    ledger.mark_migrated("registrar", now)
    aggregate = ledger.new_aggregate()
    aggregate.add([line(at=now.timestamp() + 1)] * 2)
    ledger.add(aggregate, {"b": (0, 1)})
    console = Console(force_terminal=True, width=140, color_system="standard", file=io.StringIO(), record=True)
    console.print(listing.as_table(ledger.summary(now)))
    shown = console.export_text(styles=True)
    (row,) = [row for row in shown.splitlines() if "registrar" in row]
    (other,) = [row for row in shown.splitlines() if "nightly" in row]
    assert ("\x1b[31m" in row, "\x1b[31m" in other) == (True, False)
    assert "but 2 calls since" in row


def test_an_unnamed_caller_has_no_access(ledger: LedgerStore) -> None:
    aggregate = ledger.new_aggregate()
    now = datetime.now(UTC)
    aggregate.add([line(at=now.timestamp(), caller="unknown-1", named=False, outcome="not-authenticated")])
    ledger.add(aggregate, {"b": (0, 1)})
    console = Console(width=140, file=(shown := io.StringIO()))
    console.print(listing.as_table(ledger.summary(now)))
    (row,) = [row for row in shown.getvalue().splitlines() if "unknown-1" in row]
    assert row.strip().endswith("no access")


def test_no_ledger(config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert f"there is no ledger at {tmp_path / 'ledger.db'} yet" in refused("-c", config)
    Path(config).write_text(Path(config).read_text().partition("[ledger]")[0])
    assert "no ledger is kept: set ledger.url" in refused("-c", config)
    assert "No such file" in refused("-c", f"{config}.none")
    assert [path.name for path in tmp_path.iterdir()] == ["gateway.toml"]


def test_a_broken_ledger(config: str, tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"no database" * 100)
    assert "ledger: file is not a database" in refused("-c", config)
