import pytest

from shim.access.passwords import PasswordChecker
from tests.access.offers import OWN_HASH, OWN_PASSWORD


@pytest.mark.parametrize(
    ("password", "hashed", "right"),
    [
        (OWN_PASSWORD, OWN_HASH, True),
        (f"{OWN_PASSWORD} ", OWN_HASH, False),
        ("", OWN_HASH, False),
        (OWN_PASSWORD, "$argon2id$nonsense", False),
    ],
    ids=["right", "wrong", "empty", "no hash"],
)
def test_a_password_is_checked(password: str, hashed: str, right: bool) -> None:
    assert PasswordChecker().is_right(password, hashed) is right


def test_it_is_checked_where_it_is_told() -> None:
    ran: list[tuple[str, str]] = []

    def run(_function: object, arguments: tuple[str, str]) -> bool:
        ran.append(arguments)
        return True

    assert PasswordChecker(run).is_right("synthetic", OWN_HASH)
    assert ran == [("synthetic", OWN_HASH)]
