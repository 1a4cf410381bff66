from shim.wire.credentials import PasswordText
from tests.access.offers import PLANTED, USER, digest, plain, proof

DIGEST = digest()


def test_nothing_has_a_representation_that_tells_a_secret() -> None:
    presented = proof(plain(), digest(), PasswordText("import", PLANTED[1]))
    for shown in (repr(presented), str(presented), f"{presented}", *map(repr, presented.credentials)):
        assert not [secret for secret in (*PLANTED, DIGEST.digest.hex(), USER) if secret in shown]
