"""How a call of TOEFL Access is ended when its time is over."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

Deadline = Callable[[float, BaseException], AbstractContextManager[object]]
"""Makes a context that raises the exception in its block after so many seconds; ``gevent.Timeout`` is one."""


def unlimited(_seconds: float, _error: BaseException) -> AbstractContextManager[object]:
    """Never end the block: for commands, which a person can interrupt."""
    return nullcontext()
