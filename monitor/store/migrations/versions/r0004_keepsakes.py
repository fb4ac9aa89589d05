"""What checks must remember beyond a process. A release that knows nothing of it leaves this table alone."""

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, Text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "keepsakes",
        Column("system", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("body", Text, nullable=False),
        PrimaryKeyConstraint("system", "name", "topic", name="pk_keepsakes"),
    )
