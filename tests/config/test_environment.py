from ipaddress import ip_network
from pathlib import Path

import pytest

from shim import config
from tests.config.files import GOOD, loaded, refused


class TestEnvironment:
    def test_it_is_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOEFL_SHIM_UPSTREAM__URL", "https://example.edu/scores")
        monkeypatch.setenv("TOEFL_SHIM_UPSTREAM__READ_TIMEOUT", "1.5")
        monkeypatch.setenv("TOEFL_SHIM_AUTHCODES", '[{"name":"main","env":"A"}]')
        monkeypatch.setenv("TOEFL_SHIM_GATEWAY__WORKERS", "3")
        found = config.load(None)
        assert (found.upstream.url, found.upstream.read_timeout) == ("https://example.edu/scores", 1.5)
        assert (found.gateway.workers, found.authcodes[0].env) == (3, "A")

    def test_it_wins_over_the_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOEFL_SHIM_GATEWAY__BIND", "127.0.0.1:9")
        found = loaded(tmp_path, f'[gateway]\nbind = "127.0.0.1:8"\nworkers = 7\n{GOOD}')
        assert (found.gateway.bind, found.gateway.workers) == ("127.0.0.1:9", 7)

    def test_an_empty_variable_counts_as_unset(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOEFL_SHIM_GATEWAY__BIND", "")
        assert loaded(tmp_path).gateway.bind == "127.0.0.1:8080"

    @pytest.mark.parametrize(
        ("name", "line"),
        [
            ("TOEFL_SHIM_NOTHING", "TOEFL_SHIM_NOTHING: no such setting"),
            ("TOEFL_SHIM_GATEWY__BIND", "TOEFL_SHIM_GATEWY__BIND: no such setting"),
            ("TOEFL_SHIM_GATEWAY__BINDD", "gateway.bindd: no such setting"),
        ],
    )
    def test_an_unknown_name_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, line: str
    ) -> None:
        monkeypatch.setenv(name, "synthetic-secret")
        assert refused(tmp_path) == [line]

    def test_the_name_of_the_file_itself_is_known(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(config.FILE_VARIABLE, "x")
        assert loaded(tmp_path)

    @pytest.mark.parametrize("name", ["GATEWAY", "UPSTREAM", "AUTHCODES", "CONTRACTS"])
    def test_a_section_that_is_not_json_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setenv(f"TOEFL_SHIM_{name}", "synthetic-secret")
        (line,) = refused(tmp_path)
        assert name.lower() in line.lower()
        assert "secret" not in line

    def test_a_whole_section_and_a_key_over_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOEFL_SHIM_GATEWAY__WORKERS", "3")
        monkeypatch.setenv("TOEFL_SHIM_GATEWAY", '{"workers": 4, "bind": "127.0.0.1:9"}')
        found = loaded(tmp_path, f'[gateway]\nbind = "127.0.0.1:8"\nstop_timeout = 7\n{GOOD}').gateway
        assert (found.workers, found.bind, found.stop_timeout) == (3, "127.0.0.1:9", 7)

    def test_names_are_read_in_any_case(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("toefl_shim_Gateway__Workers", "3")
        assert loaded(tmp_path).gateway.workers == 3

    def test_a_list_is_json(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOEFL_SHIM_GATEWAY__TRUSTED_PROXIES", '["10.0.0.0/8"]')
        assert loaded(tmp_path).gateway.trusted_proxies == (ip_network("10.0.0.0/8"),)
        monkeypatch.setenv("TOEFL_SHIM_GATEWAY__TRUSTED_PROXIES", "10.0.0.0/8")
        (line,) = refused(tmp_path)
        assert line.startswith("gateway.trusted_proxies: ")

    @pytest.mark.parametrize("name", ["[spool]", "08", "1", "null", "true", '"a"'])
    def test_text_is_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv("TOEFL_SHIM_SPOOL__FOLDER", name)
        assert loaded(tmp_path).spool.folder == tmp_path / name

    @pytest.mark.parametrize("text", ["[" * 100_000, "{"], ids=["deep", "open"])
    def test_a_setting_that_is_not_json_is_text(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        monkeypatch.setenv("TOEFL_SHIM_GATEWAY__PUBLIC_URL", text)
        monkeypatch.setenv("TOEFL_SHIM_GATEWAY", text)
        lines = refused(tmp_path)
        assert [line.partition(": ")[0] for line in lines] == ["TOEFL_SHIM_GATEWAY", "gateway.public_url"]
        assert lines[0] == "TOEFL_SHIM_GATEWAY: is not JSON"
