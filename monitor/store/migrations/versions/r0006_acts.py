"""What people do: acts, silences, where messages stand. A release that knows nothing of them leaves them alone."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "acts",
        Column("id", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("done_at", BigInteger),
        Column("body", Text, nullable=False),
        PrimaryKeyConstraint("id", name="pk_acts"),
    )
    op.create_index("ix_acts_done_at", "acts", ["done_at"])
    op.create_table(
        "silences",
        Column("id", Text, nullable=False),
        Column("since", BigInteger, nullable=False),
        Column("until", BigInteger, nullable=False),
        Column("maintenance", Integer, nullable=False),
        Column("body", Text, nullable=False),
        PrimaryKeyConstraint("id", name="pk_silences"),
    )
    op.create_index("ix_silences_until", "silences", ["until"])
    op.create_table(
        "posts",
        Column("channel", Text, nullable=False),
        Column("incident", Text, nullable=False),
        Column("reference", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        PrimaryKeyConstraint("channel", "incident", name="pk_posts"),
    )
    op.create_index("ix_posts_at", "posts", ["at"])
