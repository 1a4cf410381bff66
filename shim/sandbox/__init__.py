"""A stand-in for TOEFL Access on this machine, for the demo, the tests and development.

It serves synthetic scores in a thread of this process, or in a process of its own (``shim.sandbox.process``).

The vendor documents the addresses, the query, the header, the sentences of status 400, the
existence of 401, 403 and 500, the score link layout, and that the sample data has eleven
scores. The rest is invented: the words of the other errors, the names in JSON, how the
block of iBT26 scores is split, the order of day, month and year in a date, and the people.
"""

from shim.sandbox.faults import Faults
from shim.sandbox.keys import DEMO_AUTHCODE
from shim.sandbox.process import free_port, gateway_environment, running, sandbox_process, wait_for
from shim.sandbox.scores import FIRST_REPORTED, LAST_REPORTED, Names, Options, Scale, Selection, sample, select
from shim.sandbox.server import AnsweredRequest, Sandbox

__all__ = [
    "DEMO_AUTHCODE",
    "FIRST_REPORTED",
    "LAST_REPORTED",
    "AnsweredRequest",
    "Faults",
    "Names",
    "Options",
    "Sandbox",
    "Scale",
    "Selection",
    "free_port",
    "gateway_environment",
    "running",
    "sample",
    "sandbox_process",
    "select",
    "wait_for",
]
