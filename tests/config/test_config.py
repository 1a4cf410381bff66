import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shim import config
from shim.config import Config, ConfigError, ledger

GOOD = """\
[upstream]
url = "https://toeflaccess-api.example.edu/scores"

[[authcodes]]
name = "main"
env = "TOEFL_AUTHCODE"
"""

RETIREMENT = '[retirement]\ninfo_url = "https://it.example.edu/end"\n'


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith(config.PREFIX):
            monkeypatch.delenv(name)


def written(folder: Path, text: str | bytes = GOOD) -> Path:
    path = folder / "shim.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def loaded(folder: Path, text: str = GOOD) -> Config:
    return config.load(written(folder, text))


def refused(folder: Path, text: str | bytes = GOOD) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.load(written(folder, text))
    return str(caught.value).splitlines()


def with_upstream(url: str) -> str:
    escaped = "".join(f"\\u{ord(character):04x}" for character in url)
    return GOOD.replace("https://toeflaccess-api.example.edu/scores", escaped)


class TestDefaults:
    def test_what_is_not_said(self, tmp_path: Path) -> None:
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

    def test_the_upstream_and_the_authcode_have_none(self, tmp_path: Path) -> None:
        assert refused(tmp_path, "") == ["upstream: Field required"]

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


class TestUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "https://toeflaccess-api.ets.org/scores",
            "https://toeflaccess-tst-api.ets.org/scores/sample-data",
            "https://example.edu:8443/scores",
            "http://127.0.0.1:8081/scores",
            "http://127.9.9.9/scores",
            "http://localhost:8081/scores",
            "http://[::1]:8081/scores",
            "https://[2001:db8::1]/scores",
        ],
    )
    def test_it_is_kept_exactly(self, tmp_path: Path, url: str) -> None:
        assert loaded(tmp_path, with_upstream(url)).upstream.url == url

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            pytest.param("", "is not an http or https address", id="empty"),
            pytest.param(" https://example.edu/scores", "has white space", id="space before"),
            pytest.param("https://example.edu/scores ", "has white space", id="space after"),
            pytest.param("https://example.edu/sco res", "has white space", id="space within"),
            pytest.param("https://example.edu/\nscores", "has white space", id="line break"),
            pytest.param("https://example.edu/scores\t", "has white space", id="tab"),
            pytest.param("https://example.edu/scores\u00a0", "has white space", id="no-break space"),
            pytest.param("https://example.edu/scores\u200b", "", id="zero-width space"),
            pytest.param("\ufeffhttps://example.edu/scores", "", id="byte order mark"),
            pytest.param("https://example.edu/scores\x7f", "has white space", id="DEL"),
            pytest.param(
                "https://example.edu/<scores>", "has a character in it that no address has", id="angle brackets"
            ),
            pytest.param("example.edu/scores", "is not an http or https address", id="no scheme"),
            pytest.param("ftp://example.edu/scores", "is not an http or https address", id="another scheme"),
            pytest.param("file:///etc/passwd", "is not an http or https address", id="file"),
            pytest.param("https:///scores", "is not an http or https address", id="no host"),
            pytest.param("https://a:b@example.edu/scores", "has a user name", id="user name and password"),
            pytest.param("https://a@example.edu/scores", "has a user name", id="user name"),
            pytest.param("https://@example.edu/scores", "has a user name", id="empty user name"),
            pytest.param("https://example.edu/scores?type=TOEFL", "has a query", id="query"),
            pytest.param("https://example.edu/scores?", "has a query", id="empty query"),
            pytest.param("https://example.edu/scores#x", "has a query or a fragment", id="fragment"),
            pytest.param("https://example.edu/scores#", "has a query or a fragment", id="empty fragment"),
            pytest.param("http://example.edu/scores", "is plain http", id="plain http"),
            pytest.param("http://10.0.0.1/scores", "is plain http", id="plain http by number"),
            pytest.param("http://localhost.example.edu/scores", "is plain http", id="plain http, like localhost"),
            pytest.param("http://127.0.0.1.example.edu/scores", "is plain http", id="plain http, like loopback"),
            pytest.param("https://example.edu:99999/scores", "", id="port too high"),
            pytest.param("https://example.edu:https/scores", "", id="port in letters"),
            pytest.param("https://[::1/scores", "", id="open bracket"),
        ],
    )
    def test_it_is_refused(self, tmp_path: Path, url: str, reason: str) -> None:
        (line,) = refused(tmp_path, with_upstream(url))
        assert line.startswith(f"upstream.url: {reason}")

    @pytest.mark.parametrize(
        "url", ["https://secret:secret@ex\u2100mple.edu/", "https://[secret]/", "https://example.edu:secret/"]
    )
    def test_no_reason_repeats_a_part_of_it(self, tmp_path: Path, url: str) -> None:
        assert "secret" not in "\n".join(refused(tmp_path, with_upstream(url)))

    @pytest.mark.parametrize("key", ["gateway.public_url", "upstream.proxy"])
    @pytest.mark.parametrize("url", ["", "scores.example.edu", "http://a:b@example.edu", "http://example.edu/ "])
    def test_the_other_addresses(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, url: str) -> None:
        section, name = key.split(".")
        text = GOOD if section == "upstream" else f"[gateway]\n{GOOD}"
        text = text.replace(f"[{section}]\n", f'[{section}]\n{name} = "{url}"\n')
        (line,) = refused(tmp_path, text)
        assert line.startswith(f"{key}: ")

    def test_a_proxy_may_be_plain_http(self, tmp_path: Path) -> None:
        text = GOOD.replace("[upstream]", '[upstream]\nproxy = "http://proxy.example.edu:3128"')
        assert loaded(tmp_path, text).upstream.proxy == "http://proxy.example.edu:3128"


class TestBind:
    @pytest.mark.parametrize("bind", ["127.0.0.1:8080", "127.0.0.2:1", "localhost:65535", "[::1]:8080", "127.0.0.1:0"])
    def test_this_machine(self, tmp_path: Path, bind: str) -> None:
        assert loaded(tmp_path, f'[gateway]\nbind = "{bind}"\n{GOOD}').gateway.bind == bind

    @pytest.mark.parametrize("bind", ["0.0.0.0:8080", "[::]:8080", "10.0.0.1:8080", "scores.example.edu:8080"])
    def test_where_others_reach_it_nobody_may_call_without_credentials(self, tmp_path: Path, bind: str) -> None:
        (entry,) = loaded(tmp_path, f'[gateway]\nbind = "{bind}"\n{GOOD}').who_may_call
        assert (entry.credentials, entry.anybody) == ("authcode", False)

    @pytest.mark.parametrize(
        ("bind", "reason"),
        [
            (":8080", "is not ADDRESS:PORT"),
            ("8080", "is not ADDRESS:PORT"),
            ("127.0.0.1", "is not ADDRESS:PORT"),
            ("127.0.0.1:", "is not ADDRESS:PORT"),
            ("127.0.0.1:http", "is not ADDRESS:PORT"),
            ("127.0.0.1:65536", "is not ADDRESS:PORT"),
            ("127.0.0.1:-1", "is not ADDRESS:PORT"),
            ("unix:/run/shim.sock", "is not ADDRESS:PORT"),
            ("", "is not ADDRESS:PORT"),
        ],
    )
    def test_anything_else(self, tmp_path: Path, bind: str, reason: str) -> None:
        (line,) = refused(tmp_path, f'[gateway]\nbind = "{bind}"\n{GOOD}')
        assert line.startswith(f"gateway.bind: {reason}")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.255.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("128.0.0.1", False),
        ("", False),
        ("127.1", False),
    ],
)
def test_is_loopback(host: str, expected: bool) -> None:
    assert config.is_loopback(host) is expected


class TestAuthcodes:
    @pytest.mark.parametrize(
        ("place", "reason"),
        [
            ("", "authcodes.0: needs either file or env"),
            ('file = "a"\nenv = "A"', "authcodes.0: needs either file or env"),
            ('value = "c3ludGhldGljLXNlY3JldA=="', "authcodes.0.value: Extra inputs are not permitted"),
        ],
        ids=["nowhere", "two places", "in the file itself"],
    )
    def test_one_place(self, tmp_path: Path, place: str, reason: str) -> None:
        lines = refused(tmp_path, GOOD.replace('env = "TOEFL_AUTHCODE"', place))
        assert reason in lines
        assert "c3ludGhldGlj" not in "\n".join(lines)

    def test_at_least_one(self, tmp_path: Path) -> None:
        (line,) = refused(tmp_path, f"authcodes = []\n{GOOD.partition('[[')[0]}")
        assert line.startswith("authcodes: at least one is needed")

    def test_names_are_distinct(self, tmp_path: Path) -> None:
        name = loaded(tmp_path).authcodes[0].name
        (line,) = refused(tmp_path, f'{GOOD}\n[[authcodes]]\nname = "{name}"\nenv = "B"')
        assert line == f"two authcodes are named {name}"

    @pytest.mark.parametrize(
        ("place", "words"),
        [('env = "A"', "environment variable A"), ('file = "/run/a"', "file /run/a")],
        ids=["env", "file"],
    )
    def test_its_place_in_words(self, tmp_path: Path, place: str, words: str) -> None:
        assert loaded(tmp_path, GOOD.replace('env = "TOEFL_AUTHCODE"', place)).authcodes[0].place == words


class TestContracts:
    @pytest.mark.parametrize("key", ["path", "wsdl_path"])
    @pytest.mark.parametrize("path", ["", "scores", "/a b", "/a?b", "/a#b", "/a\\n", "http://example.edu/a"])
    def test_a_path_that_is_none(self, tmp_path: Path, key: str, path: str) -> None:
        (line,) = refused(tmp_path, f'{GOOD}\n[[contracts]]\n{key} = "{path}"')
        assert line.startswith(f"contracts.0.{key}: ")

    @pytest.mark.parametrize(
        "contracts",
        [
            pytest.param('[[contracts]]\n[[contracts]]\npath = "/b"', id="two WSDLs"),
            pytest.param('[[contracts]]\n[[contracts]]\nwsdl_path = "/b"', id="two services"),
            pytest.param('[[contracts]]\npath = "/a"\nwsdl_path = "/a"', id="a service and its WSDL"),
            pytest.param('[[contracts]]\npath = "/a"\nwsdl_path = "/A"', id="in another case"),
        ],
    )
    def test_paths_are_distinct(self, tmp_path: Path, contracts: str) -> None:
        (line,) = refused(tmp_path, f"{GOOD}\n{contracts}")
        assert "two contracts or WSDLs are at /" in line


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
        assert config.load(None).upstream.ca_file == Path("b.pem")


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

    def test_what_is_empty_is_not_set(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOEFL_SHIM_GATEWAY__BIND", "")
        assert loaded(tmp_path).gateway.bind == "127.0.0.1:8080"

    @pytest.mark.parametrize(
        ("name", "line"),
        [
            ("TOEFL_SHIM_NOTHING", "TOEFL_SHIM_NOTHING: no such setting"),
            ("TOEFL_SHIM_GATEWY__BIND", "TOEFL_SHIM_GATEWY__BIND: no such setting"),
            ("TOEFL_SHIM_GATEWAY__BINDD", "gateway.bindd: Extra inputs are not permitted"),
        ],
    )
    def test_a_name_that_is_not_known(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, line: str
    ) -> None:
        monkeypatch.setenv(name, "synthetic-secret")
        assert refused(tmp_path) == [line]

    def test_the_name_of_the_file_itself_is_known(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(config.FILE_VARIABLE, "x")
        assert loaded(tmp_path)

    @pytest.mark.parametrize("name", ["GATEWAY", "UPSTREAM", "AUTHCODES", "CONTRACTS"])
    def test_a_section_that_is_no_json_is_refused_in_words(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setenv(f"TOEFL_SHIM_{name}", "synthetic-secret")
        (line,) = refused(tmp_path)
        assert name.lower() in line.lower()
        assert "secret" not in line


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
    def test_it_is_named(self, tmp_path: Path, section: str, key: str, value: str) -> None:
        text = GOOD if section == "upstream" else f"[gateway]\n{GOOD}"
        (line,) = refused(tmp_path, text.replace(f"[{section}]\n", f"[{section}]\n{key} = {value}\n"))
        assert line.startswith(f"{section}.{key}: ")
        assert "secret" not in line

    def test_all_of_it_at_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOEFL_SHIM_NOTHING", "x")
        gateway, upstream = '[gateway]\nbind = "x"\nport = 1\n', '[upstream]\nurl = "x"\nmax_bytes = 0\n'
        text = f'{gateway}{upstream}[[contracts]]\npath = "x"\n[other]\n'
        assert [line.partition(":")[0] for line in refused(tmp_path, text)] == [
            "TOEFL_SHIM_NOTHING",
            "gateway.bind",
            "gateway.port",
            "upstream.url",
            "upstream.max_bytes",
            "contracts.0.path",
            "other",
        ]

    @pytest.mark.parametrize("text", ["[gateway", "a = ", b"\xff", "a = 1\na = 2", b"\x00"], ids=repr)
    def test_a_file_that_is_no_toml(self, tmp_path: Path, text: str | bytes) -> None:
        (line,) = refused(tmp_path, text)
        assert line.startswith(f"{tmp_path / 'shim.toml'}: ")

    @pytest.mark.parametrize("kind", ["nothing", "folder"])
    def test_a_file_that_cannot_be_read(self, tmp_path: Path, kind: str) -> None:
        path = tmp_path / kind
        if kind == "folder":
            path.mkdir()
        with pytest.raises(ConfigError, match=str(path)):
            config.load(path)

    def test_nothing_of_the_trouble_below_is_chained(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            loaded(tmp_path, with_upstream("http://secret.example.edu"))
        assert caught.value.__suppress_context__


class TestRetirement:
    @pytest.mark.parametrize("url", ["https://example.edu/end", "http://example.edu/end?id=1#then", "https://a/?b#c"])
    def test_where_to_read_on(self, tmp_path: Path, url: str) -> None:
        assert loaded(tmp_path, f'{GOOD}[retirement]\ninfo_url = "{url}"\n').retirement.info_url == url

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "example.edu",
            "javascript:alert(1)",
            "https://a:b@example.edu/",
            "https:// a/",
            "https://a/?b c",
            "https://a/#\\r\\nSet-Cookie: b",
            "https://a/>;<https://b/",
            "https://a/?b=\u00fc",
            f"https://a/{'b' * 200}",
        ],
    )
    def test_what_is_no_page(self, tmp_path: Path, url: str) -> None:
        (reason,) = refused(tmp_path, f'{GOOD}[retirement]\ninfo_url = "{url}"\n')
        assert reason.startswith("retirement.info_url: ")

    def test_it_is_not_needed(self, tmp_path: Path) -> None:
        assert loaded(tmp_path).retirement.info_url is None

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2027-06-30", datetime(2027, 6, 30, tzinfo=UTC)),
            ("2027-06-30T12:00:00Z", datetime(2027, 6, 30, 12, tzinfo=UTC)),
            ("2027-06-30 12:00:00.9-05:00", datetime(2027, 6, 30, 17, tzinfo=UTC)),
        ],
    )
    @pytest.mark.parametrize("quote", ["", '"'], ids=["date", "text"])
    def test_a_date(self, tmp_path: Path, text: str, moment: datetime, quote: str) -> None:
        found = loaded(tmp_path, f"{GOOD}{RETIREMENT}sunset = {quote}{text}{quote}\n").retirement.sunset
        assert (found, found and found.tzinfo) == (moment, UTC)

    def test_dates_from_the_environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOEFL_SHIM_RETIREMENT__DEPRECATED", "2026-12-01")
        window = '{"start": "2027-05-03T14:00:00Z", "end": "2027-05-04", "exempt": ["main"]}'
        monkeypatch.setenv("TOEFL_SHIM_RETIREMENT__BROWNOUTS", f"[{window}]")
        found = loaded(tmp_path, f"{GOOD}{RETIREMENT}").retirement
        assert found.deprecated == datetime(2026, 12, 1, tzinfo=UTC)
        (brownout,) = found.brownouts
        assert (brownout.start, brownout.end) == (
            datetime(2027, 5, 3, 14, tzinfo=UTC),
            datetime(2027, 5, 4, tzinfo=UTC),
        )
        assert (brownout.hits("main"), brownout.hits("this-machine"), brownout.dry_run) == (False, True, False)

    @pytest.mark.parametrize(
        "text", ["2027-06-30T12:00:00", '"2027-02-30"', '"soon"', "5", "12:00:00", "true", '"0001-01-01T00:00+14:00"']
    )
    def test_what_is_no_date(self, tmp_path: Path, text: str) -> None:
        (reason,) = refused(tmp_path, f"{GOOD}{RETIREMENT}sunset = {text}\n")
        assert reason.startswith("retirement.sunset: is not a date")

    def test_all_that_is_wrong_with_the_dates_at_once(self, tmp_path: Path) -> None:
        text = """\
        [retirement]
        deprecated = 2027-02-01
        sunset = 2027-01-01
        brownouts = [
            { start = 2027-03-02, end = 2027-03-01 },
            { start = 2026-03-01, end = 2026-03-02, callers = ["main", "absent"] },
            { start = 2026-03-02, end = 2026-03-03, exempt = ["main", "this-machine"] },
            { start = 2026-03-02, end = 2026-03-05, callers = ["main"] },
            { start = 2026-03-01, end = 2026-03-05, dry_run = true },
        ]"""
        (line,) = refused(tmp_path, f"{GOOD}{text}")
        assert [reason.strip() for reason in line.split(";")] == [
            "retirement.info_url: is needed, for callers who are told of the end want to know more",
            "retirement.sunset: is before deprecated",
            "retirement.brownouts.0: ends before it starts",
            "retirement.brownouts.0: ends after the sunset",
            "retirement.brownouts.1: starts before deprecated",
            "retirement.brownouts.1: no caller is named absent",
            "retirement.brownouts.2: starts before deprecated",
            "retirement.brownouts.2: hits nobody",
            "retirement.brownouts.3: starts before deprecated",
            "retirement.brownouts.4: starts before deprecated",
            "retirement.brownouts.3: overlaps or touches brownouts.1 for main",
        ]

    def test_the_example_in_the_documents(self, tmp_path: Path) -> None:
        text = (Path(__file__).parents[2] / "MIGRATION.md").read_text(encoding="utf-8")
        example = text[text.index("[retirement]\n") : text.index("```\n\n1. **Announce.**")]
        callers = "".join(f'[[callers]]\nname = "{name}"\nanybody = true\n' for name in ("registrar-import", "other"))
        found = loaded(tmp_path, f"{GOOD}{callers}{example}").retirement
        assert [brownout.dry_run for brownout in found.brownouts] == [True, False, False]

    def test_windows_of_different_callers_may_overlap(self, tmp_path: Path) -> None:
        window = "start = 2027-03-01, end = 2027-03-02"
        text = f'brownouts = [{{ {window}, callers = ["main"] }}, {{ {window}, exempt = ["main"] }}]\n'
        assert len(loaded(tmp_path, f"{GOOD}{RETIREMENT}{text}").retirement.brownouts) == 2

    @pytest.mark.parametrize(
        "more", ["deprecated = 2027-01-01", "brownouts = [{start = 2027-01-01, end = 2027-01-02}]"]
    )
    def test_who_tells_of_the_end_says_where_to_read_on(self, tmp_path: Path, more: str) -> None:
        (line,) = refused(tmp_path, f"{GOOD}[retirement]\n{more}\n")
        assert line.startswith("retirement.info_url: is needed")


def test_what_an_operation_reports_by(tmp_path: Path) -> None:
    assert loaded(tmp_path).contracts[0].reportby == {}
    found = loaded(tmp_path, f'{GOOD}[[contracts]]\n[contracts.reportby]\ngetScorelinkData = "synthetic"\n')
    assert found.contracts[0].reportby == {"getScorelinkData": "synthetic"}


@pytest.mark.parametrize(
    ("callers", "reason"),
    [
        ('name = "a"\nnetworks = ["0.0.0.0/1", "128.0.0.0/1"]', "would give scores to everybody"),
        ('name = "a"\nnetworks = ["::/1", "8000::/1"]', "would give scores to everybody"),
        ('name = "a"\nnetworks = ["10.0.0.0/8"]\n[[callers]]\nname = "a"\nanybody = true', "two callers are named a"),
        ('name = "a"\ncredentials = "own"\nuser = "u"\npassword_hash = "synthetic-secret"', "should match pattern"),
    ],
    ids=["halves", "halves of IPv6", "one name", "no hash"],
)
def test_callers_that_would_be_a_mistake(tmp_path: Path, callers: str, reason: str) -> None:
    lines = "\n".join(refused(tmp_path, f'[gateway]\nbind = "0.0.0.0:8080"\n{GOOD}\n[[callers]]\n{callers}'))
    assert reason in lines
    assert "synthetic-secret" not in lines


class TestLedger:
    def test_without_one_nothing_is_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("STATE_DIRECTORY", raising=False)
        ledger = loaded(tmp_path, GOOD).ledger
        assert (ledger.url, ledger.folder, ledger.retention_days) == (None, None, 400)

    def test_a_service_of_systemd_has_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    def test_where_it_is(self, tmp_path: Path, more: str, url: str, folder: str) -> None:
        ledger = loaded(tmp_path, f"{GOOD}[ledger]\n{more}\n").ledger
        assert ledger.url is not None
        assert ledger.url.get_secret_value() == url.format(tmp_path)
        assert ledger.folder == Path(folder.format(tmp_path))
        assert "a:b" not in repr(ledger)

    @pytest.mark.parametrize(
        ("more", "reason"),
        [
            ('url = "mysql://a:synthetic-secret@b/c"', "ledger.url: is neither sqlite:///PATH nor postgresql://"),
            ('url = "sqlite://"', "ledger.url: is neither"),
            ('url = "sqlite:///"', "ledger.url: is neither"),
            ('url = "sqlite:///a?mode=ro"', "ledger.url: is neither"),
            ('url = "postgresql://a:synthetic-secret@b/c"', "ledger: journal: needs a folder"),
            ("retention_days = 89", "ledger.retention_days: "),
        ],
    )
    def test_what_cannot_be_used(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, reason: str) -> None:
        monkeypatch.delenv("STATE_DIRECTORY", raising=False)
        (line,) = refused(tmp_path, f"{GOOD}[ledger]\n{more}\n")
        assert line.startswith(reason)
        assert "synthetic-secret" not in line

    def test_the_driver_must_be_installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ledger, "find_spec", lambda name: None)
        (line,) = refused(tmp_path, f'{GOOD}[ledger]\nurl = "postgresql://c/d"\n')
        assert 'pip install "toefl-soap-shim[postgresql]"' in line
