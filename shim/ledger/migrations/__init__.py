"""The migrations of the ledger's tables, which Alembic runs."""
