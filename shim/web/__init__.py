"""The gateway as a web server: routes, requests, responses, workers, metrics, and the pages for people.

Only this package knows WSGI, gunicorn and gevent.
"""

__all__ = [
    "admin",
    "application",
    "correlation",
    "endpoint",
    "greenlets",
    "metrics",
    "observers",
    "page",
    "pages",
    "request",
    "response",
    "server",
    "tracing",
    "user_agent",
    "worker",
]
