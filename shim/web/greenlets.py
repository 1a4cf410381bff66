"""How a gateway waits: with gevent, so that one worker answers many calls at a time."""

from collections.abc import Callable
from typing import Final

import gevent

from shim.upstream.deadline import Deadline

deadline: Final[Deadline] = gevent.Timeout
"""Raises an exception in a block that takes longer than so many seconds."""


def run_in_thread(function: Callable[[str, str], bool], arguments: tuple[str, str]) -> bool:
    """Run a function that keeps a processor busy, while other calls go on."""
    return gevent.get_hub().threadpool.apply(function, arguments)
