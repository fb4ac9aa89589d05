"""Releases of the watched systems. A release of ours that knows nothing of it leaves this table alone."""

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "deploys",
        Column("id", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("body", Text, nullable=False),
        PrimaryKeyConstraint("id", name="pk_deploys"),
    )
    op.create_index("ix_deploys_at", "deploys", ["at"])
