"""Who leads. A release that knows nothing of it neither reads nor writes this table."""

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text, column, table

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table, with the one lease there is: nobody holds it yet."""
    op.create_table(
        "leases",
        Column("name", Text, nullable=False),
        Column("holder", Text, nullable=False),
        Column("token", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        PrimaryKeyConstraint("name", name="pk_leases"),
    )
    columns = (
        column("name", Text),
        column("holder", Text),
        column("token", BigInteger),
        column("expires_at", BigInteger),
    )
    first = {"name": "leader", "holder": "", "token": 0, "expires_at": 0}
    op.bulk_insert(table("leases", *columns), [first])
