"""Which of a check's figures is worth a look: the one that fires, else the one nearest to its figure. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from monitor.watch import parse_figure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.view import FigureView


def foremost(figures: Iterable[FigureView]) -> FigureView | None:
    """Return the figure to show of several; None if there is none with a value."""
    known = [one for one in figures if one.value is not None or one.firing is not None]
    return max(known, key=lambda one: (one.firing or 0, not one.implied, nearness(one)), default=None)


def nearness(figure: FigureView) -> float:
    """Return how near a value is to its mildest figure: 1 is at it, 0 far away; for what cannot be told, 0."""
    if figure.value is None or not figure.figures:
        return 0.0
    mildest = min(figure.figures)
    try:
        edge = parse_figure(mildest, figure.figures[mildest], figure.unit)
    except ValueError:
        return 0.0
    low, high = sorted((figure.value, edge.value))
    return low / high if low > 0 and math.isfinite(high) else 0.0


def figure_of(figure: FigureView) -> str:
    """Return the figure that a value is to be held against: that which fires, else the next one, else the target."""
    if figure.firing is not None and figure.firing in figure.figures:
        return f"{figure.firing} {figure.figures[figure.firing]}"
    if figure.figures:
        mildest = min(figure.figures)
        return f"{mildest} {figure.figures[mildest]}"
    return f"target {figure.target}" if figure.target else ""
