"""From the text of a page to the series that are looked for, without holding anybody up.

A page of 5 MB has 50,000 lines, and the official parser takes 20 µs for each: a second in which no other probe would
run. So only lines of the names that are wanted are read, in pieces between which others have their turn. And each
series' name and labels, which are the same in every scrape, are read by the official parser once: afterwards the same
text is known, and only its number is read.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from monitor.expect import excerpt
from monitor.model import Failure, Reason, State, labels

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence

    from monitor.model import Labels
    from monitor.probes.metrics.selector import Selector

    Parse = Callable[[str], tuple[str, Mapping[str, str]]]

PIECE = 64 * 2**10
"""Of the page, in bytes, between two turns of others: a millisecond, where every line is wanted two."""
TURN = 50
"""Series that are met for the first time between two turns of others: a millisecond."""
MOST_SERIES = 20_000
"""Of a check: they take 20 MB, and a scrape of them half a second, in turns with others."""
LONGEST_LINE = 8 * 2**10
"""Of a series; the official parser takes a time that grows faster than a line does."""
OPENMETRICS = "application/openmetrics-text"
OTHERS = frozenset({"text/html", "application/xhtml+xml", "application/json"})
END = b"# EOF"
TYPE = b"# TYPE "
SUFFIXES = ("", "_total", "_bucket", "_count", "_sum")

_LINE = re.compile(
    rb"""\s*+(?P<series>(?P<name>[A-Za-z_:][A-Za-z0-9_:]*+)(?:[ \t]*+\{(?:[^"}]|"(?:[^"\\]|\\.)*+")*+\})?+)"""
    rb"[ \t]*+(?P<value>[^\s_]++)(?=\s|$)"
)
_TYPE = re.compile(rb"\s*+#[ \t]++TYPE[ \t]++([A-Za-z_:][A-Za-z0-9_:]*+)")
_NAME = re.compile(rb"\s*+([A-Za-z_:][A-Za-z0-9_:]*+)")


class Series(NamedTuple):
    """One series of the page: its name, its labels, and by their numbers the selectors that mean it."""

    name: str
    labels: Labels
    terms: tuple[int, ...]


class Page(NamedTuple):
    """What a scrape has found: the value of each series that is meant.

    `names`: those of the wanted names that the page has, if only by saying their type. `labels`: of each name that has
    series, the labels that any of them carries.
    """

    values: Mapping[Series, float]
    names: Collection[str]
    labels: Mapping[str, Collection[str]]


class Reader:
    """Reads pages for `selectors`, and remembers the series of the last one."""

    def __init__(self, selectors: Sequence[Selector]) -> None:
        self.selectors = selectors
        self._names = frozenset(selector.name for selector in selectors)
        self._encoded = frozenset(name.encode() for name in self._names)
        self._beginnings = (*self._encoded, TYPE)
        self._known: dict[bytes, Series] = {}

    async def read(self, body: bytes, media_type: str, redact: Callable[[str], str]) -> Page:
        """Return what `body` has of what is looked for.

        Raises `Failure`: down where it is no page of metrics, unknown where it has more than we can remember.
        """
        _look_at(body, media_type, redact)
        parse = _first_openmetrics if media_type == OPENMETRICS else _first
        known: dict[bytes, Series] = {}
        values: dict[Series, float] = {}
        declared: set[str] = set()
        carried: dict[str, set[str]] = {}
        async for line in self._lines(body):
            match = _LINE.match(line)
            if match is None:
                declared.update(self._declared(line, redact))
                continue
            if match["name"] not in self._encoded:
                continue
            text = match["series"]
            series = self._known.get(text)
            if series is None:
                if len(known) % TURN == 0:
                    await asyncio.sleep(0)
                series = self._series(text, parse, redact)
            known[text] = series
            carried.setdefault(series.name, set()).update(name for name, _ in series.labels)
            if series.terms:
                values.setdefault(series, _number(match["value"], line, redact))
        if len(values) > MOST_SERIES:
            detail = (
                f"what is looked for are {len(values):,} series, and no more than {MOST_SERIES:,} can be remembered"
            )
            raise Failure(Reason.UNKNOWN, f"{detail}: select fewer", State.UNKNOWN)
        self._known = known
        return Page(values, declared | carried.keys(), carried)

    async def _lines(self, body: bytes) -> AsyncIterator[bytes]:
        """Yield the lines that may matter."""
        async for piece in _pieces(body):
            lines = piece.split(b"\n")
            if b"\n " in piece or b"\n\t" in piece:
                lines = [line.lstrip() for line in lines]
            for line in lines:
                if line.startswith(self._beginnings):
                    yield line

    def _declared(self, line: bytes, redact: Callable[[str], str]) -> Iterable[str]:
        """Return the wanted names that a line which has no value speaks of; raises `Failure` if it should have one."""
        match = _TYPE.match(line)
        if match is None:
            name = _NAME.match(line)
            if name is not None and name[1] in self._encoded:
                raise _unlike(line, redact)
            return ()
        return self._names.intersection(f"{match[1].decode()}{suffix}" for suffix in SUFFIXES)

    def _series(self, text: bytes, parse: Parse, redact: Callable[[str], str]) -> Series:
        if len(text) > LONGEST_LINE:
            raise _unlike(text, redact)
        try:
            name, found = parse(text.decode())
        except (ValueError, IndexError):
            raise _unlike(text, redact) from None
        terms = [n for n, selector in enumerate(self.selectors) if selector.name == name and selector.fits(found)]
        return Series(name, labels({label: value for label, value in found.items() if value}), tuple(terms))


async def names_of(body: bytes) -> list[str]:
    """Return the names of all series on a page."""
    found: dict[str, None] = {}
    async for piece in _pieces(body):
        for line in piece.split(b"\n"):
            if match := _NAME.match(line):
                found[match[1].decode()] = None
    return list(found)


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    """Yield whole lines, so many at once that others need not wait for long."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start + PIECE)
        end = len(body) if end < 0 else end + 1
        yield body[start:end]
        start = end
        await asyncio.sleep(0)


def _look_at(body: bytes, media_type: str, redact: Callable[[str], str]) -> None:
    """Raise `Failure` if this is no whole page of metrics."""
    if media_type in OTHERS or body[:100].lstrip()[:1] == b"<":
        what = media_type or "a web page"
        raise Failure(Reason.BODY, f"expected metrics, got {excerpt(what, redact)}")
    if media_type == OPENMETRICS and not body.rstrip().endswith(END):
        raise Failure(Reason.PROTOCOL, "the page does not end with # EOF, so a part of it is missing")


def _first(text: str) -> tuple[str, Mapping[str, str]]:
    """Return name and labels of the series that `text` names, as the official parser reads them."""
    (family,) = text_string_to_metric_families(f"{text} 0\n")
    (sample,) = family.samples
    return sample.name, sample.labels


def _first_openmetrics(text: str) -> tuple[str, Mapping[str, str]]:
    (family,) = openmetrics.text_string_to_metric_families(f"{text} 0\n{END.decode()}\n")  # type: ignore[no-untyped-call]
    (sample,) = family.samples
    return sample.name, sample.labels


def _number(text: bytes, line: bytes, redact: Callable[[str], str]) -> float:
    try:
        return float(text)
    except ValueError:
        raise _unlike(line, redact) from None


def _unlike(line: bytes, redact: Callable[[str], str]) -> Failure:
    return Failure(Reason.PROTOCOL, f"this is no line of metrics: {excerpt(line.decode('utf-8', 'replace'), redact)}")
