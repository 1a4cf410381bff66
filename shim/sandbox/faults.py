"""The faults that a sandbox plays."""

from dataclasses import dataclass


@dataclass(slots=True)
class Faults:
    """The faults to play. They can be changed while the sandbox runs.

    Attributes:
        status: Answer with this HTTP status and a sentence.
        delay: Seconds to wait before each answer.
        cut: Close the connection after this many bytes of the announced body.
        html: Answer 200 with a page of HTML.
        location: Answer 302 with this address.
        json_errors: Write errors as JSON instead of plain text; the vendor documents neither.
        chunked: Send the body in chunks, without Content-Length.
    """

    status: int | None = None
    delay: float = 0
    cut: int | None = None
    html: bool = False
    location: str = ""
    json_errors: bool = False
    chunked: bool = False
