"""The health of the gateway as its operator sees it: the authcodes and TOEFL Access."""

from typing import Literal, NamedTuple

AuthcodeState = Literal["accepted", "refused", "not used yet"]
"""What TOEFL Access made of an authcode in the latest call with it."""


class AuthcodeHealth(NamedTuple):
    """The health of one authcode.

    Attributes:
        name: Its name in the configuration.
        age: Seconds since its file was written; ``None`` if it is in the environment.
        state: What TOEFL Access made of it.
    """

    name: str
    age: float | None
    state: AuthcodeState


class Health(NamedTuple):
    """The health of the gateway.

    Attributes:
        authcodes: The health of each authcode.
        is_answering: Whether TOEFL Access answered the latest calls.
    """

    authcodes: tuple[AuthcodeHealth, ...]
    is_answering: bool
