"""The authcodes of a sandbox. No other service accepts them."""

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
"""The status and the sentence for each. The vendor documents these cases, but not the sentences."""


def well_formed(authcode: str) -> bool:
    """Whether an authcode is the base64 of a client id and a client secret."""
    try:
        return base64.b64decode(authcode, validate=True).count(b":") == 1
    except (binascii.Error, ValueError):
        return False
