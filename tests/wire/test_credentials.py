import base64
import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import etree

from shim import errors
from shim.wire import credentials
from shim.wire.credentials import Credentials, PasswordDigest, PasswordText
from shim.wire.dialect import Version
from tests.access.offers import (
    PLANTED,
    PROFILE,
    SECRET,
    USER,
    basic_header,
    digest,
    digest_element,
    digest_of,
    digest_token,
    now,
    plain,
    security,
    text_token,
)

BODY = {"userName": USER, "password": SECRET}
RIGHT = PasswordText(USER, SECRET)
LONG = "x" * 1025
MARKS = [f'p:mustUnderstand="{value}" xmlns:p="{version.namespace}"' for version in Version for value in ("1", "true")]


def marked(header: str, mark: str) -> str:
    """Return a WS-Security header with an attribute of SOAP."""
    return header.replace("<Security ", f"<Security {mark} ")


def read(
    authorization: str = "", tokens: str = "", values: dict[str, str | None] | None = None, *, mapped: bool = True
) -> tuple[Credentials, ...]:
    headers = etree.fromstring(f"<Header>{tokens}</Header>")
    given = values or {}
    body = (given.get("userName"), given.get("password")) if mapped else None
    return credentials.read(authorization, list(headers), body)


@pytest.mark.parametrize(
    ("authorization", "tokens", "values", "found"),
    [
        pytest.param("", "", {}, [], id="none"),
        pytest.param("", "", {"userName": None, "password": None}, [], id="body: nil"),
        pytest.param("", "", BODY, [RIGHT], id="body"),
        pytest.param("", "", {"userName": USER}, [], id="body: user alone"),
        pytest.param("", "", {"userName": USER, "password": ""}, [], id="body: empty password"),
        pytest.param("", "", {"password": SECRET}, [PasswordText("", SECRET)], id="body: password alone"),
        pytest.param("", "", {"userName": "", "password": ""}, [], id="body: empty"),
        pytest.param(basic_header(), "", {}, [RIGHT], id="Basic"),
        pytest.param(basic_header("ü", "ß", "latin-1"), "", {}, [PasswordText("ü", "ß")], id="Basic: Latin-1"),
        pytest.param("Bearer abc", "", {}, [], id="another scheme"),
        pytest.param("", text_token(), {}, [RIGHT], id="token: text"),
        pytest.param("", text_token(kind=""), {}, [RIGHT], id="token: no type"),
        pytest.param(
            "", text_token(password="&lt;&amp;]"), {}, [PasswordText(USER, "<&]")], id="token: characters of XML"
        ),
        pytest.param(
            "", text_token("üser", "パスワード"), {}, [PasswordText("üser", "パスワード")], id="token: not ASCII"
        ),
        pytest.param("", text_token(password=""), {}, [], id="token: empty password"),
        pytest.param("", security(f"<Username>{USER}</Username>"), {}, [], id="token: no password"),
        pytest.param("", text_token(kind="PasswordOther"), {}, [], id="token: another type"),
        pytest.param("", text_token(f"\n {USER} "), {}, [RIGHT], id="token: white space around the name"),
        pytest.param(
            "", text_token(user="").replace(PROFILE, "wsse:"), {}, [PasswordText("", SECRET)], id="token: no user"
        ),
        *(
            pytest.param(
                "", text_token(kind="KIND").replace(f"{PROFILE}KIND", kind), {}, [RIGHT], id=f"token: {kind!r}"
            )
            for kind in ("", " ", "PasswordText", "wsse:PasswordText", " wsse:PasswordText\n", "#PasswordText")
        ),
        pytest.param(basic_header(password=""), "", {}, [], id="Basic: user alone"),
        pytest.param(basic_header(password=""), text_token(password=""), BODY, [RIGHT], id="only one with a password"),
        pytest.param("", security(), {}, [], id="a security header without a token"),
        pytest.param("", security() + text_token(), {}, [RIGHT], id="two security headers, one token"),
        pytest.param(basic_header(), text_token(), BODY, [RIGHT] * 3, id="all three"),
        pytest.param(
            basic_header("x"), "", BODY, [RIGHT, PasswordText("x", SECRET)], id="conflicting ones are all given"
        ),
    ],
)
def test_all_credentials_are_read(
    authorization: str, tokens: str, values: dict[str, str | None], found: list[Credentials]
) -> None:
    assert list(read(authorization, tokens, values)) == found


def test_the_body_counts_only_if_the_operation_has_credentials() -> None:
    assert read(values={**BODY}, mapped=False) == ()


class TestDigest:
    @pytest.mark.parametrize("late", [timedelta(), timedelta(days=365), timedelta(days=-1)], ids=str)
    def test_it_is_read_at_any_age(self, late: timedelta) -> None:
        (found,) = read(tokens=digest_token(nonce=b"n\xff\0n", late=late))
        assert isinstance(found, PasswordDigest)
        assert (found.user, found.nonce) == (USER, b"n\xff\0n")
        assert found.matches(USER, SECRET)
        assert not found.matches(USER, "x")

    @pytest.mark.parametrize(
        "created",
        ["2026-11-23T10:42:00Z", "2026-11-23T10:42:00.123Z", "2026-11-23T12:42:00+02:00", "2026-11-23T10:42:00"],
    )
    def test_its_time(self, created: str) -> None:
        (found,) = read(tokens=digest_element(USER, base64.b64encode(b"d"), base64.b64encode(b"n"), created))
        assert isinstance(found, PasswordDigest)
        assert (found.moment.isoformat(), found.created) == ("2026-11-23T10:42:00", created)

    def test_a_byte_moved_between_nonce_and_time_is_another_digest(self) -> None:
        # The digest is SHA-1(nonce + created + password). The same bytes with another border between nonce and time
        # would have the same digest: a replay with another nonce.
        created = now()
        sent = base64.b64encode(digest_of(SECRET, b"nonce ", created))
        (first,) = read(tokens=digest_element(USER, sent, base64.b64encode(b"nonce "), created))
        (moved,) = read(tokens=digest_element(USER, sent, base64.b64encode(b"nonce"), f" {created}"))
        assert first.matches(USER, SECRET)
        assert not moved.matches(USER, SECRET)


@pytest.mark.parametrize(
    "send",
    [
        pytest.param(lambda: read("Basic !"), id="Basic: no base64"),
        pytest.param(lambda: read(f"{basic_header()}é"), id="Basic: not ASCII"),
        pytest.param(lambda: read(basic_header(password=LONG)), id="Basic: oversized"),
        pytest.param(lambda: read(values={"userName": LONG, "password": "x"}), id="body: oversized user"),
        pytest.param(lambda: read(values={"userName": "", "password": LONG}), id="body: oversized password"),
        pytest.param(lambda: read(tokens=text_token(LONG)), id="token: oversized user"),
        pytest.param(lambda: read(tokens=text_token(password=LONG)), id="token: oversized password"),
        pytest.param(lambda: read(tokens=text_token() + text_token()), id="token: two"),
        pytest.param(lambda: read(tokens=security("<Username/>", "<Username/>")), id="token: two in one header"),
        *(
            pytest.param(
                lambda mark=mark: read(tokens=marked(text_token(kind="PasswordOther"), mark)), id=f"token: {mark}"
            )
            for mark in MARKS
        ),
        pytest.param(lambda: read(tokens=digest_token(LONG)), id="digest: oversized user"),
        pytest.param(lambda: read(tokens=digest_token(nonce=b"")), id="digest: empty nonce"),
        pytest.param(lambda: read(tokens=digest_element(USER, b"ZA==", b"!", now())), id="digest: nonce not base64"),
        pytest.param(lambda: read(tokens=digest_element(USER, b"!", b"bg==", now())), id="digest: not base64"),
        pytest.param(lambda: read(tokens=digest_element(USER, b"ZA==", b"bg==", "")), id="digest: no time"),
        pytest.param(lambda: read(tokens=digest_element(USER, b"ZA==", b"bg==", "now")), id="digest: no date"),
        pytest.param(lambda: read(tokens=digest_element(USER, b"ZA==", b"bg==", f"{now()}{LONG}")), id="digest: long"),
        pytest.param(
            lambda: read(tokens=digest_element(USER, b"ZA==", b"bg==", "2026-13-23T10:42:00Z")),
            id="digest: month 13",
        ),
    ],
)
def test_malformed_credentials_are_refused_as_wrong_ones(send: Callable[[], object]) -> None:
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
def test_a_token_in_another_place_is_ignored(tokens: str) -> None:
    assert read(tokens=tokens) == ()


DIGEST = digest()


class TestMatches:
    @pytest.mark.parametrize(
        ("offered", "right"),
        [
            pytest.param(plain(), True, id="plain: right"),
            pytest.param(plain("other"), False, id="plain: user"),
            pytest.param(plain(password="other"), False, id="plain: password"),
            pytest.param(plain(SECRET, USER), False, id="plain: the other way round"),
            pytest.param(plain("", ""), False, id="plain: nothing"),
            pytest.param(plain(USER.upper()), False, id="plain: case of the user"),
            pytest.param(plain(password=SECRET[:-1]), False, id="plain: cut"),
            pytest.param(plain(password=f"{SECRET} "), False, id="plain: space"),
            pytest.param(plain(password=SECRET.replace("€", "?")), False, id="plain: another encoding's loss"),
            pytest.param(DIGEST, True, id="digest: right"),
            pytest.param(digest("other"), False, id="digest: user"),
            pytest.param(digest(password="other"), False, id="digest: password"),
            pytest.param(replace(DIGEST, nonce=b"other"), False, id="digest: nonce"),
            pytest.param(replace(DIGEST, created="2025-04-21T16:45:03Z"), False, id="digest: time"),
            pytest.param(replace(DIGEST, digest=b""), False, id="digest: nothing"),
            pytest.param(replace(DIGEST, digest=DIGEST.digest[:-1]), False, id="digest: cut"),
        ],
    )
    def test_both_parts(self, offered: Credentials, right: bool) -> None:
        assert offered.matches(USER, SECRET) is right

    def test_the_vectors_of_another_implementation(self) -> None:
        # Made by zeep, recorded in tests/golden/wire/zeep/wsse-digest-08-POST-GetScores.http.
        recorded = replace(
            DIGEST,
            user="user",
            digest=base64.b64decode("qJBYpKSv6dAYjR4OpfjXID0y2tM="),
            nonce=base64.b64decode("VQCfZcf6C3TlJWa4J9Wx2Q=="),
            created="2026-11-23T10:42:00+00:00",
        )
        assert recorded.matches("user", "p&ss<wörd>")

    @pytest.mark.parametrize("offered", [plain(), digest()], ids=["plain", "digest"])
    @pytest.mark.parametrize(("user", "password"), [(USER, SECRET), ("x", SECRET), (USER, "x"), ("x", "x")])
    def test_both_are_compared_whichever_is_wrong(
        self, monkeypatch: pytest.MonkeyPatch, offered: Credentials, user: str, password: str
    ) -> None:
        compared: list[tuple[int, int]] = []
        original = hmac.compare_digest

        def counted(one: bytes, other: bytes) -> bool:
            compared.append((len(one), len(other)))
            return original(one, other)

        monkeypatch.setattr(hmac, "compare_digest", counted)
        offered.matches(user, password)
        assert len(compared) == 2
        assert all(one == other for one, other in compared), "a length can be measured"


class TestBasic:
    @pytest.mark.parametrize(
        ("header", "found"),
        [
            pytest.param(basic_header(), (USER, SECRET), id="UTF-8"),
            pytest.param(basic_header("üser", "pässwörd", "latin-1"), ("üser", "pässwörd"), id="Latin-1"),
            pytest.param(basic_header(password="a:b:c"), (USER, "a:b:c"), id="colons in the password"),
            pytest.param(basic_header(""), ("", SECRET), id="no user"),
            pytest.param(basic_header().replace("Basic", "BASIC"), (USER, SECRET), id="upper case"),
            pytest.param(basic_header().replace("Basic", "basic  "), (USER, SECRET), id="lower case, spaces"),
        ],
    )
    def test_it_is_read(self, header: str, found: tuple[str, str]) -> None:
        assert read(header) == (PasswordText(*found),)

    @pytest.mark.parametrize(
        "header",
        [
            pytest.param(basic_header(password=""), id="no password"),
            pytest.param(basic_header("", ""), id="a colon alone"),
            pytest.param("Basic dXNlcg==", id="no colon"),
            pytest.param("Basic", id="nothing"),
            pytest.param("Basic ", id="a blank"),
        ],
    )
    def test_a_user_name_alone_is_not_presented(self, header: str) -> None:
        assert read(header) == ()

    @pytest.mark.parametrize("header", ["", "Bearer abc", "Negotiate YII=", "Digest username=registrar", "Basically a"])
    def test_another_scheme(self, header: str) -> None:
        assert read(header) == ()

    @pytest.mark.parametrize(
        "header",
        [
            pytest.param("Basic !!!", id="no base64"),
            pytest.param(basic_header()[:-1], id="cut"),
            pytest.param(f"{basic_header()} {basic_header()}", id="two"),
            pytest.param("Basic é€é€", id="not ASCII"),
        ],
    )
    def test_a_malformed_header_is_refused_and_not_repeated(self, header: str) -> None:
        with pytest.raises(errors.CallerError) as caught:
            read(header)
        assert caught.value.note == "malformed credentials: an Authorization header that is not base64"
