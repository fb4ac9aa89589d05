"""A connection to the store's SQLite file, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy import exc

if TYPE_CHECKING:
    from pathlib import Path

MAY_PASS = frozenset({
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
})  # fmt: skip
KEEPS_CONNECTION = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL})
"""After these the next transaction may well succeed on the same connection."""


class FileGone(sqlite3.OperationalError):
    """The file was deleted or replaced: what is committed goes where nobody will find it."""


class OwnFile(sqlite3.Connection):
    """A connection whose commits count only while its file stands under its name.

    A file that was deleted can still be written to by whoever has it open; nobody would notice before the next start.
    """

    watched: tuple[Path, os.stat_result]

    def commit(self) -> None:
        """Commit; raises `FileGone` when the file is not under its name any more."""
        super().commit()
        self.verify()

    def verify(self) -> None:
        """Raise `FileGone` unless the file is where it was."""
        path, known = self.watched
        try:
            same = os.path.samestat(path.stat(), known)
        except OSError:
            same = False
        if not same:
            msg = f"{path} was deleted or replaced; start the daemon again to begin with what is there"
            raise FileGone(msg)


def cause(error: BaseException) -> BaseException | None:
    """Return what the driver raised, without what SQLAlchemy put around it."""
    return error.orig if isinstance(error, exc.DBAPIError) else error


def code(error: BaseException | None) -> int:
    """Return SQLite's primary result code, 0 for what is no error of SQLite's."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def may_pass(error: BaseException | None) -> bool:
    """Return whether an error means that the file cannot be used now; otherwise it is a bug of ours."""
    return isinstance(error, FileGone) or code(error) in MAY_PASS
