"""The tables, once for every database.

Only types that SQLite and PostgreSQL share. A moment is the microseconds since 1970 in UTC, a length of time its
microseconds: exact, short, and sorted as time is. What only we read stands as JSON in `body`, made and read in `rows`.

The file's size and the work of a commit are decided by `samples`. Their key begins with the moment, so that a commit
appends to the end of one tree. An order by check, or an index for it, touches a page of 4 KiB per sample: 24 to 46 µs
instead of 10 (measured, 67 samples of 1,000 checks a commit). The price is that reading one check reads them all, which
the 1 GB that raw samples may take keeps bearable. PostgreSQL, where rows stand apart from their keys, has an index by
check as well.

A column or table is added, changed or dropped only together with a migration, see `migrations`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

CURRENT = 6
"""The number of the newest migration: the schema that this release was made for."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Single numbers. `oldest_leader`: the oldest release, by its schema, that may lead on this one. `rolled_to`: the hours
before this moment are in `hours`. `samples_from`: samples before this moment were deleted."""

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
"""One row, `leader`. `token` grows with every claim; `expires_at` is judged by the database's clock. See `lease`."""

checks = Table(
    "checks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("system", Text, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("system", "name"),
)

samples = Table(
    "samples",
    metadata,
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("check_id", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("detail", Text),
    Column("took", BigInteger, nullable=False),
    Column("layout", BigInteger),
    Column("figures", LargeBinary),
    sqlite_with_rowid=False,
)
"""`figures` are the values of the measures, 8 bytes each; their names and labels are in `layouts`."""

Index(None, samples.c.check_id, samples.c.at).ddl_if(dialect="postgresql")

layouts = Table(
    "layouts",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, nullable=False, index=True),
    Column("body", Text, nullable=False),
)
"""Which measures a sample has, once a day for all samples that have the same: it goes with the samples of its day."""

hours = Table(
    "hours",
    metadata,
    Column("check_id", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, primary_key=True, autoincrement=False, index=True),
    Column("up", Integer, nullable=False),
    Column("down", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("measures", Text, nullable=False),
    sqlite_with_rowid=False,
)

late = Table(
    "late",
    metadata,
    Column("check_id", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("writes", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""Hours that got a sample after they were rolled up, and how often."""

alerts = Table(
    "alerts",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("at", BigInteger, nullable=False, index=True),
    Column("fingerprint", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_events_fingerprint", "fingerprint", "at"),
)
"""The journal. `number` is the order of writing."""

notifications = Table(
    "notifications",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("settled_at", BigInteger, index=True),
    Column("result", Text),
    Column("body", Text, nullable=False),
)
"""The outbox. A notification is owed until `settled_at`."""

attempts = Table(
    "attempts",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("notification", Text, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("result", Text, nullable=False),
    Column("delivery", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("due", BigInteger),
    UniqueConstraint("notification", "at", "result"),
)
"""No foreign key: an attempt may outlive its notification, and must never keep a whole change from being written."""

keepsakes = Table(
    "keepsakes",
    metadata,
    Column("system", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("body", Text, nullable=False),
)
"""What a check must not forget, such as what it has to remove again. The check's own name stands here, since it may be
noted before the check has its first sample."""

deploys = Table(
    "deploys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
    Column("body", Text, nullable=False),
)
"""Releases of the watched systems."""

acts = Table(
    "acts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("done_at", BigInteger, index=True),
    Column("body", Text, nullable=False),
)
"""What people asked for, also by a process that does not lead. `done_at`: nothing while nobody has carried it out, 0
once somebody has, and from the next tidying on the moment of that. It stays for a while, so that an act that is asked
for again is known to be done."""

silences = Table(
    "silences",
    metadata,
    Column("id", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False, index=True),
    Column("maintenance", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
"""`maintenance` is 1 for those during which no run counts in `hours`, else 0."""

posts = Table(
    "posts",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("incident", Text, primary_key=True),
    Column("reference", Text, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)
"""Where the message about an incident stands in a channel that can change it."""
