"""A stand-in for TOEFL Access on this machine, for the demo, the tests and development.

As the vendor documents it: the addresses, the query, the header, the sentences of
a 400, that 401, 403 and 500 exist, the score link layout, eleven scores of sample
data. Invented: the words of the other errors, the names in JSON, the split of the
scores of 2026, the order of the digits in a date, the people.
"""

from shim.sandbox.faults import Faults
from shim.sandbox.keys import DEMO_AUTHCODE
from shim.sandbox.scores import FIRST_REPORTED, LAST_REPORTED, Names, Options, Scale, Selection, sample, select
from shim.sandbox.server import Request, Sandbox

__all__ = [
    "DEMO_AUTHCODE",
    "FIRST_REPORTED",
    "LAST_REPORTED",
    "Faults",
    "Names",
    "Options",
    "Request",
    "Sandbox",
    "Scale",
    "Selection",
    "sample",
    "select",
]
