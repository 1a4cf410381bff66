"""``toefl-shim``, and ``python -m shim``."""

import gc
import sys

if sys.argv[1:2] == ["serve"]:
    # Nothing that is made at start is garbage; to look for it takes a tenth of the start. shim/server.py enables it.
    gc.disable()
    # gevent replaces the calls that wait for a socket, and must do so before any other module takes hold of them. Not
    # those for processes and signals, which are gunicorn's; and not select, of which urllib3 asks, without waiting,
    # whether a kept connection is still there: gevent's takes 30 us to say so.
    from gevent import events, monkey

    # It would ask every installed package for a plug-in, fifteen times over: a tenth of the start.
    events.notify_and_call_entry_points = events.notify  # type: ignore[attr-defined]
    monkey.patch_all(os=False, signal=False, subprocess=False, select=False)

from shim.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
