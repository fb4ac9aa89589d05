"""Stripe's lists: newest first, in pages, the cursor of the next being the last id of this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from monitor.vendors import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.vendors import Found

T = TypeVar("T")


def page_of(found: Found, read: Callable[[Found], T]) -> Page[T]:
    """Return a page of a list, each of its objects as `read` reads it; raises `Failure` (protocol, unknown)."""
    objects = list(found["data"])
    if not found["has_more"].flag:
        return Page([read(each) for each in objects])
    return Page([read(each) for each in objects], objects[-1]["id"].text if objects else "")
