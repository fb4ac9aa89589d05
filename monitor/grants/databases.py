"""The SQL that lets a role look at a PostgreSQL database as its checks do, and do nothing else. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.grants.tables import DEFAULT_SCHEMA, Table, Unreadable, tables_of
from monitor.probes.database import OWNERS, DatabaseCheck

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.databases import Address
    from monitor.model import CheckId
    from monitor.permission import Reads
    from monitor.plan import Plan

ROLE = "monitor"
"""What the role is called where the address does not say."""
UNSET = "placeholder.invalid"
"""The host of an address that is not set: each system then has a database of its own, as far as anybody can tell."""
CONNECTIONS = 3
"""One for each address, one for a command beside the daemon, one for a daemon that takes over."""
PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
WORDS = """
all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
returning right select session_user similar some symmetric system_user table tablesample then to trailing true
union unique user using variadic verbose when where window with
"""
RESERVED = frozenset(WORDS.split())
"""Words that PostgreSQL takes for names only in quotes (its documentation, appendix C)."""
NAMELESS = Table("placeholder", "invalid")
"""A table whose name is a variable that is not set."""
POOLER = ".pooler.supabase.com"
"""Where a role is written `role.project`."""


@dataclass(slots=True)
class Database:
    """A database and the role that looks at it.

    `needs` are statements with the checks that need them, `schemas` what must be open to find something there, `tables`
    what is read of each.
    """

    title: str
    name: str
    role: str
    needs: dict[str, list[str]] = field(default_factory=dict)
    schemas: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[Table, list[tuple[frozenset[str], str]]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)

    def add(self, check: DatabaseCheck, called: str) -> None:
        """Note what `check`, which is `called` so, needs."""
        if self.name:
            self._need(f"GRANT CONNECT ON DATABASE {quoted(self.name)} TO {quoted(self.role)};", called)
        for reads in check.reads():
            if reads.role:
                self._need(f"GRANT {reads.role} TO {quoted(self.role)};", called)
            if reads.extension:
                self._need(f"CREATE EXTENSION IF NOT EXISTS {reads.extension} SCHEMA {DEFAULT_SCHEMA};", called)
                self.schemas.setdefault(DEFAULT_SCHEMA, []).append(called)
            for table, columns in self._tables(reads, called).items():
                self.tables.setdefault(table, []).append((columns, called))
                self.schemas.setdefault(table.schema, []).append(called)

    def lines(self) -> Iterator[str]:
        """Yield what an owner of the database runs there, each line with the checks that need it."""
        yield from (f"-- {doubt}" for doubt in self.doubts)
        yield f"CREATE ROLE {quoted(self.role)} LOGIN PASSWORD '…' CONNECTION LIMIT {CONNECTIONS};"
        usage = "GRANT USAGE ON SCHEMA {} TO {};"
        used = {usage.format(quoted(name), quoted(self.role)): checks for name, checks in self.schemas.items()}
        for statement, checks in {**self.needs, **used, **dict(self._selects())}.items():
            yield f"{statement} -- {', '.join(dict.fromkeys(checks))}"

    def _selects(self) -> Iterator[tuple[str, list[str]]]:
        """Yield what lets each table be read: by the columns that its checks read together, or all of it."""
        for table, read in self.tables.items():
            columns = sorted(frozenset[str]().union(*(some for some, _ in read))) if all(s for s, _ in read) else []
            which = f" ({', '.join(map(quoted, columns))})" if columns else ""
            yield f"GRANT SELECT{which} ON {quoted(*table)} TO {quoted(self.role)};", [called for _, called in read]

    def _need(self, statement: str, called: str) -> None:
        self.needs.setdefault(statement, []).append(called)

    def _tables(self, reads: Reads, called: str) -> dict[Table, frozenset[str]]:
        """Return what is read, as far as that can be told."""
        if reads.table:
            schema, _, name = reads.table.rpartition(".")
            return {Table(schema or DEFAULT_SCHEMA, name): frozenset(reads.columns)}
        try:
            found = tables_of(reads.query) if reads.query else {}
        except Unreadable as error:
            self.doubts.append(f"{called}: its query is not understood ({error}); grant what it reads besides")
            return {}
        if found.pop(NAMELESS, None) is not None:
            self.doubts.append(f"{called}: the variable that names what it reads is not set")
        return found


def databases(plans: Iterable[Plan]) -> list[Database]:
    """Return every database that checks look at, in the order of the file."""
    found: dict[tuple[str, str, str], Database] = {}
    for plan in plans:
        if isinstance(plan.check, DatabaseCheck) and plan.check.host:
            database = _database(plan.check.address, plan.id)
            known = found.setdefault((database.title, database.name, database.role), database)
            known.add(plan.check, str(plan.id))
    return list(found.values())


def quoted(*parts: str) -> str:
    """Return a name as SQL writes it, with quotes where it needs them."""
    return ".".join(map(_quoted, parts))


def _quoted(part: str) -> str:
    plain = PLAIN.fullmatch(part) and part not in RESERVED
    return part if plain else '"{}"'.format(part.replace('"', '""'))


def _database(address: Address, check: CheckId) -> Database:
    """Return a database of which nothing is known yet; an owner should not be who looks, so a role is made for that."""
    user = str(address.options.get("user", ROLE))
    user = user.partition(".")[0] if address.host.endswith(POOLER) else user
    role = ROLE if user in OWNERS else user
    if address.host == UNSET:
        return Database(f"a PostgreSQL database of {check.system}, whose address is not set", "", role)
    doubts = [] if user == role else [f"it connects as {user}, who may do more than look: connect as {role}"]
    return Database(address.shown, str(address.options["database"]), role, doubts=doubts)
