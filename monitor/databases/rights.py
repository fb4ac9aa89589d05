"""What the role that a database is watched with may do there, from the catalogues that every role may read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from monitor.databases.line import Connection

DANGEROUS = ("pg_execute_server_program", "pg_write_server_files", "pg_read_server_files")
"""Roles that reach out of the database into its machine (PostgreSQL's documentation, Predefined Roles)."""

ATTRIBUTES = {
    "owns": "owns the database",
    "rolcreaterole": "may create roles",
    "rolcreatedb": "may create databases",
    "rolreplication": "may replicate",
    "rolbypassrls": "passes row security",
}

ROLE = """
SELECT r.rolname::text AS role, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication, r.rolbypassrls,
       pg_has_role(d.datdba, 'USAGE') AS owns,
       (SELECT coalesce(string_agg(p.rolname, ', ' ORDER BY p.rolname), '') FROM pg_roles p
         WHERE p.rolname = ANY ($1::text[]) AND pg_has_role(p.oid, 'USAGE')) AS dangerous
  FROM pg_roles r, pg_database d
 WHERE r.rolname = current_user AND d.datname = current_database()
"""
TABLES = r"""
SELECT count(*) AS tables, min(n.nspname || '.' || c.relname) AS example
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
   AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
"""


class Rights(NamedTuple):
    """The name of our role, and what it may do besides looking, in words."""

    role: str
    beyond: tuple[str, ...]


async def read_rights(connection: Connection) -> Rights:
    """Return what our role may do; of a superuser just that."""
    role = await connection.fetchrow(ROLE, DANGEROUS)
    if role["rolsuper"]:
        return Rights(role["role"], ("is a superuser",))
    tables = await connection.fetchrow(TABLES)
    beyond = [words for column, words in ATTRIBUTES.items() if role[column]]
    if role["dangerous"]:
        beyond.append(f"has the rights of {role['dangerous']}")
    if tables["tables"]:
        others = f" and {tables['tables'] - 1:,} more" if tables["tables"] > 1 else ""
        beyond.append(f"may write {tables['example']}{others}")
    return Rights(role["role"], tuple(beyond))
