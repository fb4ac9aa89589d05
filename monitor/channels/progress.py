"""What of a delivery its peer has taken already: for peers that take alerts or recipients one by one.

A send that stops half-way is repeated as a whole. Of that repetition only what is missing must leave: a peer that
limits its callers would otherwise never get to the end of it, and a phone would ring twice. Lost at a restart, when all
of it is sent again under the same ids.
"""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from monitor.channels.base import Delivered, Rejected, Retry
from monitor.model import Failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from monitor.channels.base import SendResult

MOST_AT_ONCE = 8
MOST_REMEMBERED = 2_000

Item = TypeVar("Item")


class Progress:
    """Which parts were taken, by their ids, and where they stand since, until all that belongs to them was."""

    def __init__(self) -> None:
        self._taken: dict[str, Mapping[str, str]] = {}

    async def each(self, parts: Mapping[str, Item], send: Callable[[Item], Awaitable[SendResult]]) -> SendResult:
        """Send those of `parts` (by id) that were not taken yet, a few at a time, and return how it ended in all.

        The first that may be tried again later ends it, since the others would fare no better; one that is rejected
        does not. What was delivered in the end names what each part posted, also those that were taken before.
        """
        results: list[SendResult] = []
        left = iter(self.left(parts).items())
        async with asyncio.TaskGroup() as group:
            for _ in range(MOST_AT_ONCE):
                group.create_task(self._work(left, send, results))
        return self.ended(parts, results)

    def left(self, parts: Mapping[str, Item]) -> dict[str, Item]:
        """Return those of `parts` that were not taken yet."""
        return {identity: part for identity, part in parts.items() if identity not in self._taken}

    def took(self, identity: str, posted: Mapping[str, str] = MappingProxyType({})) -> None:
        """Remember that the peer took the part `identity`, and where that stands."""
        self._taken[identity] = posted

    def ended(self, parts: Iterable[str], results: Iterable[SendResult]) -> SendResult:
        """Return how the sending of `parts` ended in all, and forget them if all were taken."""
        result = _worst(results)
        if isinstance(result, Delivered):
            result = Delivered({incident: at for part in parts for incident, at in self._taken.get(part, {}).items()})
            self._forget(parts)
        return result

    async def _work(
        self,
        left: Iterator[tuple[str, Item]],
        send: Callable[[Item], Awaitable[SendResult]],
        results: list[SendResult],
    ) -> None:
        for identity, part in left:
            result = await _sent(send, part)
            results.append(result)
            if isinstance(result, Delivered):
                self.took(identity, result.posted)
            if any(isinstance(one, Retry) for one in results):
                return

    def _forget(self, identities: Iterable[str]) -> None:
        for identity in identities:
            self._taken.pop(identity, None)
        # What was rejected together and given up is never asked for again.
        for identity in list(self._taken)[:-MOST_REMEMBERED]:
            del self._taken[identity]


async def _sent(send: Callable[[Item], Awaitable[SendResult]], part: Item) -> SendResult:
    """Send one part; a failure of transport is a result, so that no other part is cut off half-way."""
    try:
        return await send(part)
    except Failure as failure:
        return Retry(failure.detail)


def _worst(results: Iterable[SendResult]) -> SendResult:
    """Return the result that decides: one to be tried again, else one that never will be taken, else success."""
    weights = {Retry: 2, Rejected: 1, Delivered: 0}
    return max(results, key=lambda result: weights[type(result)], default=Delivered())
