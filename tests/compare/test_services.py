"""The old service against TOEFL Access, by the command: exit status, what is printed, and what never is."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from shim.cli import cli
from shim.sandbox import DEMO_AUTHCODE, Faults, Options, Sandbox, Selection, select
from tests.compare.old_service import Answer, OldService, in_body, result
from tests.gateway import write_secret
from tests.planted import planted

_DAYS = ("--from", "2025-04-21", "--to", "2025-04-22")
_REFUSAL = result(b"Logon failure: user secret-user. Please check your username, password.")


def _selected(values: dict[str, str], options: Options | None = None) -> list[bytes]:
    """The records of the days that a call asks for."""
    start, end = (datetime.strptime(values[f"report{end}date"], "%m/%d/%Y") for end in ("start", "end"))  # noqa: DTZ007 - as sent
    chosen: Selection = select(options or Options(), start, end.replace(hour=23, minute=59, second=59))
    return b"".join(chosen.chunks()).splitlines(keepends=True)


@pytest.fixture(autouse=True)
def _log_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sets up the log of its process, which is that of all tests here."""
    monkeypatch.setattr("shim.log.configure", lambda: None)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def config_file(sandbox: Sandbox, tmp_path: Path) -> Path:
    write_secret(tmp_path / "authcode", DEMO_AUTHCODE)
    path = tmp_path / "gateway.toml"
    path.write_text(f'[upstream]\nurl = "{sandbox.url}"\n[[authcodes]]\nname = "main"\nfile = "authcode"\n')
    return path


def _compared(config_file: Path, url: str, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["compare", "-c", str(config_file), "--legacy-url", url, *_DAYS, *arguments])


def test_the_same_in_another_order_is_the_same(config_file: Path, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    with OldService(lambda values, _: b"".join(reversed(_selected(values)))) as service:
        shown = _compared(config_file, service.url)
    assert (shown.exit_code, shown.output.splitlines()[0]) == (
        0,
        "same: 30 records of the legacy service, 30 of TOEFL Access",
    )
    assert [(call["reportstartdate"], call["reportenddate"]) for call in service.calls] == [
        *[("04/21/2025", "04/21/2025")] * 2,
        *[("04/22/2025", "04/22/2025")] * 2,
    ]
    assert [request.line.split("&type")[0] for request in sandbox.requests] == [
        "GET /scores?startdate=2025-04-21T00:00:00&enddate=2025-04-21T23:59:59",
        "GET /scores?startdate=2025-04-22T00:00:00&enddate=2025-04-22T23:59:59",
    ]


def _differing(values: dict[str, str], number: int) -> bytes:
    """One record less, another more, one with another city, all with noise, narrower, and with another line end."""
    old = [record[:900] for record in _selected(values)]
    city = old[1][:352] + b"Elsewhere".ljust(30) + old[1][382:]
    extra = old[2][:26] + b"9" * 16 + old[2][42:]
    noisy = [record[:572] + b"%d" % (number % 2) + record[573:] for record in (old[0], city, *old[3:], extra)]
    return b"\n".join(noisy)


def test_what_differs_is_told_by_field_and_no_value_is(config_file: Path) -> None:
    with OldService(_differing) as service:
        table, told = _compared(config_file, service.url), _compared(config_file, service.url, "--json")
    assert (table.exit_code, told.exit_code) == (1, 1)
    found = json.loads(told.stdout)
    assert found["different"] == {
        "only_legacy": 2,
        "only_rest": 2,
        "record_width": 28,
        "city": 2,
        "line_ends": 30,
    }
    assert (found["line_ends_legacy"], found["line_ends_rest"]) == (["LF", "none"], ["CR LF"])
    fields = {field["name"]: field for field in found["fields"]}
    assert (fields["city"]["bytes"], fields["city"]["noise"], fields["city"]["records"]) == ([353, 382], 0, 2)
    assert fields["degree"]["noise"] == 30
    assert fields["record_width"]["digests"] == [{"old": "900", "new": "1600", "records": 28}]
    for row in ("city │ 353-382 │ 2", "only legacy: 2 · only TOEFL Access: 2", "line ends: LF, none; CR LF"):
        assert row in " ".join(table.stdout.split())
    values = {value for number in range(30) for value in Options().values(number).values() if len(value) > 4}
    printed = table.output + told.output
    assert not [value for value in values | set(planted().values()) | {"Elsewhere", "9" * 16} if value in printed]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (_REFUSAL, "2025-04-21: the legacy service: it refused the log-on"),
        (in_body("<s:Fault><faultstring>secret-user</faultstring></s:Fault>", 500), "HTTP 500 and a SOAP fault"),
        (Answer(b"<html>secret-user</html>", 503), "HTTP 503 and no SOAP"),
    ],
)
def test_an_error_is_no_difference(config_file: Path, answer: Answer, reason: str) -> None:
    with OldService(lambda _, number: answer) as service:
        shown = _compared(config_file, service.url, "--json")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert reason in shown.stderr
    assert "secret-user" not in shown.output


def test_an_error_in_the_second_answer_is_none_either(config_file: Path) -> None:
    with OldService(lambda values, number: _REFUSAL if number else b"".join(_selected(values))) as service:
        assert _compared(config_file, service.url).exit_code == 2


def test_an_error_of_toefl_access_is_none_either(config_file: Path, sandbox: Sandbox) -> None:
    sandbox.faults = Faults(status=503)
    try:
        with OldService(lambda values, _: b"".join(_selected(values))) as service:
            shown = _compared(config_file, service.url)
    finally:
        sandbox.faults = Faults()
    assert (shown.exit_code, "2025-04-21: TOEFL Access failed" in shown.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--to", "2025-04-20"], "--to is before --from"),
        (["--authcode", "other"], "the configuration has no authcode other"),
        (["--legacy-url", ""], "legacy.url: is required"),
        (["--legacy-url", "http://example.org/"], "legacy.url: is plain http"),
        (["--legacy-wsdl", "none.wsdl"], "none.toml"),
        (["--legacy-authcode", "none"], "No such file"),
    ],
)
def test_what_cannot_be_compared_is_said(config_file: Path, arguments: list[str], reason: str) -> None:
    shown = _compared(config_file, "http://127.0.0.1:9/", *arguments)
    assert shown.exit_code == 2
    assert reason in " ".join(shown.stderr.split())


def test_the_old_service_may_have_credentials_of_its_own(config_file: Path, tmp_path: Path) -> None:
    own = write_secret(tmp_path / "own", "dXNlcjpvd24tc2VjcmV0")
    with OldService(lambda values, _: b"".join(_selected(values))) as service:
        shown = _compared(config_file, service.url, "--legacy-authcode", str(own))
        config_file.write_text(f'{config_file.read_text()}[legacy]\nurl = "{service.url}"\nauthcode_file = "own"\n')
        of_file = CliRunner().invoke(cli, ["compare", "-c", str(config_file), *_DAYS])
    assert (shown.exit_code, of_file.exit_code) == (0, 0)
    assert {(call["userName"], call["password"]) for call in service.calls} == {("user", "own-secret")}
    assert "own-secret" not in shown.output + of_file.output


def test_what_is_logged_is_no_part_of_what_is_printed(config_file: Path, tmp_path: Path) -> None:
    write_secret(tmp_path / "next", DEMO_AUTHCODE)
    write_secret(tmp_path / "authcode", "ZXhwaXJlZDpvbmU=")
    config_file.write_text(config_file.read_text() + 'next_file = "next"\n')
    with OldService(lambda values, _: b"".join(_selected(values))) as service:
        command = [
            sys.executable,
            "-m",
            "shim",
            "compare",
            "-c",
            str(config_file),
            "--legacy-url",
            service.url,
            "--json",
        ]
        ran = subprocess.run([*command, *_DAYS], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["outcome"] == "same"
    assert "the next one is in use" in ran.stderr


def test_a_long_range_shows_how_far_it_is_on_a_terminal_alone(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OldService(lambda values, _: b"".join(_selected(values))) as service:
        plain = _compared(config_file, service.url)
        monkeypatch.setattr("shim.cli.console.err", Console(stderr=True, force_terminal=True, force_interactive=True))
        shown = _compared(config_file, service.url)
    assert plain.stderr == ""
    assert "100%" in shown.stderr
    assert shown.stdout == plain.stdout
