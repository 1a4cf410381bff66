"""Who may call: what a request presents, the configured callers, the throttle and used nonces.

Authentication ends here with a caller and the authcode to use; nothing here asks TOEFL Access.
"""

__all__ = [
    "callers",
    "concurrency",
    "passwords",
    "presented",
    "replays",
    "source",
    "throttle",
]
