from __future__ import annotations

import pytest

from monitor.model import Failure, Reason, State
from monitor.vendors import Page, read_pages


class Book:
    """Gives pages of three numbers, as many as it has; `circles`: it comes back to its second page."""

    def __init__(self, pages: int, *, circles: bool = False) -> None:
        self.asked: list[str | None] = []
        self._pages = pages
        self._circles = circles

    async def ask(self, cursor: str | None) -> Page[int]:
        self.asked.append(cursor)
        number = int(cursor or 0)
        following = 1 if self._circles and number == 2 else number + 1
        return Page(range(3 * number, 3 * number + 3), str(following) if number + 1 < self._pages else None)


def never() -> bool:
    return False


async def test_a_list_is_read_to_its_end() -> None:
    book = Book(3)
    found = await read_pages(book.ask, 5, never)
    assert (list(found.items), found.whole) == (list(range(9)), True)
    assert book.asked == [None, "1", "2"]


async def test_a_long_list_is_read_to_the_bound() -> None:
    book = Book(9)
    found = await read_pages(book.ask, 5, never)
    assert (list(found.items), found.whole) == (list(range(15)), False)
    assert len(book.asked) == 5


async def test_reading_stops_when_it_is_enough() -> None:
    book = Book(9)
    found = await read_pages(book.ask, 5, lambda: len(book.asked) == 2)
    assert (list(found.items), found.whole) == (list(range(6)), False)


async def test_what_ends_at_the_bound_is_whole() -> None:
    found = await read_pages(Book(5).ask, 5, lambda: True)
    assert not found.whole
    assert (await read_pages(Book(5).ask, 5, never)).whole


async def test_a_circle_is_noticed() -> None:
    with pytest.raises(Failure, match="the same page again") as caught:
        await read_pages(Book(9, circles=True).ask, 100, never)
    assert (caught.value.reason, caught.value.state) == (Reason.PROTOCOL, State.UNKNOWN)


async def test_an_empty_page_is_the_last() -> None:
    async def ask(_cursor: str | None) -> Page[int]:
        return Page([], "1")

    with pytest.raises(Failure, match="an empty page that is not the last"):
        await read_pages(ask, 5, never)


async def test_an_empty_list_is_whole() -> None:
    async def ask(_cursor: str | None) -> Page[int]:
        return Page([])

    found = await read_pages(ask, 5, never)
    assert (found.items, found.whole) == ([], True)
