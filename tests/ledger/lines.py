"""Lines of the journal as workers write them."""

import json
from typing import Final

NOON: Final = 1795521600.0
"""2026-11-24, 12:00 UTC."""


def line(**fields: object) -> bytes:
    """Return the line of a usual call, with other values in some fields."""
    usual: dict[str, object] = {
        "at": NOON,
        "caller": "registrar",
        "named": True,
        "operation": "GetScores",
        "outcome": "ok",
        "soap": "1.1",
        "software": "PHP-SOAP 8.2",
        "records": 3,
        "bytes": 4806,
        "seconds": 0.5,
        "upstream": 0.4,
        "start": "2025-04-21T16:45:03",
        "end": "2025-04-22T16:52:13",
    }
    return json.dumps(usual | fields).encode()
