"""A badge as SVG: what it is about, and how that stands. Pure.

It loads nothing and runs nothing. The text is stretched to the width that was reckoned, so that it fits whatever font
there is. Whoever sees no picture is read its title; each colour is told apart from white by at least 4.5 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from monitor.plain import plain
from monitor.view import Condition

if TYPE_CHECKING:
    from monitor.uptime import Uptime

LONGEST_LABEL = 60
HEIGHT, MARGIN = 20, 6
SIZE = 11
"""Of the letters, in pixels."""
NARROW, WIDE = "fijlrtI.,:;'!|()[] -/", "mwMWQO@%&"
WIDTHS = {**dict.fromkeys(NARROW, 4.2), **dict.fromkeys(WIDE, 10.4)}
"""Of letters of Verdana at that size, in pixels, as near as a badge needs."""
CAPITAL, LETTER, BROAD = 8.0, 6.9, 11.5
FIRST_BROAD = "\u1100"
"""From here on letters are as broad as they are high: Hangul, Chinese, Japanese, symbols."""
GREEN, AMBER, RED, GREY, DARK = "#2b7a1f", "#a05a00", "#c0262d", "#5f6670", "#3d4248"
COLOURS = {
    Condition.CRITICAL: RED,
    Condition.WARNING: AMBER,
    Condition.INFO: AMBER,
    Condition.FAILING: AMBER,
    Condition.UP: GREEN,
}
"""What is not named here is grey: it says neither yes nor no."""
GOOD, FAIR = 0.999, 0.99


@dataclass(frozen=True, slots=True)
class Badge:
    """What a badge says: of what, how that stands, in which colour."""

    label: str
    says: str
    colour: str


def of_condition(label: str, condition: Condition) -> Badge:
    """Return the badge of how something stands."""
    return Badge(label, condition.value, COLOURS.get(condition, GREY))


def of_uptime(label: str, uptime: Uptime) -> Badge:
    """Return the badge of an uptime."""
    ratio = uptime.ratio
    if ratio is None:
        return Badge(label, str(uptime), GREY)
    return Badge(label, str(uptime), GREEN if ratio >= GOOD else AMBER if ratio >= FAIR else RED)


def draw(badge: Badge) -> str:
    """Return a badge as SVG."""
    label = plain(badge.label, LONGEST_LABEL)
    left, right = width(label) + 2 * MARGIN, width(badge.says) + 2 * MARGIN
    said = f"{label}: {badge.says}"
    whole = left + right
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{HEIGHT}" viewBox="0 0 {whole} {HEIGHT}"'
        f' role="img" aria-label={quoteattr(said)}>'
        f"<title>{escape(said)}</title>"
        f'<rect width="{whole}" height="{HEIGHT}" rx="3" fill="{badge.colour}"/>'
        f'<path d="M3 0H{left}V{HEIGHT}H3A3 3 0 0 1 0 {HEIGHT - 3}V3A3 3 0 0 1 3 0Z" fill="{DARK}"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="{SIZE}" aria-hidden="true">'
        f"{_text(label, MARGIN)}{_text(badge.says, left + MARGIN)}</g></svg>\n"
    )


def width(text: str) -> int:
    """Return how broad a text is, in pixels."""
    return max(round(sum(map(_width, text))), 1)


def _width(sign: str) -> float:
    if sign in WIDTHS:
        return WIDTHS[sign]
    if sign >= FIRST_BROAD:
        return BROAD
    return CAPITAL if sign.isupper() else LETTER


def _text(text: str, at: int) -> str:
    return f'<text x="{at}" y="14" textLength="{width(text)}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
