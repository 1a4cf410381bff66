"""SOAP 1.1 and 1.2 as bytes: requests are read to calls and credentials, results and faults are written.

The package is pure: it does no I/O, reads no configuration and writes no log.
"""

__all__ = [
    "addressing",
    "answer",
    "answer_format",
    "call",
    "credentials",
    "dialect",
    "elements",
    "encoding",
    "envelope",
    "inband",
    "namespaces",
    "parser",
    "qname",
    "result",
    "xsd",
]
