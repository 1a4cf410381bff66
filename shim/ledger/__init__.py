"""Calls per caller: workers append each call to a journal, and one process beside them adds the journal to a database.

From the database come the summary that the status page and the commands show, and the callers that were marked as
migrated.
"""

# Modules, not their contents: workers import this package, and must not load SQLAlchemy (store, schema, writer).
__all__ = [
    "aggregate",
    "backlog",
    "burndown",
    "journal",
    "listing",
    "schema",
    "store",
    "summary",
    "supervisor",
    "writer",
]
