"""A console such as PgBouncer's, for what no PgBouncer that is at hand would say: other versions, faults, hostility."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from tests.peers import Talk

TLS_REQUEST = 80_877_103
READY = b"Z\0\0\0\x05I"

Table = Sequence[Mapping[str, str | None]]

POOL = {"database": "shop", "user": "web", "cl_active": "1", "cl_waiting": "0", "maxwait": "0", "maxwait_us": "0"}
DATABASE = {"name": "shop", "pool_size": "20", "reserve_pool_size": "5", "paused": "0", "disabled": "0"}
WELL: dict[str, Table | bytes] = {
    "SHOW POOLS": [POOL],
    "SHOW DATABASES": [DATABASE],
    "SHOW STATS": [{"database": "shop", "avg_query_time": "1500"}],
    "SHOW LISTS": [{"list": "used_clients", "items": "11"}],
    "SHOW CONFIG": [{"key": "max_client_conn", "value": "100"}],
}


def message(kind: bytes, body: bytes) -> bytes:
    """Return a message of PostgreSQL's protocol."""
    return kind + struct.pack("!I", len(body) + 4) + body


def error(text: str, code: str = "08P01", severity: str = "ERROR") -> bytes:
    """Return an ErrorResponse."""
    fields = (("S", severity), ("V", severity), ("C", code), ("M", text))
    return message(b"E", b"".join(f"{name}{value}\0".encode() for name, value in fields) + b"\0")


def rows(table: Table) -> bytes:
    """Return a table as an answer, without its end; the first row has the columns of all."""
    names = list(table[0]) if table else ["nothing"]
    columns = b"".join(name.encode() + struct.pack("!xIHIhih", 0, 0, 25, -1, -1, 0) for name in names)
    head = message(b"T", struct.pack("!H", len(names)) + columns)
    return head + b"".join(_row(row.get(name) for name in names) for row in table)


def _row(values: Iterable[str | None]) -> bytes:
    cells = [struct.pack("!i", -1) if value is None else _counted(value.encode()) for value in values]
    return message(b"D", struct.pack("!H", len(cells)) + b"".join(cells))


def _counted(value: bytes) -> bytes:
    return struct.pack("!i", len(value)) + value


LET_IN = message(b"R", bytes(4))


def console(
    answers: Mapping[str, Table | bytes] | None = None, greeting: bytes = LET_IN, *, hangs_up: bool = False
) -> Talk:
    """Answer each command with a table, or with bytes as they are, and refuse what is not in `answers`.

    `greeting` comes instead of a login. After bytes, one that `hangs_up` does.
    """
    known = WELL if answers is None else answers

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size, protocol = struct.unpack("!II", await reader.readexactly(8))
        if protocol == TLS_REQUEST:
            writer.write(b"N")
            size, _ = struct.unpack("!II", await reader.readexactly(8))
        await reader.readexactly(size - 8)
        writer.write(greeting + READY)
        while (kind := await reader.read(1)) == b"Q":
            (size,) = struct.unpack("!I", await reader.readexactly(4))
            command = (await reader.readexactly(size - 4)).rstrip(b"\0").decode()
            answer = known.get(command, error(f"invalid command '{command}', use SHOW HELP;") + READY)
            writer.write(answer if isinstance(answer, bytes) else rows(answer) + message(b"C", b"SHOW\0") + READY)
            if hangs_up and answer is known.get(command) and isinstance(answer, bytes):
                writer.close()
                return
        assert kind in {b"X", b""}, kind

    return talk
