"""What a sandbox does wrong on request."""

from dataclasses import dataclass


@dataclass(slots=True)
class Faults:
    """Switches; they may be turned while it runs.

    Attributes:
        status: Answer with this HTTP status and a sentence.
        delay: Seconds before an answer.
        cut: Send so many bytes of the body that was announced, then close.
        html: Answer 200 with a page of HTML.
        location: Answer 302 to this address.
        json_errors: Write errors as JSON; which form they have is not public.
        chunked: Announce no length, and send in chunks.
    """

    status: int | None = None
    delay: float = 0
    cut: int | None = None
    html: bool = False
    location: str = ""
    json_errors: bool = False
    chunked: bool = False
