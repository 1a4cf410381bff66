"""What Alembic runs: the changes that a ledger lacks, in the transaction that it is given."""

from alembic import context

from shim.ledger.store import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
