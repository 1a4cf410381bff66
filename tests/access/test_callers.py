import itertools
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from shim import errors
from shim.access import throttle
from shim.access.callers import Callers
from shim.access.presented import PresentedCredentials
from shim.access.replays import Replays
from shim.access.throttle import REFUSE_AFTER
from shim.config import AuthcodeSettings, CallerSettings
from shim.upstream.authcode import Authcode, AuthcodeError
from shim.upstream.stored_authcode import StoredAuthcode
from shim.wire.credentials import Credentials
from tests.access.offers import OWN_HASH, OWN_PASSWORD, OWN_USER, PLANTED, SECRET, USER, digest, plain, proof

OTHER_SECRET = "synthetic-secret-3"
OWN = plain(OWN_USER, OWN_PASSWORD)
SUBJECT = "CN=registrar,O=Example"
LOOPBACK = "127.0.0.1"

Make = Callable[..., Callers]


def entry(name: str = "it", **proves: Any) -> CallerSettings:  # noqa: ANN401 - as a config has it
    return CallerSettings(name=name, authcode="" if proves.get("credentials") == "pass-through" else "main", **proves)


def own(name: str = "it", user: str = OWN_USER, **more: Any) -> CallerSettings:  # noqa: ANN401 - same
    return entry(name, credentials="own", user=user, password_hash=OWN_HASH, **more)


BY_AUTHCODE = entry(credentials="authcode")
ANYBODY = entry(anybody=True)
BY_NETWORK = entry(networks=["192.0.2.0/24", "2001:db8::/32"])
BY_CERTIFICATE = entry(certificate=SUBJECT)
PASS_THROUGH = entry(credentials="pass-through")


@pytest.fixture(autouse=True)
def _no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_LONGEST_DELAY", 0)


@pytest.fixture
def authcodes() -> dict[str, StoredAuthcode]:
    environ = {"A": Authcode.of(USER, SECRET).value, "B": Authcode.of("second", OTHER_SECRET).value}
    sources = [AuthcodeSettings(name="main", env="A"), AuthcodeSettings(name="other", env="B")]
    return {source.name: StoredAuthcode(source, environ) for source in sources}


@pytest.fixture
def make(authcodes: dict[str, StoredAuthcode], tmp_path: Path) -> Make:
    folders = (tmp_path / f"nonces-{number}" for number in itertools.count())

    def made(*entries: CallerSettings) -> Callers:
        folder = next(folders)
        folder.mkdir()
        return Callers(entries, authcodes, Replays(folder))

    return made


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The users' passwords that argon2 was asked for."""
    asked: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, expected: str, password: str) -> bool:
        asked.append(password)
        return bool(verify(self, expected, password))

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    return asked


def answer(callers: Callers, offered: PresentedCredentials) -> str:
    """The name of the caller, or the reason."""
    try:
        return callers.identify(offered).name
    except errors.CallerError as error:
        return f"{error.cause.slug}{error.detail}{error.note}"


WRONG, NONE = "not-authenticated", "no-credentials"
MINUTES = timedelta(minutes=1)


# A digest is right for some minutes only, so each offer is made when it is needed.
@pytest.mark.parametrize(
    ("rule", "offered", "expected"),
    [
        pytest.param(BY_AUTHCODE, lambda: proof(plain()), "it", id="authcode: right"),
        pytest.param(BY_AUTHCODE, lambda: proof(plain("x")), WRONG, id="authcode: user"),
        pytest.param(BY_AUTHCODE, lambda: proof(plain(password="x")), WRONG, id="authcode: password"),
        pytest.param(BY_AUTHCODE, proof, NONE, id="authcode: missing"),
        pytest.param(BY_AUTHCODE, lambda: proof(plain("", "")), WRONG, id="authcode: empty"),
        pytest.param(BY_AUTHCODE, lambda: proof(plain("second", OTHER_SECRET)), WRONG, id="authcode: another's"),
        pytest.param(BY_AUTHCODE, lambda: proof(plain(), plain()), "it", id="authcode: twice the same"),
        pytest.param(BY_AUTHCODE, lambda: proof(plain(), plain("x")), WRONG, id="authcode: conflicting"),
        pytest.param(BY_AUTHCODE, lambda: proof(plain("x"), plain()), WRONG, id="authcode: conflicting, the first"),
        pytest.param(BY_AUTHCODE, lambda: proof(plain(), digest()), "it", id="authcode: text and digest"),
        pytest.param(
            BY_AUTHCODE, lambda: proof(plain(), digest(password="x")), WRONG, id="authcode: text and wrong digest"
        ),
        pytest.param(BY_AUTHCODE, lambda: proof(digest()), "it", id="digest: right"),
        pytest.param(BY_AUTHCODE, lambda: proof(digest("x")), WRONG, id="digest: user"),
        pytest.param(BY_AUTHCODE, lambda: proof(digest(password="x")), WRONG, id="digest: password"),
        pytest.param(BY_AUTHCODE, lambda: proof(digest(late=4.9 * MINUTES)), "it", id="digest: a little old"),
        pytest.param(BY_AUTHCODE, lambda: proof(digest(late=-4.9 * MINUTES)), "it", id="digest: a little early"),
        pytest.param(BY_AUTHCODE, lambda: proof(digest(late=5.1 * MINUTES)), WRONG, id="digest: too old"),
        pytest.param(BY_AUTHCODE, lambda: proof(digest(late=-5.1 * MINUTES)), WRONG, id="digest: too early"),
        pytest.param(own(), lambda: proof(OWN), "it", id="own: right"),
        pytest.param(own(), lambda: proof(plain("x", OWN_PASSWORD)), WRONG, id="own: user"),
        pytest.param(own(), lambda: proof(plain(OWN_USER, "x")), WRONG, id="own: password"),
        pytest.param(own(), lambda: proof(plain()), WRONG, id="own: the authcode's halves"),
        pytest.param(own(), proof, NONE, id="own: missing"),
        pytest.param(
            own(), lambda: proof(digest(OWN_USER, OWN_PASSWORD)), WRONG, id="own: a digest, of which only a hash is"
        ),
        pytest.param(own(), lambda: proof(OWN, plain()), WRONG, id="own: conflicting"),
        pytest.param(BY_NETWORK, proof, "it", id="network: IPv4"),
        pytest.param(BY_NETWORK, lambda: proof(address="2001:db8::1"), "it", id="network: IPv6"),
        pytest.param(BY_NETWORK, lambda: proof(address="198.51.100.1"), NONE, id="network: outside"),
        pytest.param(BY_NETWORK, lambda: proof(address=""), NONE, id="network: no address"),
        pytest.param(BY_NETWORK, lambda: proof(plain()), "it", id="network: with right credentials"),
        pytest.param(BY_NETWORK, lambda: proof(plain(password="x")), WRONG, id="network: with wrong credentials"),
        pytest.param(BY_CERTIFICATE, lambda: proof(certificate=SUBJECT), "it", id="certificate: right"),
        pytest.param(BY_CERTIFICATE, lambda: proof(certificate=f"{SUBJECT},C=US"), NONE, id="certificate: longer"),
        pytest.param(BY_CERTIFICATE, lambda: proof(certificate=SUBJECT.lower()), NONE, id="certificate: case"),
        pytest.param(BY_CERTIFICATE, proof, NONE, id="certificate: missing"),
        pytest.param(BY_CERTIFICATE, lambda: proof(certificate="CN=é"), NONE, id="certificate: not ASCII"),
        pytest.param(ANYBODY, lambda: proof(address=LOOPBACK), "it", id="anybody: this machine"),
        pytest.param(ANYBODY, lambda: proof(address="::1"), "it", id="anybody: IPv6"),
        pytest.param(ANYBODY, proof, NONE, id="anybody: elsewhere"),
        pytest.param(ANYBODY, lambda: proof(address=""), NONE, id="anybody: no address"),
        pytest.param(ANYBODY, lambda: proof(address=LOOPBACK, relayed=True), NONE, id="anybody: through a proxy"),
        pytest.param(ANYBODY, lambda: proof(plain("x"), address=LOOPBACK), WRONG, id="anybody: wrong credentials"),
        pytest.param(PASS_THROUGH, lambda: proof(plain("a", "b")), "it", id="pass-through: any"),
        pytest.param(
            PASS_THROUGH, lambda: proof(plain("a", "b"), plain("a", "b")), "it", id="pass-through: twice the same"
        ),
        pytest.param(
            PASS_THROUGH, lambda: proof(plain("a", "b"), plain("a", "c")), WRONG, id="pass-through: conflicting"
        ),
        pytest.param(PASS_THROUGH, proof, NONE, id="pass-through: missing"),
        pytest.param(PASS_THROUGH, lambda: proof(plain("a", "")), WRONG, id="pass-through: half"),
        pytest.param(PASS_THROUGH, lambda: proof(plain("a:b", "c")), WRONG, id="pass-through: a colon"),
        pytest.param(PASS_THROUGH, lambda: proof(digest()), WRONG, id="pass-through: a digest"),
        pytest.param(PASS_THROUGH, lambda: proof(plain(), digest()), WRONG, id="pass-through: text and digest"),
        pytest.param(own(networks=["192.0.2.0/24"]), lambda: proof(OWN), "it", id="own and network: both"),
        pytest.param(own(networks=["192.0.2.0/24"]), proof, NONE, id="own and network: network alone"),
        pytest.param(own(networks=["10.0.0.0/8"]), lambda: proof(OWN), WRONG, id="own and network: credentials alone"),
        pytest.param(own(certificate=SUBJECT), lambda: proof(OWN), WRONG, id="own and certificate: credentials alone"),
    ],
)
def test_what_a_caller_must_offer(
    make: Make, rule: CallerSettings, offered: Callable[[], PresentedCredentials], expected: str
) -> None:
    assert answer(make(rule), offered()) == expected


class TestSecretFile:
    @pytest.fixture
    def rule(self, tmp_path: Path) -> CallerSettings:
        path = tmp_path / "secret"
        path.write_text(f"{OWN_PASSWORD}\n", encoding="utf-8")
        path.chmod(0o600)
        return entry(credentials="own", user=OWN_USER, secret_file=path)

    @pytest.mark.parametrize(
        ("offered", "expected"),
        [
            (lambda: OWN, "it"),
            (lambda: digest(OWN_USER, OWN_PASSWORD), "it"),
            (lambda: plain(OWN_USER, "x"), WRONG),
            (lambda: plain("x", OWN_PASSWORD), WRONG),
            (lambda: digest(OWN_USER, "x"), WRONG),
            (lambda: digest("x", OWN_PASSWORD), WRONG),
            (lambda: digest(OWN_USER, OWN_PASSWORD, late=6 * MINUTES), WRONG),
            (lambda: plain(OWN_USER, f"{OWN_PASSWORD}\n"), WRONG),
        ],
        ids=["text", "digest", "password", "user", "digest's password", "digest's user", "old", "with its line's end"],
    )
    def test_text_and_digest(
        self, make: Make, rule: CallerSettings, offered: Callable[[], Credentials], expected: str
    ) -> None:
        assert answer(make(rule), proof(offered())) == expected

    @pytest.mark.parametrize(
        ("spoil", "reason"),
        [
            (lambda path: path.write_text("\n"), "is empty"),
            (lambda path: path.chmod(0o644), "is readable by everybody"),
            (lambda path: path.write_bytes(b"\xff"), "is not text"),
        ],
        ids=["empty", "public", "not text"],
    )
    def test_a_file_that_cannot_be_used(
        self, make: Make, rule: CallerSettings, spoil: Callable[[Path], object], reason: str
    ) -> None:
        assert rule.secret_file is not None
        spoil(rule.secret_file)
        with pytest.raises(AuthcodeError, match=reason):
            make(rule)

    def test_it_must_be_there(self, make: Make, rule: CallerSettings) -> None:
        assert rule.secret_file is not None
        rule.secret_file.unlink()
        with pytest.raises(AuthcodeError, match="cannot be read"):
            make(rule)


class TestDigestOnce:
    def test_a_replay_is_refused(self, make: Make) -> None:
        callers, offered = make(BY_AUTHCODE), proof(digest())
        assert [answer(callers, offered) for _ in range(3)] == ["it", WRONG, WRONG]

    def test_another_of_the_same_second_is_not(self, make: Make) -> None:
        callers = make(BY_AUTHCODE)
        assert [answer(callers, proof(digest())) for _ in range(3)] == ["it"] * 3

    def test_a_wrong_one_uses_up_no_nonce(self, make: Make) -> None:
        callers = make(BY_AUTHCODE)
        assert answer(callers, proof(digest(password="x", nonce=b"the same"))) == WRONG
        assert answer(callers, proof(digest(nonce=b"the same"))) == "it"

    def test_one_that_comes_with_a_wrong_password_is_not_used_up(self, make: Make) -> None:
        callers, offered = make(BY_AUTHCODE), digest()
        assert answer(callers, proof(offered, plain("x"))) == WRONG
        assert answer(callers, proof(offered)) == "it"


class TestWhoItIs:
    def test_the_first_that_fits(self, make: Make, authcodes: dict[str, StoredAuthcode]) -> None:
        second = CallerSettings(name="second", authcode="other", credentials="authcode")
        callers = make(own("own"), BY_AUTHCODE, second, ANYBODY)
        assert [answer(callers, proof(one)) for one in (OWN, plain(), plain("second", OTHER_SECRET))] == [
            "own",
            "it",
            "second",
        ]
        assert callers.identify(proof(plain("second", OTHER_SECRET))).authcode is authcodes["other"]
        assert callers.identify(proof(OWN)).authcode is authcodes["main"]

    def test_a_pass_through_has_an_authcode_of_what_it_sent(self, make: Make) -> None:
        authcode = make(PASS_THROUGH).identify(proof(plain("ü", "p€"))).authcode
        assert isinstance(authcode, Authcode)
        assert authcode.halves == ("ü", "p€")

    def test_both_authcodes_prove_while_one_follows_the_other(self, tmp_path: Path) -> None:
        paths = [tmp_path / name for name in ("first", "next")]
        for path, secret in zip(paths, (SECRET, OTHER_SECRET), strict=True):
            path.write_text(Authcode.of(USER, secret).value)
            path.chmod(0o600)
        stored = StoredAuthcode(AuthcodeSettings(name="main", file=paths[0], next_file=paths[1]))
        callers = Callers([BY_AUTHCODE], {"main": stored}, Replays(tmp_path))
        assert [answer(callers, proof(plain(password=secret))) for secret in (SECRET, OTHER_SECRET, "x")] == [
            "it",
            "it",
            WRONG,
        ]
        paths[0].write_text(Authcode.of(USER, "new-synthetic-secret").value)
        assert [answer(callers, proof(plain(password=secret))) for secret in ("new-synthetic-secret", SECRET)] == [
            "it",
            WRONG,
        ]


class TestTime:
    RULES = (own("first"), own("second", "second-user"), BY_AUTHCODE)

    @pytest.mark.parametrize(
        "offered",
        [
            plain(OWN_USER, "x"),
            plain("second-user", "x"),
            plain("nobody", "x"),
            plain("nobody", OWN_PASSWORD),
            plain("", ""),
        ],
        ids=["password", "the second's password", "both", "user", "nothing"],
    )
    def test_whatever_is_wrong_costs_one_hash(self, make: Make, hashes: list[str], offered: Credentials) -> None:
        callers = make(*self.RULES)
        assert answer(callers, proof(offered)) == WRONG
        assert len(hashes) == 1

    @pytest.mark.parametrize(
        ("offered", "name", "most"),
        [(OWN, "first", 1), (plain("second-user", OWN_PASSWORD), "second", 1), (plain(), "it", 0)],
        ids=["first", "second", "authcode"],
    )
    def test_who_is_right_costs_one_and_then_none(
        self, make: Make, hashes: list[str], offered: Credentials, name: str, most: int
    ) -> None:
        callers = make(*self.RULES)
        assert {answer(callers, proof(offered)) for _ in range(5)} == {name}
        assert len(hashes) <= most

    def test_no_hash_where_nobody_has_a_password_of_its_own(self, make: Make, hashes: list[str]) -> None:
        assert answer(make(BY_AUTHCODE), proof(plain("x"))) == WRONG
        assert not hashes

    @pytest.mark.parametrize("offered", [proof(OWN), proof(plain()), proof(plain("x")), proof()], ids=list("abcd"))
    def test_all_rules_are_asked(
        self, make: Make, monkeypatch: pytest.MonkeyPatch, offered: PresentedCredentials
    ) -> None:
        asked: list[int] = []
        callers = make(*self.RULES, BY_NETWORK)
        kind = type(callers._rules[0])  # noqa: SLF001 - time itself cannot be tested
        match = kind.match

        def counted(self: Any, seen: PresentedCredentials) -> object:  # noqa: ANN401 - a private class
            asked.append(1)
            return match(self, seen)

        monkeypatch.setattr(kind, "match", counted)
        answer(callers, offered)
        assert len(asked) == 4

    def test_few_hashes_at_a_time(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        # Each takes 64 MiB as operators make them.
        running, most = [0], [0]
        lock, together = threading.Lock(), threading.Barrier(8)

        def slow(*_: object) -> bool:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            threading.Event().wait(0.02)
            with lock:
                running[0] -= 1
            return True

        monkeypatch.setattr(PasswordHasher, "verify", slow)
        callers = make(own())

        def guess() -> None:
            together.wait()
            answer(callers, proof(OWN))

        threads = [threading.Thread(target=guess) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert most[0] <= 2


class TestThrottle:
    def guessed(self, callers: Callers, address: str = "192.0.2.1") -> None:
        for _ in range(REFUSE_AFTER):
            assert answer(callers, proof(plain("x"), address=address)) == WRONG
        assert answer(callers, proof(plain("x"), address=address)) == "throttled"

    def test_who_guesses_is_refused_even_what_is_right(self, make: Make) -> None:
        callers = make(BY_AUTHCODE)
        self.guessed(callers)
        assert answer(callers, proof(plain())) == "throttled"

    def test_another_address_is_not(self, make: Make) -> None:
        callers = make(BY_AUTHCODE)
        self.guessed(callers)
        assert answer(callers, proof(plain(), address="192.0.2.2")) == "it"

    @pytest.mark.parametrize(
        ("rule", "right"),
        [
            pytest.param(BY_AUTHCODE, lambda: proof(plain()), id="text"),
            pytest.param(BY_AUTHCODE, lambda: proof(digest()), id="digest"),
            pytest.param(own(), lambda: proof(OWN), id="own"),
            pytest.param(BY_NETWORK, proof, id="network"),
            pytest.param(BY_CERTIFICATE, lambda: proof(certificate=SUBJECT), id="certificate"),
        ],
    )
    def test_who_was_right_is_not_locked_out_by_guesses_from_the_same_address(
        self, make: Make, rule: CallerSettings, right: Callable[[], PresentedCredentials]
    ) -> None:
        callers = make(rule)
        assert answer(callers, right()) == "it"
        self.guessed(callers)
        assert answer(callers, right()) == "it"
        assert answer(callers, right()) == "it"

    def test_nor_is_a_pass_through_for_which_the_upstream_was_right(self, make: Make) -> None:
        callers, right = make(PASS_THROUGH), proof(plain("a", "b"))
        callers.accept(right)
        for _ in range(REFUSE_AFTER):
            with pytest.raises(errors.CallerError, match="not-authenticated"):
                callers.reject(proof(plain("a", "x")))
        assert answer(callers, proof(plain("a", "y"))) == "throttled"
        assert answer(callers, right) == "it"

    def test_calls_without_credentials_are_no_guesses(self, make: Make) -> None:
        callers = make(BY_AUTHCODE)
        assert {answer(callers, proof()) for _ in range(2 * REFUSE_AFTER)} == {NONE}
        assert answer(callers, proof(plain())) == "it"

    def test_thousands_of_failures_are_answered_as_the_first(self, make: Make) -> None:
        # Right credentials from a wrong place: they are known, so they are never refused unasked.
        callers = make(entry(credentials="authcode", networks=["192.0.2.0/24"]))
        assert answer(callers, proof(plain())) == "it"
        assert {answer(callers, proof(plain(), address="198.51.100.1")) for _ in range(1200)} == {WRONG}

    def test_what_is_remembered_is_bounded(self, make: Make) -> None:
        callers = make(PASS_THROUGH)
        for number in range(1500):
            callers.accept(proof(plain("a", str(number))))
        assert len(callers._accepted._until) == 1000  # noqa: SLF001 - what must not grow


def test_no_object_shows_a_secret(make: Make, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(OWN_PASSWORD, encoding="utf-8")
    (tmp_path / "secret").chmod(0o600)
    kept = entry("kept", credentials="own", user=OWN_USER, secret_file=tmp_path / "secret")
    callers = make(kept, own(), BY_AUTHCODE)
    found = [callers.identify(proof(one)) for one in (OWN, plain())]
    shown = f"{callers!r} {callers} {found!r} {found} {[vars(callers)]!r} {callers._rules!r} {found[1].authcode!r}"  # noqa: SLF001 - all of it
    assert not [secret for secret in PLANTED if secret in shown]
    assert Authcode.of(USER, SECRET).value not in shown
