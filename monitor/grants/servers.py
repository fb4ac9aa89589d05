"""The users of Redis servers that may look as the checks do, and do nothing else. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.grants.databases import ROLE, UNSET
from monitor.probes.keyvalue import KeyValueCheck

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.permission import Asks
    from monitor.plan import Plan

EVERYBODY = frozenset({"", "default"})
"""The user of an address that names none: one who may do everything, unless somebody has seen to it."""
UNNAMED = "the-queue"
"""What stands for a queue whose name is a variable that is not set."""


@dataclass(slots=True)
class User:
    """A user of a server. Keys and commands are kept in the order in which checks name them."""

    title: str
    name: str
    keys: dict[str, None] = field(default_factory=dict)
    commands: dict[str, None] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)

    def add(self, check: str, asks: Asks) -> None:
        """Let it do what `check` asks for."""
        self.keys |= dict.fromkeys(asks.keys)
        self.commands |= dict.fromkeys(asks.commands)
        self.checks.append(check)

    @property
    def line(self) -> str:
        """Return the command that makes it, which begins from nothing: it may be run again."""
        keys = (f"%R~{UNNAMED if UNSET in key else key}" for key in self.keys)
        commands = (f"+{command}" for command in self.commands)
        words = ("resetkeys", *keys, "resetchannels", "-@all", *commands)
        return f"ACL SETUSER {self.name} on >password {' '.join(words)}"


def users(plans: Iterable[Plan]) -> list[User]:
    """Return every user that checks of Redis servers need, in the order of the file."""
    found: dict[tuple[str, str], User] = {}
    for plan in plans:
        if not isinstance(plan.check, KeyValueCheck):
            continue
        address = plan.check.address
        title = f"a Redis of {plan.id.system}, whose address is not set" if address.host == UNSET else address.shown
        named = (
            address.user not in EVERYBODY and address.password
        )  # a user alone is as often a password without its colon
        name = address.user if named else ROLE
        user = found.setdefault((title, name), User(title, name))
        user.add(str(plan.id), plan.check.asks_for())
        if address.database:
            user.commands["select"] = None
    return list(found.values())
