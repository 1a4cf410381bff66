import base64
from collections.abc import Callable
from datetime import timedelta

import pytest
from lxml import etree

from shim import errors
from shim.access.presented import Credentials, Digest, Plain
from shim.contracts.mapping import Meaning
from shim.wire import credentials
from tests.access.offers import (
    PLANTED,
    SECRET,
    USER,
    basic_header,
    digest_element,
    digest_of,
    digest_token,
    now,
    security,
    text_token,
)
from tests.web import calls

MAPPED = calls.shipped().operations["getScorelinkDataByReportDate"].meaning
UNMAPPED = calls.shipped().operations["GetScores"].meaning
BODY = {"userName": USER, "password": SECRET}
RIGHT = Plain(USER, SECRET)
LONG = "x" * 1025


def offered(
    authorization: str = "", tokens: str = "", values: dict[str, str | None] | None = None, meaning: Meaning = MAPPED
) -> tuple[Credentials, ...]:
    headers = etree.fromstring(f"<Header>{tokens}</Header>")
    return credentials.offered(authorization, list(headers), meaning, values or {})


@pytest.mark.parametrize(
    ("authorization", "tokens", "values", "found"),
    [
        pytest.param("", "", {}, [], id="none"),
        pytest.param("", "", {"userName": None, "password": None}, [], id="body: nil"),
        pytest.param("", "", BODY, [RIGHT], id="body"),
        pytest.param("", "", {"userName": USER}, [Plain(USER, "")], id="body: user alone"),
        pytest.param("", "", {"password": SECRET}, [Plain("", SECRET)], id="body: password alone"),
        pytest.param("", "", {"userName": "", "password": ""}, [Plain("", "")], id="body: empty"),
        pytest.param(basic_header(), "", {}, [RIGHT], id="Basic"),
        pytest.param(basic_header("ü", "ß", "latin-1"), "", {}, [Plain("ü", "ß")], id="Basic: Latin-1"),
        pytest.param("Bearer abc", "", {}, [], id="another scheme"),
        pytest.param("", text_token(), {}, [RIGHT], id="token: text"),
        pytest.param("", text_token(kind=""), {}, [RIGHT], id="token: no type"),
        pytest.param("", text_token(password="&lt;&amp;]"), {}, [Plain(USER, "<&]")], id="token: characters of XML"),
        pytest.param("", text_token("üser", "パスワード"), {}, [Plain("üser", "パスワード")], id="token: not ASCII"),
        pytest.param("", text_token(password=""), {}, [Plain(USER, "")], id="token: empty password"),
        pytest.param("", security(), {}, [], id="a security header without a token"),
        pytest.param("", security() + text_token(), {}, [RIGHT], id="two security headers, one token"),
        pytest.param(basic_header(), text_token(), BODY, [RIGHT] * 3, id="all three"),
        pytest.param(basic_header("x"), "", BODY, [RIGHT, Plain("x", SECRET)], id="conflicting ones are all given"),
    ],
)
def test_what_is_offered(
    authorization: str, tokens: str, values: dict[str, str | None], found: list[Credentials]
) -> None:
    assert list(offered(authorization, tokens, values)) == found


def test_the_body_counts_where_it_is_mapped() -> None:
    assert offered(values={**BODY}, meaning=UNMAPPED) == ()


class TestDigest:
    @pytest.mark.parametrize("late", [timedelta(), timedelta(days=365), timedelta(days=-1)], ids=str)
    def test_it_is_read_whatever_its_age(self, late: timedelta) -> None:
        (found,) = offered(tokens=digest_token(nonce=b"n\xff\0n", late=late))
        assert isinstance(found, Digest)
        assert (found.user, found.nonce) == (USER, b"n\xff\0n")
        assert found.matches(USER, SECRET)
        assert not found.matches(USER, "x")

    @pytest.mark.parametrize(
        "created",
        ["2026-11-23T10:42:00Z", "2026-11-23T10:42:00.123Z", "2026-11-23T12:42:00+02:00", "2026-11-23T10:42:00"],
    )
    def test_its_time(self, created: str) -> None:
        (found,) = offered(tokens=digest_element(USER, base64.b64encode(b"d"), base64.b64encode(b"n"), created))
        assert isinstance(found, Digest)
        assert (found.moment.isoformat(), found.created) == ("2026-11-23T10:42:00", created)

    def test_a_byte_moved_between_nonce_and_time_is_another_digest(self) -> None:
        # Digest = SHA-1(nonce + created + password): the same bytes cut elsewhere would be the same digest, and so a
        # replay under another nonce.
        created = now()
        sent = base64.b64encode(digest_of(SECRET, b"nonce ", created))
        (first,) = offered(tokens=digest_element(USER, sent, base64.b64encode(b"nonce "), created))
        (moved,) = offered(tokens=digest_element(USER, sent, base64.b64encode(b"nonce"), f" {created}"))
        assert first.matches(USER, SECRET)
        assert not moved.matches(USER, SECRET)


@pytest.mark.parametrize(
    "send",
    [
        pytest.param(lambda: offered("Basic"), id="Basic: nothing"),
        pytest.param(lambda: offered("Basic !"), id="Basic: no base64"),
        pytest.param(lambda: offered("Basic bm9jb2xvbg=="), id="Basic: no colon"),
        pytest.param(lambda: offered(f"{basic_header()}é"), id="Basic: not ASCII"),
        pytest.param(lambda: offered(basic_header(password=LONG)), id="Basic: oversized"),
        pytest.param(lambda: offered(values={"userName": LONG, "password": ""}), id="body: oversized user"),
        pytest.param(lambda: offered(values={"userName": "", "password": LONG}), id="body: oversized password"),
        pytest.param(lambda: offered(tokens=text_token(LONG)), id="token: oversized user"),
        pytest.param(lambda: offered(tokens=text_token(password=LONG)), id="token: oversized password"),
        pytest.param(lambda: offered(tokens=text_token() + text_token()), id="token: two"),
        pytest.param(lambda: offered(tokens=security("<Username/>", "<Username/>")), id="token: two in one header"),
        pytest.param(lambda: offered(tokens=security(f"<Username>{USER}</Username>")), id="token: no password"),
        pytest.param(lambda: offered(tokens=text_token(kind="PasswordOther")), id="token: another type"),
        pytest.param(lambda: offered(tokens=digest_token(LONG)), id="digest: oversized user"),
        pytest.param(lambda: offered(tokens=digest_token(nonce=b"")), id="digest: empty nonce"),
        pytest.param(lambda: offered(tokens=digest_element(USER, b"ZA==", b"!", now())), id="digest: nonce not base64"),
        pytest.param(lambda: offered(tokens=digest_element(USER, b"!", b"bg==", now())), id="digest: not base64"),
        pytest.param(lambda: offered(tokens=digest_element(USER, b"ZA==", b"bg==", "")), id="digest: no time"),
        pytest.param(lambda: offered(tokens=digest_element(USER, b"ZA==", b"bg==", "now")), id="digest: no date"),
        pytest.param(
            lambda: offered(tokens=digest_element(USER, b"ZA==", b"bg==", f"{now()}{LONG}")), id="digest: long"
        ),
        pytest.param(
            lambda: offered(tokens=digest_element(USER, b"ZA==", b"bg==", "2026-13-23T10:42:00Z")),
            id="digest: month 13",
        ),
    ],
)
def test_what_is_malformed_is_refused_in_the_words_of_what_is_wrong(send: Callable[[], object]) -> None:
    with pytest.raises(errors.CallerError) as caught:
        send()
    assert caught.value.cause is errors.NOT_AUTHENTICATED
    assert caught.value.sentence == errors.NOT_AUTHENTICATED.text
    assert not [secret for secret in (*PLANTED, USER, LONG) if secret in f"{caught.value!r}{caught.value.note}"]


@pytest.mark.parametrize(
    "tokens",
    [
        text_token().replace("2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd", "urn:other"),
        f"<Other>{text_token()}</Other>".replace("<Security", "<x").replace("</Security", "</x"),
    ],
    ids=["another namespace", "elsewhere"],
)
def test_a_token_that_is_none(tokens: str) -> None:
    assert offered(tokens=tokens) == ()
