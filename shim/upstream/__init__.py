"""TOEFL Access: the REST client, its retries and breaker, the check of score files, and the authcodes.

Nothing here knows SOAP.
"""

__all__ = [
    "authcode",
    "authcode_status",
    "breaker",
    "client",
    "deadline",
    "retry",
    "scorelink",
    "scores",
    "secret_file",
    "stored_authcode",
    "verify",
]
