"""Circles among names that refer to each other: checks that need each other, channels that fall back to each other."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def circles(edges: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield each circle that `edges` form, in their direction, from the name that stands first in `edges`."""
    order = {name: index for index, name in enumerate(edges)}
    left = {name: [target for target in targets if target in edges] for name, targets in edges.items()}
    while circle := _circle(left):
        first = circle.index(min(circle, key=order.__getitem__))
        yield circle[first:] + circle[:first]
        left.update({name: [] for name in circle})


def _circle(edges: Mapping[str, Sequence[str]]) -> list[str]:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        # The sorter takes edges the other way round, and names the first of the circle again at its end.
        backwards: list[str] = error.args[1]
        return backwards[:0:-1]
    return []
