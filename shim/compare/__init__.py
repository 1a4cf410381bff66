"""The old service against the new one: the legacy client, comparisons, and shadow comparisons of live calls.

A comparison is told without a value of a score record.
"""

__all__ = [
    "comparison",
    "legacy",
    "services",
    "shadow",
]
