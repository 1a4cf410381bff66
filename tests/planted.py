"""The secrets and the personal data that tests work with: no log may hold any of it."""

import base64
from functools import cache

from shim.sandbox import DEMO_AUTHCODE, Options, select

PASSWORD = "p&ss<wörd>"
"""The password in the recorded requests."""

_TELLING = ("registration_number", "email", "security_id_number", "address_line_1")
"""Fields whose values nothing else can happen to hold."""


@cache
def planted() -> dict[str, str]:
    """What must not be found, by what it is."""
    options = Options()
    people = [options.values(number) for number in select(options, options.first, options.last).numbers]
    fields = {f"{name} {number}": person[name] for number, person in enumerate(people) for name in _TELLING}
    _, secret = base64.b64decode(DEMO_AUTHCODE).decode().split(":")
    return fields | {"the authcode": DEMO_AUTHCODE, "its secret": secret, "a password": PASSWORD}
