"""A temporary stand-in for the retired TOEFL score SOAP service.

It answers clients that nobody may change from the TOEFL Access REST API
(``GET https://toeflaccess-api.ets.org/scores``, header ``authcode``). That API
is what replaces this package: once every caller uses it, switch this off.
"""

__version__ = "0.1.0"
