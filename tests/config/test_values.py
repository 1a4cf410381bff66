from pathlib import Path

import pytest

from shim import config
from tests.config.files import GOOD, loaded, refused


def with_upstream(url: str) -> str:
    escaped = "".join(f"\\u{ord(character):04x}" for character in url)
    return GOOD.replace("https://toeflaccess-api.example.edu/scores", escaped)


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
            pytest.param(" https://example.edu/scores", "contains white space", id="space before"),
            pytest.param("https://example.edu/scores ", "contains white space", id="space after"),
            pytest.param("https://example.edu/sco res", "contains white space", id="space within"),
            pytest.param("https://example.edu/\nscores", "contains white space", id="line break"),
            pytest.param("https://example.edu/scores\t", "contains white space", id="tab"),
            pytest.param("https://example.edu/scores\u00a0", "contains white space", id="no-break space"),
            pytest.param("https://example.edu/scores\u200b", "", id="zero-width space"),
            pytest.param("\ufeffhttps://example.edu/scores", "", id="byte order mark"),
            pytest.param("https://example.edu/scores\x7f", "contains white space", id="DEL"),
            pytest.param(
                "https://example.edu/<scores>",
                "contains a character that is not allowed in an address",
                id="angle brackets",
            ),
            pytest.param("example.edu/scores", "is not an http or https address", id="no scheme"),
            pytest.param("ftp://example.edu/scores", "is not an http or https address", id="another scheme"),
            pytest.param("file:///etc/passwd", "is not an http or https address", id="file"),
            pytest.param("https:///scores", "is not an http or https address", id="no host"),
            pytest.param("https://a:b@example.edu/scores", "contains a user name", id="user name and password"),
            pytest.param("https://a@example.edu/scores", "contains a user name", id="user name"),
            pytest.param("https://@example.edu/scores", "contains a user name", id="empty user name"),
            pytest.param("https://example.edu/scores?type=TOEFL", "contains a query", id="query"),
            pytest.param("https://example.edu/scores?", "contains a query", id="empty query"),
            pytest.param("https://example.edu/scores#x", "contains a query or a fragment", id="fragment"),
            pytest.param("https://example.edu/scores#", "contains a query or a fragment", id="empty fragment"),
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
    def test_other_addresses_are_checked_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, url: str
    ) -> None:
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
    def test_a_loopback_address(self, tmp_path: Path, bind: str) -> None:
        assert loaded(tmp_path, f'[gateway]\nbind = "{bind}"\n{GOOD}').gateway.bind == bind

    @pytest.mark.parametrize("bind", ["0.0.0.0:8080", "[::]:8080", "10.0.0.1:8080", "scores.example.edu:8080"])
    def test_an_exposed_gateway_needs_credentials(self, tmp_path: Path, bind: str) -> None:
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
    def test_a_wrong_address_is_refused(self, tmp_path: Path, bind: str, reason: str) -> None:
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
