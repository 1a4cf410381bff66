"""Alembic's environment: run the missing migrations in the transaction of the given connection."""

from alembic import context

from shim.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
