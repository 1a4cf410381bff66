import shutil
from pathlib import Path

import pytest

from shim import config
from shim.cli.findings import check
from shim.compare.services import Services
from shim.config import Config, ConfigError
from shim.sandbox import DEMO_AUTHCODE
from tests.config.files import GOOD, loaded, refused, written


class TestDefaults:
    def test_unset_settings_have_defaults(self, tmp_path: Path) -> None:
        found = loaded(tmp_path)
        assert found.gateway.bind == "127.0.0.1:8080"
        assert found.gateway.address == "http://127.0.0.1:8080"
        (contract,) = found.contracts
        assert (contract.path, contract.wsdl_path) == (
            "/TOEFLWebService/TOEFLEdm.asmx",
            "/TOEFLWebService/TOEFLEdm.wsdl",
        )
        assert contract.wsdl.is_file()
        assert contract.mapping is None
        assert (found.upstream.proxy, found.upstream.ca_file) == (None, None)

    def test_an_upstream_and_an_authcode_are_required(self, tmp_path: Path) -> None:
        assert refused(tmp_path, "") == [
            "upstream.url: is required",
            "authcodes: at least one is needed, unless every caller is pass-through",
        ]

    def test_it_cannot_be_changed(self, tmp_path: Path) -> None:
        found = loaded(tmp_path)
        with pytest.raises(ValueError, match="frozen"):
            found.gateway = config.GatewaySettings()
        with pytest.raises(ValueError, match="frozen"):
            found.gateway.workers = 3

    @pytest.mark.parametrize(
        ("public_url", "address"),
        [
            ("https://scores.example.edu", "https://scores.example.edu"),
            ("https://scores.example.edu/", "https://scores.example.edu"),
        ],
    )
    def test_the_public_url_is_what_clients_are_told(self, tmp_path: Path, public_url: str, address: str) -> None:
        assert loaded(tmp_path, f'[gateway]\npublic_url = "{public_url}"\n{GOOD}').gateway.address == address


class TestPaths:
    @pytest.mark.parametrize(
        ("given", "expected"), [("a/b.pem", "{}/a/b.pem"), ("../b.pem", "{}/../b.pem"), ("/a/b.pem", "/a/b.pem")]
    )
    def test_they_are_relative_to_the_file(self, tmp_path: Path, given: str, expected: str) -> None:
        text = GOOD.replace("[upstream]", f'[upstream]\nca_file = "{given}"').replace("env =", "file =")
        text += f'[[contracts]]\nwsdl = "{given}"\nmapping = "{given}"'
        found = loaded(tmp_path, text)
        path = Path(expected.format(tmp_path))
        assert (found.upstream.ca_file, found.contracts[0].wsdl, found.contracts[0].mapping) == (path, path, path)
        assert found.authcodes[0].file == tmp_path / "TOEFL_AUTHCODE"

    def test_of_the_environment_they_are_relative_to_the_working_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loaded(tmp_path)  # another file before it changes nothing
        monkeypatch.setenv("TOEFL_SHIM_UPSTREAM__URL", "https://example.edu/scores")
        monkeypatch.setenv("TOEFL_SHIM_UPSTREAM__CA_FILE", "b.pem")
        monkeypatch.setenv("TOEFL_SHIM_AUTHCODES", '[{"name":"a","env":"A"}]')
        assert config.load(None).upstream.ca_file == Path.cwd() / "b.pem"


class TestWrong:
    @pytest.mark.parametrize(
        ("section", "key", "value"),
        [
            ("gateway", "workers", "0"),
            ("gateway", "threads", "-1"),
            ("gateway", "max_request", '"secret"'),
            ("gateway", "port", "8080"),
            ("upstream", "connect_timeout", "0"),
            ("upstream", "read_timeout", '"secret"'),
            ("upstream", "max_bytes", "1.5"),
            ("upstream", "authcode", '"secret"'),
        ],
    )
    def test_the_wrong_setting_is_named(self, tmp_path: Path, section: str, key: str, value: str) -> None:
        text = GOOD if section == "upstream" else f"[gateway]\n{GOOD}"
        (line,) = refused(tmp_path, text.replace(f"[{section}]\n", f"[{section}]\n{key} = {value}\n"))
        assert line.startswith(f"{section}.{key}: ")
        assert "secret" not in line

    @pytest.mark.parametrize("text", ["[gateway", "a = ", b"\xff", "a = 1\na = 2", b"\x00"], ids=repr)
    def test_a_file_that_is_not_toml_is_refused(self, tmp_path: Path, text: str | bytes) -> None:
        (line,) = refused(tmp_path, text)
        assert line.startswith(f"{tmp_path / 'shim.toml'}: ")

    @pytest.mark.parametrize("kind", ["nothing", "folder"])
    def test_a_file_that_cannot_be_read_is_named(self, tmp_path: Path, kind: str) -> None:
        path = tmp_path / kind
        if kind == "folder":
            path.mkdir()
        with pytest.raises(ConfigError, match=str(path)):
            config.load(path)

    def test_no_other_exception_is_chained(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            loaded(tmp_path, GOOD.replace("https://", "http://secret."))
        assert caught.value.__context__ is None


EVERY_SECTION = """\
[gateway]
bind = "x"
port = 1
[upstream]
url = "http://example.edu/scores"
max_bytes = 0
[spool]
max_bytes = 0
[tracing]
url = "x"
[ledger]
retention_days = 1
[[authcodes]]
name = "main"
[[callers]]
name = "nobody"
[[contracts]]
path = "x"
[retirement]
brownouts = [{ start = 2027-01-01 }]
[legacy]
[shadow]
sample = 2
[other]
"""

BETWEEN_SECTIONS = """\
[gateway]
bind = "192.0.2.1:80"
[upstream]
url = "https://example.edu/scores"
max_bytes = 2
[spool]
max_bytes = 1
[[authcodes]]
name = "main"
env = "A"
[[authcodes]]
name = "main"
env = "A"
[[callers]]
name = "import"
authcode = "other"
certificate = "CN=import"
[[callers]]
name = "import"
anybody = true
authcode = "main"
[[contracts]]
path = "/scores"
wsdl_path = "/Scores"
[retirement]
deprecated = 2027-02-01
sunset = 2027-01-01
brownouts = [
    { start = 2026-01-02, end = 2026-01-01 },
    { start = 2026-01-02, end = 2026-01-03, callers = ["absent"] },
    { start = 2026-01-05, end = 2026-01-06, exempt = ["import"] },
    { start = 2026-01-03, end = 2026-01-04, callers = ["import"] },
    { start = 2026-01-04, end = 2026-01-05, callers = ["import"] },
]
[shadow]
sample = 1
"""


class TestAtOnce:
    def test_a_mistake_in_every_section(self, tmp_path: Path) -> None:
        lines = refused(tmp_path, EVERY_SECTION)
        assert [line.partition(": ")[0] for line in lines] == [
            "gateway.bind",
            "gateway.port",
            "upstream.url",
            "upstream.max_bytes",
            "spool.max_bytes",
            "tracing.url",
            "ledger.retention_days",
            "authcodes.0",
            "callers.0",
            "contracts.0.path",
            "retirement.brownouts.0.end",
            "legacy.url",
            "shadow.sample",
            "other",
        ]
        assert {line.partition(":")[0].partition(".")[0] for line in lines} == {*Config.model_fields, "other"}

    def test_every_mistake_between_sections(self, tmp_path: Path) -> None:
        sections = refused(tmp_path, BETWEEN_SECTIONS)
        assert sections == [
            "authcodes: two are named main",
            "callers: two are named import",
            "callers.import: authcode must be the name of one of the authcodes",
            (
                "callers.import: gives scores to everybody who reaches 192.0.2.1:80: set networks, certificate or "
                "credentials, or allow this with gateway.allow_anybody"
            ),
            "callers.import: certificate needs gateway.trusted_proxies, which pass its subject",
            "retirement.info_url: is required with deprecated, sunset or brownouts, which refer callers to it",
            "retirement.sunset: is before deprecated",
            "retirement.brownouts.0: ends before it starts",
            *[f"retirement.brownouts.{number}: starts before deprecated" for number in range(5)],
            "retirement.brownouts.1: no caller is named absent",
            "retirement.brownouts.2: affects no caller",
            "retirement.brownouts.4: overlaps or touches brownouts.3 for import",
            "spool.max_bytes: must be at least upstream.max_bytes, the size of the largest score file",
            "shadow.sample: needs legacy.url, the address of the service to compare with",
            "contracts: /scores is used twice: each path and wsdl_path needs an address of its own",
        ]

    def test_a_mistake_in_one_section_hides_none_between_others(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TOEFL_SHIM_NOTHING", "x")
        monkeypatch.setenv("TOEFL_SHIM_LEDGER", "x")
        monkeypatch.setenv("TOEFL_SHIM_CALLERS", "[{}]")
        monkeypatch.setenv("TOEFL_SHIM_SPOOL__MAX_BYTES", "1")
        monkeypatch.setenv("TOEFL_SHIM_RETIREMENT__SUNSET", "2027-01-01")
        assert [line.partition(":")[0] for line in refused(tmp_path)] == [
            "TOEFL_SHIM_LEDGER",
            "TOEFL_SHIM_NOTHING",
            "callers.0.name",
            "retirement.info_url",
            "spool.max_bytes",
        ]

    def test_check_reports_all_of_them(self, tmp_path: Path) -> None:
        findings = list(check(written(tmp_path, EVERY_SECTION), upstream=False))
        assert {finding.part for finding in findings} == {"config"}
        assert [finding.text for finding in findings] == refused(tmp_path, EVERY_SECTION)


ALL_PATHS = """\
[upstream]
url = "https://example.edu/scores"
ca_file = "a/ca.pem"
[spool]
folder = "a/spool"
[ledger]
url = "sqlite:///a/ledger.db"
journal = "a/journal"
key_file = "a/key"
[[authcodes]]
name = "main"
file = "a/main"
next_file = "a/next"
[[callers]]
name = "import"
credentials = "own"
user = "import"
secret_file = "a/secret"
[[contracts]]
wsdl = "a/TOEFLEdm.wsdl"
mapping = "a/TOEFLEdm.toml"
[legacy]
url = "https://example.edu/legacy.asmx"
wsdl = "a/legacy.wsdl"
mapping = "a/legacy.toml"
authcode_file = "a/legacy"
"""


class TestValidatedAgain:
    """Validating what was validated changes nothing, wherever it is done."""

    @pytest.fixture
    def found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
        (tmp_path / "conf" / "conf").mkdir(parents=True)
        monkeypatch.chdir(tmp_path)
        written(tmp_path / "conf", ALL_PATHS)
        found = config.load(Path("conf") / "shim.toml")
        monkeypatch.chdir(tmp_path / "conf")
        return found

    def test_the_whole(self, found: Config, tmp_path: Path) -> None:
        assert found.legacy is not None
        assert found.legacy.wsdl == tmp_path / "conf" / "a" / "legacy.wsdl"
        assert Config.model_validate(found.model_dump()) == found
        assert Config(**dict(found)) == found

    @pytest.mark.parametrize("name", ["upstream", "spool", "ledger", "legacy"])
    def test_a_section(self, found: Config, name: str) -> None:
        section = getattr(found, name)
        assert type(section)(**section.model_dump()) == section

    def test_another_file_that_was_read_meanwhile(self, found: Config, tmp_path: Path) -> None:
        loaded(tmp_path)
        assert Config.model_validate(found.model_dump()) == found


class TestRelativeFile:
    """The configuration file is given by a path relative to the working directory, and names relative paths."""

    @pytest.fixture
    def path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        folder = tmp_path / "conf"
        folder.mkdir()
        for name in ("TOEFLEdm.wsdl", "TOEFLEdm.toml"):
            shutil.copy(config.SHIPPED / name, folder)
        text = f'{GOOD}[legacy]\nurl = "https://example.edu/legacy.asmx"\nwsdl = "TOEFLEdm.wsdl"\n'
        written(folder, text)
        monkeypatch.setenv("TOEFL_AUTHCODE", DEMO_AUTHCODE)
        monkeypatch.chdir(tmp_path)
        return Path("conf") / "shim.toml"

    def test_check_finds_the_legacy_wsdl(self, path: Path) -> None:
        assert [finding.text for finding in check(path, upstream=False) if not finding.good] == []

    def test_compare_finds_the_legacy_wsdl(self, path: Path, tmp_path: Path) -> None:
        settings = config.load(path).comparison({"url": "https://example.edu/other.asmx"})
        assert settings.legacy.wsdl == tmp_path / "conf" / "TOEFLEdm.wsdl"
        assert Services(settings)
