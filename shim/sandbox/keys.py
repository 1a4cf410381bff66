"""The authcodes that a sandbox knows. They open nothing but a sandbox."""

import base64
import binascii
from typing import Final


def _encode(client: str) -> str:
    return base64.b64encode(f"{client}:synthetic-secret".encode()).decode()


DEMO_AUTHCODE: Final = _encode("sandbox")
INACTIVE_AUTHCODE: Final = _encode("inactive")
FAILED_AUTHCODE: Final = _encode("failed")
FORBIDDEN_AUTHCODE: Final = _encode("forbidden")
BROKEN_AUTHCODE: Final = _encode("broken")

REFUSALS: Final = {
    INACTIVE_AUTHCODE: (401, "account is inactive or system error"),
    FAILED_AUTHCODE: (401, "authentication failed"),
    FORBIDDEN_AUTHCODE: (403, "forbidden"),
    BROKEN_AUTHCODE: (500, "internal server error"),
}
"""What each is answered. That there are these cases is documented, their words are not."""


def well_formed(authcode: str) -> bool:
    """Whether it is the base64 of an id and a secret."""
    try:
        return base64.b64decode(authcode, validate=True).count(b":") == 1
    except (binascii.Error, ValueError):
        return False
