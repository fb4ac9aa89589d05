"""Tells whether what stands at a path is a store of ours, without changing a byte of it or beside it.

SQLite itself would write: it makes `-wal` and `-shm` files, repeats a log that is not ours, and takes an empty file for
its own. So the header is read as bytes first, and what is inside only through a connection that cannot write.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote

from monitor.store import schema
from monitor.store.base import StoreUnavailable, StoreUnusable
from monitor.store.migrations import OLDEST_LEADER_QUERY, VERSION_QUERY, may_lead

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION_ID = 0x52424D4E
"""`RBMN`, in the header of every file of ours."""

MAGIC = b"SQLite format 3\0"
_HEADER = 100
_ID_AT = slice(68, 72)
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def recognise(path: Path, *, reading: bool = False) -> bool:
    """Return whether there is a store of ours at `path`; False: nothing yet, and one can be made there.

    Whoever is only `reading` needs no right to write.

    Raises `StoreUnusable` for anything else, and `StoreUnavailable` when another process keeps it locked.
    """
    try:
        header = _header(path, "read" if reading else "read and written", 0 if reading else os.W_OK)
    except OSError as error:
        msg = f"{path}: {error.strerror}"
        raise StoreUnusable(msg) from error
    if not header:
        return False
    if not header.startswith(MAGIC):
        _refuse(path, "is not an SQLite database")
    if header[_ID_AT] != APPLICATION_ID.to_bytes(4, "big"):
        _refuse(path, "is an SQLite database, but not one of this program")
    if path.with_name(f"{path.name}-journal").exists():
        return False  # It was ended while it was made: only then is there a journal of this kind.
    _look_inside(path)
    return True


def _header(path: Path, done: str, right: int) -> bytes:
    """Return the first bytes of the file, none when it is empty or is not there; raises OSError if it is no use.

    What is to be `done` with it needs the `right` besides that to read.
    """
    folder = path.parent
    if right and not os.access(folder, right | os.X_OK):
        _refuse(folder, "is not a folder that this process may write in")
    if not path.exists():
        return b""
    if not stat.S_ISREG(path.stat().st_mode):
        _refuse(path, "is not a regular file")
    if not os.access(path, os.R_OK | right):
        _refuse(path, f"may not be {done} by this process")
    with path.open("rb") as file:
        return file.read(_HEADER)


def _look_inside(path: Path) -> None:
    """Raise `StoreUnusable` when the file is damaged where every use begins, or is of a newer release."""
    log, shared = (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))
    pending = log.exists() and log.stat().st_size > 0
    if pending and not shared.exists():
        return  # The log alone cannot be read without writing; SQLite sees to it when the store is opened.
    how = "readonly_shm=1" if pending else "immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&{how}", uri=True)) as connection:
            _check(connection)
    except sqlite3.Error as error:
        if error.sqlite_errorcode in _BUSY:
            msg = f"{path} is locked by another process"
            raise StoreUnavailable(msg) from error
        _refuse(path, f"is damaged: {error}")
    except (ValueError, TypeError):
        _refuse(path, "is damaged: its version cannot be read")


def _check(connection: sqlite3.Connection) -> None:
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" not in names:
        return  # Made, but ended before its first migration.
    for (version,) in connection.execute(VERSION_QUERY).fetchall():
        may_lead(int(version), *connection.execute(OLDEST_LEADER_QUERY).fetchone())
    for name in sorted(names.intersection(schema.metadata.tables)):
        connection.execute(f'SELECT * FROM "{name}" LIMIT 1').fetchall()  # noqa: S608 - a name of our own


def _refuse(path: Path, why: str) -> NoReturn:
    msg = f"{path} {why}; it was left as it is"
    raise StoreUnusable(msg)
