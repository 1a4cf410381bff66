"""A temporary stand-in for the retired TOEFL score SOAP service.

The gateway answers clients that cannot be changed from the TOEFL Access REST API
(``GET https://toeflaccess-api.ets.org/scores``, header ``authcode``). That API
replaces this package: once every caller uses it, switch the gateway off.
"""

__version__ = "0.2.0"
