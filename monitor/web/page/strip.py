"""The last 24 hours in one small picture: a bar an hour, the worse the higher; and the same in words. Pure."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.view import Cell

HOUR = timedelta(hours=1)
HEIGHTS = {"critical": 20, "down": 18, "warning": 15, "info": 12, "unknown": 12, "up": 9, "none": 2}
"""How high a bar is: what it says does not hang on its colour."""
WORDS = {"none": "not looked at", "down": "down without an alert"}
TALL, WIDE = 20, 4
MOST_SPELLS = 3
PICTURE = Markup('<svg class="{}" viewBox="0 0 {} {}" role="img"><title>{}</title>{}</svg>')
PATH = Markup('<path class="{}" d="{}"/>')


def hour(cell: Cell) -> str:
    """Return how an hour was, as a word of `HEIGHTS`: the worst of it."""
    if cell.worst is not None:
        return str(cell.worst)
    return "down" if cell.down else "unknown" if cell.unknown else "up" if cell.up else "none"


def strip(cells: Sequence[Cell], *, long: bool = False) -> Markup:
    """Return the picture, with its words for whoever does not see it; a long one is as wide as there is space."""
    paths = Markup("").join(PATH.format(kind, path) for kind, path in _paths([*map(hour, cells)]))
    kind = Markup('strip long" preserveAspectRatio="none') if long else "strip"
    return PICTURE.format(kind, WIDE * len(cells), TALL, in_words(cells), paths)


def in_words(cells: Sequence[Cell]) -> str:
    """Return the same as text: what was not up, and when, in UTC."""
    if not cells:
        return "nothing is known yet"
    spells = [(kind, [*those]) for kind, those in groupby(cells, key=hour)]
    seen = [(kind, those) for kind, those in spells if kind not in {"up", "none"}]
    seldom = sum(len(those) for kind, those in spells if kind == "none")
    parts = [f"{WORDS.get(kind, kind)} {_when(those)}" for kind, those in seen[-MOST_SPELLS:]]
    parts += [f"and {len(seen) - MOST_SPELLS} more before"] if len(seen) > MOST_SPELLS else []
    if not seen and seldom < len(cells):
        parts.append("up")
    parts += [f"not looked at in {seldom} of {len(cells)} hours"] if seldom else []
    return f"Last {len(cells)} hours: {', '.join(parts)}"


def _when(cells: Sequence[Cell]) -> str:
    return f"{cells[0].at:%H:%M}–{cells[-1].at + HOUR:%H:%M}"


def _paths(kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the bars of each kind as one path."""
    for kind in dict.fromkeys(kinds):
        bars = (
            f"M{WIDE * place + WIDE // 2} {TALL}v-{HEIGHTS[kind]}" for place, one in enumerate(kinds) if one == kind
        )
        yield kind, "".join(bars)
