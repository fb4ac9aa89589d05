"""Runs migrations on the connection that `migrate` hands over; Alembic loads this file by its name."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
