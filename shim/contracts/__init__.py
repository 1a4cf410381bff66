"""Legacy services as data: a WSDL and a mapping become a contract, whose calls are validated and translated to queries.

The package also drafts the mapping of a new WSDL, fits records to a width, and makes the WSDL that clients get.
"""

__all__ = [
    "adopt",
    "contract",
    "dates",
    "description",
    "guesses",
    "mapping",
    "operation",
    "records",
    "served_wsdl",
    "service",
    "spyne_compat",
]
