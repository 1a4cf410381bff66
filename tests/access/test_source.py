from ipaddress import ip_network

import pytest

from shim.access.source import Source, is_in, parse, read

PROXIES = [ip_network(text) for text in ("10.0.0.0/8", "127.0.0.1/32", "2001:db8:1::/48")]
SUBJECT = "CN=registrar,O=Example"


def seen(peer: str, forwarded: str | None = None, **headers: str) -> Source:
    environ = {"REMOTE_ADDR": peer, **headers}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    return read(environ, PROXIES, "X-Client-Certificate-Subject")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:C000:201", "192.0.2.1"),
        ("::1", "::1"),
        *(
            (text, "None")
            for text in ("", "192.0.2", "192.0.2.1:80", "[::1]", "0x7f.1", "127.1", "unknown", "1.2.3.4, ")
        ),
    ],
)
def test_an_address(text: str, expected: str) -> None:
    assert str(parse(text)) == expected


@pytest.mark.parametrize(
    ("address", "network", "inside"),
    [
        ("10.20.0.1", "10.20.0.0/16", True),
        ("10.21.0.1", "10.20.0.0/16", False),
        ("10.20.0.1", "10.20.0.1/32", True),
        ("2001:db8:1::5", "2001:db8:1::/48", True),
        ("2001:db8:2::5", "2001:db8:1::/48", False),
        ("10.20.0.1", "::/0", False),
        ("::1", "0.0.0.0/0", False),
        ("::ffff:10.20.0.1", "10.20.0.0/16", True),
    ],
)
def test_a_network(address: str, network: str, inside: bool) -> None:
    parsed = parse(address)
    assert parsed is not None
    assert is_in(parsed, [ip_network("198.51.100.0/24"), ip_network(network)]) is inside
    assert not is_in(parsed, [])


class TestForwarded:
    @pytest.mark.parametrize(
        ("peer", "forwarded", "address"),
        [
            pytest.param("192.0.2.1", None, "192.0.2.1", id="no proxy"),
            pytest.param("192.0.2.1", "10.0.0.1", "192.0.2.1", id="a proxy that is not trusted"),
            pytest.param("10.0.0.1", None, "10.0.0.1", id="the proxy itself"),
            pytest.param("10.0.0.1", "", "10.0.0.1", id="an empty header"),
            pytest.param("10.0.0.1", "192.0.2.1", "192.0.2.1", id="a proxy"),
            pytest.param("10.0.0.1", "198.51.100.1, 192.0.2.1", "192.0.2.1", id="what the client wrote is not read"),
            pytest.param("10.0.0.1", "192.0.2.1,10.0.0.2", "192.0.2.1", id="two proxies"),
            pytest.param("10.0.0.1", "127.0.0.1, 192.0.2.1 , 10.0.0.2", "192.0.2.1", id="forged, two proxies"),
            pytest.param("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3", id="proxies alone"),
            pytest.param("10.0.0.1", "::ffff:192.0.2.1", "192.0.2.1", id="IPv4 within IPv6"),
            pytest.param("::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1", id="a proxy as IPv4 within IPv6"),
            pytest.param("2001:db8:1::1", "2001:db8:9::9", "2001:db8:9::9", id="IPv6"),
            pytest.param("10.0.0.1", "unknown", "None", id="no address"),
            pytest.param("10.0.0.1", "192.0.2.1, ", "None", id="an empty end"),
            pytest.param("10.0.0.1", "192.0.2.1, 192.0.2.9:4711", "None", id="with a port"),
            pytest.param("", "192.0.2.1", "None", id="no peer, as on a Unix socket"),
        ],
    )
    def test_it_counts_from_a_trusted_proxy_and_from_its_end(
        self, peer: str, forwarded: str | None, address: str
    ) -> None:
        assert str(seen(peer, forwarded).address) == address

    @pytest.mark.parametrize(
        ("peer", "headers", "relayed"),
        [
            ("127.0.0.2", {}, False),
            ("127.0.0.2", {"HTTP_X_FORWARDED_FOR": "192.0.2.1"}, True),
            ("127.0.0.2", {"HTTP_FORWARDED": "for=192.0.2.1"}, True),
            ("10.0.0.1", {"HTTP_X_FORWARDED_FOR": "192.0.2.1"}, False),
        ],
    )
    def test_a_proxy_that_is_not_trusted_is_noticed(self, peer: str, headers: dict[str, str], relayed: bool) -> None:
        assert seen(peer, **headers).relayed is relayed


class TestCertificate:
    @pytest.mark.parametrize(
        ("peer", "subject"), [("10.0.0.1", SUBJECT), ("2001:db8:1::1", SUBJECT), ("192.0.2.1", ""), ("", "")]
    )
    def test_it_counts_from_a_trusted_proxy(self, peer: str, subject: str) -> None:
        assert seen(peer, HTTP_X_CLIENT_CERTIFICATE_SUBJECT=SUBJECT).certificate == subject

    def test_it_is_in_the_configured_header_alone(self) -> None:
        environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_CLIENT_CERTIFICATE_SUBJECT": SUBJECT, "HTTP_SSL_CLIENT_S_DN": "b"}
        assert read(environ, PROXIES, "SSL-Client-S-DN").certificate == "b"
        assert read(environ, PROXIES, "X-Other").certificate == ""
