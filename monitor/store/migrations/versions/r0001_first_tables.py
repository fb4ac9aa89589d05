"""The first tables. A migration stands as it was released: it does not follow `schema`, which moves on."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    column,
    table,
)

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    facts()
    op.create_table(
        "checks",
        Column("id", Integer, nullable=False),
        Column("system", Text, nullable=False),
        Column("name", Text, nullable=False),
        PrimaryKeyConstraint("id", name="pk_checks"),
        UniqueConstraint("system", "name", name="uq_checks_system"),
    )
    measured()
    remembered()
    outbox()


def facts() -> None:
    """Make the table of single numbers, with each at its first value."""
    op.create_table(
        "facts",
        Column("name", Text, nullable=False),
        Column("value", BigInteger, nullable=False),
        PrimaryKeyConstraint("name", name="pk_facts"),
    )
    first = {"oldest_leader": 1, "rolled_to": 0, "samples_from": 0}
    rows = [{"name": name, "value": value} for name, value in first.items()]
    op.bulk_insert(table("facts", column("name", Text), column("value", BigInteger)), rows)


def measured() -> None:
    """Make the tables of samples and of what they add up to."""
    op.create_table(
        "samples",
        Column("at", BigInteger, nullable=False),
        Column("check_id", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("reason", Text),
        Column("detail", Text),
        Column("took", BigInteger, nullable=False),
        Column("layout", BigInteger),
        Column("figures", LargeBinary),
        PrimaryKeyConstraint("at", "check_id", name="pk_samples"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "layouts",
        Column("id", BigInteger, nullable=False),
        Column("day", Integer, nullable=False),
        Column("body", Text, nullable=False),
        PrimaryKeyConstraint("id", name="pk_layouts"),
    )
    op.create_index("ix_layouts_day", "layouts", ["day"])
    op.create_table(
        "hours",
        Column("check_id", Integer, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("up", Integer, nullable=False),
        Column("down", Integer, nullable=False),
        Column("unknown", Integer, nullable=False),
        Column("measures", Text, nullable=False),
        PrimaryKeyConstraint("check_id", "at", name="pk_hours"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_hours_at", "hours", ["at"])
    op.create_table(
        "late",
        Column("check_id", Integer, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("writes", Integer, nullable=False),
        PrimaryKeyConstraint("check_id", "at", name="pk_late"),
        sqlite_with_rowid=False,
    )


def remembered() -> None:
    """Make the tables of alerts and of their journal."""
    op.create_table(
        "alerts",
        Column("fingerprint", Text, nullable=False),
        Column("body", Text, nullable=False),
        PrimaryKeyConstraint("fingerprint", name="pk_alerts"),
    )
    op.create_table(
        "events",
        Column("number", Integer, nullable=False),
        Column("id", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("fingerprint", Text, nullable=False),
        Column("body", Text, nullable=False),
        PrimaryKeyConstraint("number", name="pk_events"),
        UniqueConstraint("id", name="uq_events_id"),
    )
    op.create_index("ix_events_at", "events", ["at"])
    op.create_index("ix_events_fingerprint", "events", ["fingerprint", "at"])


def outbox() -> None:
    """Make the tables of what is owed and of each attempt to deliver it."""
    op.create_table(
        "notifications",
        Column("number", Integer, nullable=False),
        Column("id", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("channel", Text, nullable=False),
        Column("settled_at", BigInteger),
        Column("result", Text),
        Column("body", Text, nullable=False),
        PrimaryKeyConstraint("number", name="pk_notifications"),
        UniqueConstraint("id", name="uq_notifications_id"),
    )
    op.create_index("ix_notifications_settled_at", "notifications", ["settled_at"])
    op.create_table(
        "attempts",
        Column("number", Integer, nullable=False),
        Column("notification", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("result", Text, nullable=False),
        Column("delivery", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("due", BigInteger),
        PrimaryKeyConstraint("number", name="pk_attempts"),
        UniqueConstraint("notification", "at", "result", name="uq_attempts_notification"),
    )
    op.create_index("ix_attempts_at", "attempts", ["at"])
