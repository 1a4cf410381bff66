"""The format in which a call is answered."""

from dataclasses import dataclass
from typing import Literal

from shim.wire.dialect import Dialect
from shim.wire.qname import QName

ResultType = Literal["base64Binary", "string"]
"""The XML Schema types that a result may have."""

EmptyForm = Literal["absent", "empty", "nil"]
"""The form of an answer without scores: no result element, an empty one, or one with ``xsi:nil``."""


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """The format in which a call is answered.

    Attributes:
        dialect: The dialect of the caller.
        path: The elements from the body's element down to the result element; for a bare result, that one alone.
        action: The WS-Addressing action of the answer.
        result_type: The type of the result.
        empty: The form of an answer without scores.
        in_band: Whether an error is answered as a sentence in the result instead of as a fault.
    """

    dialect: Dialect
    path: tuple[QName, ...]
    action: str
    result_type: ResultType
    empty: EmptyForm
    in_band: bool
