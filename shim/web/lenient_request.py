"""The head of a request, with three liberties that the old service allowed and gunicorn does not.

None of them moves the border between two requests. What this module uses of gunicorn without a promise: ``parse`` and
``_apply_header_policy`` of ``Request``, and ``read`` and ``unread`` of its reader. ``tests/test_library_internals.py``
holds it to them.
"""

import re
from typing import Any, Final

from gunicorn.http.message import Request

_BLANK_LINES: Final = re.compile(rb"(?:\r\n)*")
# Reads of the socket: a client that sends blank lines without end must not keep other calls waiting.
_MOST_READS: Final = 8


class LenientRequest(Request):  # type: ignore[misc]
    """gunicorn's request; blank lines before it, an empty Expect and a second Content-Type are ignored."""

    def parse(self, unreader: Any) -> bytes:  # noqa: ANN401 - gunicorn has no types
        """Skip blank lines (RFC 9112 §2.2), and read the head."""
        data = b""
        for _ in range(_MOST_READS):
            part = unreader.read()
            data = _BLANK_LINES.sub(b"", data + part, count=1)
            if not part or data not in (b"", b"\r"):
                break
        unreader.unread(data)
        return super().parse(unreader)  # type: ignore[no-any-return]

    def _apply_header_policy(
        self,
        name: str,
        value: str,
        scheme_state: list[bool],
        seen: set[str],
        *rest: object,
        **options: object,
    ) -> tuple[str, str] | None:
        """Return the header to keep; None to drop it."""
        if (name == "EXPECT" and not value) or (name == "CONTENT-TYPE" and name in seen):
            return None
        return super()._apply_header_policy(name, value, scheme_state, seen, *rest, **options)  # type: ignore[no-any-return]
