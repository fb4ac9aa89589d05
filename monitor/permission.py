"""What must be allowed to us outside before a check or a channel can do its work. Values; nothing here is secret."""

from __future__ import annotations

from typing import NamedTuple


class Permission(NamedTuple):
    """Something to be given `at` a place, `text` as it is written or clicked there. `note` says what else matters."""

    at: str
    text: str
    note: str = ""


class Reads(NamedTuple):
    """What is read of a PostgreSQL database: one of these.

    `query` is a statement that reads whatever it names; `table`, with or without its schema, is read by `columns`;
    `role` is one to be a member of; `extension` is one that the database must have.
    """

    query: str = ""
    table: str = ""
    columns: tuple[str, ...] = ()
    role: str = ""
    extension: str = ""


class Asks(NamedTuple):
    """What is asked of a Redis server: which keys are read, and by which commands."""

    keys: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
