"""On PostgreSQL, an index for the samples of one check, and vacuuming that keeps up with what is deleted.

It is made together with the first tables, so nothing waits for it: no release before had its store on PostgreSQL.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make it."""
    if op.get_context().dialect.name == "postgresql":
        op.create_index("ix_samples_check_id", "samples", ["check_id", "at"])
        op.execute("ALTER TABLE samples SET (autovacuum_vacuum_scale_factor = 0.05)")
