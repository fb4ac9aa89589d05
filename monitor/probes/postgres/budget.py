"""What the clients of a database may open at the worst, against what it takes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from monitor.fields import Fields
from monitor.probes.base import MeasureSpec
from monitor.units import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

OURS = 1
MEASURES = (
    MeasureSpec("budget", Unit.NUMBER, "the connections that all `clients` and this monitor open at the worst"),
    MeasureSpec("budget_share", Unit.RATIO, "that worst case, of the limit", exceeds=True),
)


class Client(Fields):
    """A program that keeps a pool of connections to the database."""

    name: str
    """What it is called."""
    pool_size: Annotated[int, Field(ge=0)]
    """The connections that a process of it keeps."""
    max_overflow: Annotated[int, Field(ge=0)] = 0
    """The connections that a process opens beyond these when all are in use."""
    processes: Annotated[int, Field(ge=0)] = 1
    """How many processes there are, each with a pool of its own: instances times workers."""

    @property
    def worst(self) -> int:
        """Return the connections that it opens at the worst."""
        return self.processes * (self.pool_size + self.max_overflow)

    def __str__(self) -> str:
        pool = f"({self.pool_size} + {self.max_overflow})" if self.max_overflow else str(self.pool_size)
        return f"{self.name} {self.processes} × {pool}"


def worst_case(clients: Sequence[Client]) -> int:
    """Return the connections that all of them and we open at the worst."""
    return sum(client.worst for client in clients) + OURS


def arithmetic(clients: Sequence[Client], limit: int) -> str:
    """Return the sum in words: `api 2 × (20 + 10) + worker 1 × 5 + monitor 1 = 66, limit 25`."""
    terms = [*map(str, clients), f"monitor {OURS}"]
    return f"{' + '.join(terms)} = {worst_case(clients)}, limit {limit}"
