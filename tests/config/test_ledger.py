from pathlib import Path

import pytest

from shim.config import ledger
from tests.config.files import GOOD, loaded, refused


class TestLedger:
    def test_by_default_there_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("STATE_DIRECTORY", raising=False)
        ledger = loaded(tmp_path, GOOD).ledger
        assert (ledger.url, ledger.folder, ledger.retention_days) == (None, None, 400)

    def test_under_systemd_there_is_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/toefl-shim:/var/lib/other")
        ledger = loaded(tmp_path, GOOD).ledger
        assert ledger.url is not None
        assert ledger.url.get_secret_value() == "sqlite:////var/lib/toefl-shim/ledger.db"
        assert ledger.folder == Path("/var/lib/toefl-shim/journal")

    @pytest.mark.parametrize(
        ("more", "url", "folder"),
        [
            ('url = "sqlite:///a/ledger.db"', "sqlite:///{}/a/ledger.db", "{}/a/journal"),
            ('url = "sqlite:////a/ledger.db"', "sqlite:////a/ledger.db", "/a/journal"),
            ('url = "sqlite:////a/ledger.db"\njournal = "j"', "sqlite:////a/ledger.db", "{}/j"),
            ('url = "postgresql://a:b@c/d"\njournal = "/j"', "postgresql+psycopg://a:b@c/d", "/j"),
            ('url = "postgresql+psycopg://c/d"\njournal = "/j"', "postgresql+psycopg://c/d", "/j"),
        ],
    )
    def test_the_database_and_the_journal(self, tmp_path: Path, more: str, url: str, folder: str) -> None:
        ledger = loaded(tmp_path, f"{GOOD}[ledger]\n{more}\n").ledger
        assert ledger.url is not None
        assert ledger.url.get_secret_value() == url.format(tmp_path)
        assert ledger.folder == Path(folder.format(tmp_path))
        assert "a:b" not in repr(ledger)

    @pytest.mark.parametrize(
        ("more", "reason"),
        [
            ('url = "mysql://a:synthetic-secret@b/c"', "ledger.url: must be sqlite:///PATH or postgresql://"),
            ('url = "sqlite://"', "ledger.url: must be sqlite:///PATH"),
            ('url = "sqlite:///"', "ledger.url: must be sqlite:///PATH"),
            ('url = "sqlite:///a?mode=ro"', "ledger.url: must be sqlite:///PATH"),
            ('url = "postgresql://a:synthetic-secret@b/c"', "ledger: journal is required"),
            ("retention_days = 89", "ledger.retention_days: "),
        ],
    )
    def test_wrong_settings_are_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, reason: str
    ) -> None:
        monkeypatch.delenv("STATE_DIRECTORY", raising=False)
        (line,) = refused(tmp_path, f"{GOOD}[ledger]\n{more}\n")
        assert line.startswith(reason)
        assert "synthetic-secret" not in line

    def test_the_driver_must_be_installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ledger, "find_spec", lambda name: None)
        (line,) = refused(tmp_path, f'{GOOD}[ledger]\nurl = "postgresql://c/d"\n')
        assert 'pip install "toefl-soap-shim[postgresql]"' in line
