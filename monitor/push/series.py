"""From the text that a scrape gets to series on the wire; what stands before a value is looked at only once.

The text is ours: a sample is one line, its value behind the last space, and there are no timestamps and no exemplars.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitor.model import labels
from monitor.push import wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.model import Labels

PIECE = 16 * 2**10
"""How much text is looked at without a pause: about 150 samples."""

_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")


def pieces(text: bytes) -> Iterator[list[bytes]]:
    """Yield the lines of `text`, some at a time; every line ends in a line break."""
    start = 0
    while start < len(text):
        end = text.find(b"\n", start + PIECE) + 1 or len(text)
        yield text[start : end - 1].split(b"\n")
        start = end


def read_labels(written: str) -> Labels:
    """Return the labels of a sample from what stands before its value, its name among them as `__name__`.

    A label without a value is the same as no label, in Prometheus and on the wire.
    """
    name, _, rest = written.partition("{")
    found = {label: _ESCAPE.sub(_unescape, value) for label, value in _LABEL.findall(rest) if value}
    return labels({"__name__": name, **found})


def _unescape(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]


class Shown:
    """The series of the newest push: what goes before their samples, and which of them are gone.

    A push is `add`, as often as need be, then `settle`. `extra` are labels that every series gets besides its own.
    """

    def __init__(self, extra: Labels = ()) -> None:
        self._extra = extra
        self._fresh: dict[bytes, bytes] = {}
        self._known: dict[bytes, bytes] = {}

    def add(self, lines: Iterable[bytes]) -> list[bytes]:
        """Return a part of a request for each sample among `lines`, still without its moment."""
        parts = []
        for line in lines:
            if not line or line.startswith(b"#"):
                continue
            written, _, value = line.rpartition(b" ")
            head = self._known.pop(written, None) or self._head(written)
            self._fresh[written] = head
            parts.append(head + wire.value(float(value)))
        return parts

    def settle(self) -> list[bytes]:
        """End a push; return what ends each series that the push before had and this one has not."""
        gone, self._known, self._fresh = self._known, self._fresh, {}
        return [head + wire.STALE for head in gone.values()]

    def end(self) -> list[bytes]:
        """Return what ends every series, also those of a push that was not settled; none is known any more."""
        known = {**self._known, **self._fresh}
        self._known, self._fresh = {}, {}
        return [head + wire.STALE for head in known.values()]

    def _head(self, written: bytes) -> bytes:
        return wire.head(labels({**dict(read_labels(written.decode())), **dict(self._extra)}))
