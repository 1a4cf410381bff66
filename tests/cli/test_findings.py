import base64
import os
from pathlib import Path

import pytest

from shim import config
from shim.cli.findings import Finding, check
from shim.ledger.store import LedgerStore
from tests.processes import free_port
from tests.upstream_server import FakeUpstream, Script, ok

AUTHCODE = base64.b64encode(b"synthetic-id:synthetic-secret").decode()
PATH = "/TOEFLWebService/TOEFLEdm.asmx"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHETIC_AUTHCODE", AUTHCODE)


def written(folder: Path, url: str = "https://example.edu/scores", more: str = "") -> Path:
    path = folder / "shim.toml"
    authcode = '[[authcodes]]\nname = "main"\nenv = "SYNTHETIC_AUTHCODE"\n'
    path.write_text(f'[upstream]\nurl = "{url}"\nread_timeout = 5\n{authcode}{more}', encoding="utf-8")
    return path


def found(path: Path | None, *, upstream: bool = False) -> list[Finding]:
    findings = list(check(path, upstream=upstream))
    for finding in findings:
        assert "synthetic-secret" not in finding.text
        assert AUTHCODE not in finding.text
    return findings


def test_all_is_good(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert found(path) == [
        Finding("config", good=True, text=str(path)),
        Finding("contract", good=True, text=f"{PATH} answers GetScores, getScorelinkDataByReportDate"),
        Finding("callers", good=True, text="main, this-machine"),
        Finding("ledger", good=True, text="none: set ledger.url to know who calls"),
        Finding("authcode", good=True, text="main, from environment variable SYNTHETIC_AUTHCODE, is well-formed"),
    ]


def test_the_retirement_is_told(tmp_path: Path) -> None:
    more = '[retirement]\ninfo_url = "https://example.edu/end"\ndeprecated = 2026-12-01\nsunset = 2026-12-02\n'
    last = found(written(tmp_path, more=more))[-1]
    assert (last.part, last.good) == ("retirement", True)
    assert last.text.startswith("deprecated 2026-12-01, sunset 2026-12-02 (")


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOEFL_SHIM_UPSTREAM__URL", "https://example.edu/scores")
    monkeypatch.setenv("TOEFL_SHIM_AUTHCODES", '[{"name":"main","env":"SYNTHETIC_AUTHCODE"}]')
    findings = found(None)
    assert findings[0] == Finding("config", good=True, text="from the environment")
    assert all(finding.good for finding in findings)


def test_a_wrong_config_is_reported_whole_and_nothing_else_is_checked(tmp_path: Path) -> None:
    findings = found(written(tmp_path, "http://example.edu/scores", "[gateway]\nworkers = 0\n"))
    assert [(finding.part, finding.good) for finding in findings] == [("config", False)] * 2


def test_every_part_is_checked_even_if_one_before_it_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHETIC_AUTHCODE", "synthetic-secret")
    (tmp_path / "bad.wsdl").write_text("synthetic", encoding="utf-8")
    (tmp_path / "bad.toml").write_text("[operations.a]\n[operations.b]", encoding="utf-8")
    more = '[[contracts]]\nwsdl = "bad.wsdl"\n[[contracts]]\npath = "/b"\nwsdl_path = "/b.wsdl"\n'
    parts = [(finding.part, finding.good) for finding in found(written(tmp_path, more=more))]
    assert parts == [
        ("config", True),
        ("contract", False),
        ("contract", False),
        ("contract", True),
        ("callers", True),
        ("ledger", True),
        ("authcode", False),
    ]


def test_reportby_of_an_operation(tmp_path: Path) -> None:
    more = '[[contracts]]\n[contracts.reportby]\ngetScorelinkData = "synthetic"\n'
    answers = f"{PATH} answers GetScores, getScorelinkDataByReportDate, getScorelinkData"
    assert found(written(tmp_path, more=more))[1] == Finding("contract", good=True, text=answers)


def test_reportby_of_an_unknown_operation(tmp_path: Path) -> None:
    finding = found(written(tmp_path, more='[[contracts]]\n[contracts.reportby]\nOther = "synthetic"\n'))[1]
    assert (finding.part, finding.good) == ("contract", False)
    assert "has no operations.Other, but contracts.reportby in the configuration names Other" in finding.text


def test_no_real_call_is_made_unasked(tmp_path: Path) -> None:
    with FakeUpstream() as upstream:
        found(written(tmp_path, upstream.url))
        assert upstream.connections == 0


def test_one_real_call(tmp_path: Path) -> None:
    with FakeUpstream(ok((b"." * 900 + b"\r\n") * 3)) as upstream:
        findings = found(written(tmp_path, upstream.url), upstream=True)
        (head,) = upstream.requests
    assert findings[-1] == Finding("upstream", good=True, text="answered, with 3 records of the last minute")
    assert f"\r\nauthcode: {AUTHCODE}\r\n" in head.decode()
    assert b"&type=TOEFL&reportby=scorelinkbyreportdate HTTP/1.1" in head


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
            ("rejected the stored authcode", "generate a new API key", "(HTTP 401)"),
        ),
        (
            b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
            ("not at the configured address", "upstream.url", "(HTTP 404)"),
        ),
        (b"HTTP/1.1 302 No\r\nContent-Length: 0\r\n\r\n", ("redirected the gateway", "(HTTP 302)")),
        (b"", ("ended early", "(ProtocolError)")),
    ],
    ids=["401", "404", "302", "nothing"],
)
def test_a_real_call_that_fails_says_what_to_do(tmp_path: Path, answer: bytes, words: tuple[str, ...]) -> None:
    with FakeUpstream(Script(answer)) as upstream:
        finding = found(written(tmp_path, upstream.url), upstream=True)[-1]
    assert (finding.part, finding.good) == ("upstream", False)
    for word in words:
        assert word in finding.text


def test_with_no_usable_authcode_there_is_no_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYNTHETIC_AUTHCODE")
    with FakeUpstream() as upstream:
        findings = found(written(tmp_path, upstream.url), upstream=True)
        assert upstream.connections == 0
    assert [finding.part for finding in findings] == ["config", "contract", "callers", "ledger", "authcode"]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(config.FILE_VARIABLE, raising=False)


def test_a_callers_secret_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("synthetic-secret")
    (tmp_path / "secret").chmod(0o644)
    more = '[[callers]]\nname = "nightly"\ncredentials = "own"\nuser = "n"\nsecret_file = "secret"\n'
    wrong = [finding for finding in found(written(tmp_path, more=more)) if not finding.good]
    assert [finding.part for finding in wrong] == ["callers"]
    assert "readable by everybody" in wrong[0].text


def test_the_legacy_service_is_checked(tmp_path: Path) -> None:
    section = '[legacy]\nurl = "https://example.edu/TOEFLEdm.asmx"\n'
    (good,) = [one for one in found(written(tmp_path, more=section)) if one.part == "legacy"]
    assert good == Finding(
        "legacy", good=True, text="https://example.edu/TOEFLEdm.asmx is called as TOEFLEdm.wsdl describes"
    )
    for wrong in ('wsdl = "none.wsdl"\n', 'authcode_file = "none"\n'):
        (bad,) = [one for one in found(written(tmp_path, more=section + wrong)) if one.part == "legacy"]
        assert not bad.good
        assert "No such file" in bad.text


class TestLedger:
    def _found(self, folder: Path, more: str) -> list[Finding]:
        return [finding for finding in found(written(folder, more=more)) if finding.part == "ledger"]

    def test_one_that_does_not_exist_yet(self, tmp_path: Path) -> None:
        (finding,) = self._found(tmp_path, '[ledger]\nurl = "sqlite:///ledger.db"\n')
        assert finding.good
        assert finding.text == f"there is no ledger at {tmp_path / 'ledger.db'} yet: the gateway creates it at start"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["shim.toml"]

    def test_one_that_can_be_used(self, tmp_path: Path) -> None:
        LedgerStore(f"sqlite:///{tmp_path / 'ledger.db'}").migrate()
        (finding,) = self._found(tmp_path, '[ledger]\nurl = "sqlite:///ledger.db"\n')
        assert finding == Finding("ledger", good=True, text="can be written to")

    def test_one_that_is_broken(self, tmp_path: Path) -> None:
        (tmp_path / "ledger.db").write_bytes(b"no database" * 100)
        (finding,) = self._found(tmp_path, '[ledger]\nurl = "sqlite:///ledger.db"\n')
        assert finding == Finding("ledger", good=False, text="file is not a database")

    def test_a_server_that_does_not_answer_and_its_password(self, tmp_path: Path) -> None:
        url = f"postgresql://someone:synthetic-secret@127.0.0.1:{free_port()}/ledger"
        (finding,) = self._found(tmp_path, f'[ledger]\nurl = "{url}"\njournal = "journal"\n')
        assert not finding.good
        assert "refused" in finding.text

    def test_a_journal_and_a_key_that_cannot_be_used(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        more = '[ledger]\nurl = "sqlite:///ledger.db"\njournal = "a/b/journal"\nkey_file = "key"\n'
        texts = [finding.text for finding in self._found(tmp_path, more) if not finding.good]
        assert texts == [f"the journal cannot be made in {tmp_path}", f"the key cannot be read from {tmp_path / 'key'}"]
