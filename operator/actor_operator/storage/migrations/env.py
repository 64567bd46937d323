"""How Alembic runs the steps: on the connection that `migrate` gives, in its transaction."""

from alembic import context

from actor_operator.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=False,  # the transaction is open already, and ends outside
)
context.run_migrations()
