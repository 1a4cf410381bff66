"""The end of the gateway: what callers are told of it, which REST request replaces each call, and the verdict.

The dates are settings; the verdict on switching the gateway off comes from the ledger's summary.
"""

# Modules, not their contents: a call needs the policy alone, and must not load what renders programs.
__all__ = ["policy", "successor", "template", "verdict"]
