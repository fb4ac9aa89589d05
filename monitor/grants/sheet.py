"""What `monitor grants` prints: everything that must be allowed to us outside, by where it is given. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.grants.databases import databases
from monitor.grants.servers import users

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from monitor.channels.base import Channel
    from monitor.permission import Permission
    from monitor.plan import Plan

NOTHING = "Nothing needs to be allowed: all that is watched is open."


def sheet(plans: Iterable[Plan], channels: Mapping[str, Channel]) -> list[str]:
    """Return the lines: SQL for each database, then rights of keys and users, then what channels need."""
    every = list(plans)
    blocks = [*_database_blocks(every), *_server_blocks(every), *_blocks(_asked(every, channels))]
    return [line for block in blocks for line in (*block, "")][:-1] or [NOTHING]


def _database_blocks(plans: Iterable[Plan]) -> Iterator[list[str]]:
    for one in databases(plans):
        yield [f"# {one.title}: run this there as its owner", *one.lines()]


def _server_blocks(plans: Iterable[Plan]) -> Iterator[list[str]]:
    for one in users(plans):
        note = ["# Redis 6 writes ~ in place of %R~"] if one.keys else []
        yield [f"# {one.title}", *note, _for(one.checks), one.line]


def _asked(plans: Iterable[Plan], channels: Mapping[str, Channel]) -> Iterator[tuple[Permission, str]]:
    """Yield each permission with who needs it."""
    for plan in plans:
        yield from ((permission, str(plan.id)) for permission in plan.check.permissions())
    for name, channel in channels.items():
        yield from ((permission, f"the channel {name}") for permission in channel.permissions())


def _blocks(asked: Iterable[tuple[Permission, str]]) -> Iterator[list[str]]:
    """Yield a block for each place, with each permission there once."""
    places: dict[str, dict[Permission, list[str]]] = {}
    for permission, who in asked:
        whose = places.setdefault(permission.at, {}).setdefault(permission, [])
        if who not in whose:
            whose.append(who)
    for place, permissions in places.items():
        yield [f"# {place}", *(line for permission, whose in permissions.items() for line in _lines(permission, whose))]


def _lines(permission: Permission, whose: Iterable[str]) -> list[str]:
    return [_for(whose, permission.note), permission.text]


def _for(whose: Iterable[str], note: str = "") -> str:
    return f"# for {', '.join(whose)}" + (f"; {note}" if note else "")
