"""Lists that come in pages: read to their end or to a bound, and never in circles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from monitor.model import Failure, Reason, State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list, and the cursor of the next one; None: it is the last."""

    items: Sequence[T]
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Pages(Generic[T]):
    """What was read of a list. `whole`: it was read to its end."""

    items: Sequence[T]
    whole: bool


async def read_pages(
    ask: Callable[[str | None], Awaitable[Page[T]]], most: int, enough: Callable[[], bool]
) -> Pages[T]:
    """Read the pages that `ask` gives for a cursor (None: the first): at most so many, and no further once `enough()`.

    Raises `Failure` (protocol, unknown) when a cursor comes twice, or an empty page is not the last.
    """
    items: list[T] = []
    cursors: set[str] = set()
    cursor: str | None = None
    for _ in range(most):
        page = await ask(cursor)
        items += page.items
        cursor = page.after
        if cursor is None:
            return Pages(items, whole=True)
        if cursor in cursors or not page.items:
            got = "the same page again" if page.items else "an empty page that is not the last"
            raise Failure(Reason.PROTOCOL, f"expected a list that ends, got {got}", State.UNKNOWN)
        cursors.add(cursor)
        if enough():
            break
    return Pages(items, whole=False)
