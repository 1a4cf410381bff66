"""The software that a caller uses, by a fixed table: other words of a User-Agent may hold anything, and are dropped."""

import re
from functools import lru_cache
from typing import Final

NONE: Final = "none (such as WCF)"
"""Software that sends no User-Agent; of the known SOAP clients only WCF does."""
OTHER: Final = "other"
_LOOKED_AT: Final = 256

# The name of the software, and how the User-Agent spells it. The first match counts, so what is built upon others
# stands above them.
_TABLE: Final = {
    "wsdl.exe": r"MS Web Services Client Protocol",
    "Mono wsdl": r"Mono Web Services Client Protocol",
    "PHP-SOAP": r"PHP-SOAP",
    "NuSOAP": r"NuSOAP",
    "Zeep": r"Zeep",
    "suds": r"suds",
    "JAX-WS RI": r"JAX-?WS[ -]RI",
    "CXF": r"Apache[- ]CXF",
    "Axis2": r"Axis2",
    "Axis": r"Axis",
    "SAAJ": r"SAAJ",
    "gSOAP": r"gSOAP",
    "SOAP::Lite": r"SOAP::Lite(?:/Perl)?",
    "SOAP4R": r"SOAP4R",
    "Savon": r"Savon",
    "node-soap": r"node-soap",
    "Delphi": r"(?:Borland|CodeGear|Embarcadero) SOAP",
    "SOAP Toolkit": r"SOAP Toolkit",
    "SAP NetWeaver": r"SAP NetWeaver Application Server",
    "ColdFusion": r"ColdFusion",
    "PowerShell": r"(?:Windows)?PowerShell",
    "Apache HttpClient": r"Apache-HttpClient",
    "Java HttpClient": r"Java-http-client",
    "Java": r"Java",
    "requests": r"python-requests",
    "httpx": r"python-httpx",
    "aiohttp": r"aiohttp",
    "urllib": r"Python-urllib",
    "LWP": r"libwww-perl",
    "Faraday": r"Faraday",
    "Ruby": r"Ruby",
    "axios": r"axios",
    "Go": r"Go-http-client",
    "curl": r"curl",
    "Wget": r"Wget",
}
# Versions are digits and dots, and not many of them.
_VERSION: Final = r"(?:[/ ]v?([0-9]{1,5}(?:\.[0-9]{1,5}){0,3})(?![0-9]))?"
_SOFTWARE: Final = [
    (name, re.compile(rf"(?<![\w-]){pattern}(?![\w-]){_VERSION}", re.IGNORECASE)) for name, pattern in _TABLE.items()
]


@lru_cache(maxsize=256)
def known(agent: str | None) -> str:
    """Return the name of the software, with its version if it is told; ``other`` for software not in the table.

    Args:
        agent: The User-Agent; ``None`` or empty for none.
    """
    if not agent:
        return NONE
    for name, pattern in _SOFTWARE:
        if found := pattern.search(agent[:_LOOKED_AT]):
            return f"{name} {found[1]}" if found[1] else name
    return OTHER
