"""Between samples and the rows that keep them. Pure, and the path that every run of every check takes.

A value takes eight bytes. The names and labels of a sample's measures, its *layout*, would be three quarters of the
file and most of the work of a commit, so each layout is kept once for all samples that have it: once a day, so that it
can go with the last samples of its day.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from functools import cache
from typing import TYPE_CHECKING, Any

from monitor.model import Measure, Reason, Sample, State
from monitor.store.rows import DAY, MICROSECOND, clean, labels_of, micros, moment, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from monitor.model import CheckId, Labels

Series = tuple[str, "Labels"]
Layout = tuple[Series, ...]

SampleRow = tuple[int, int, str, str | None, str | None, int, int | None, bytes | None]
"""The columns of `samples`, in their order."""

LayoutRow = tuple[int, int, str]
"""The columns of `layouts`, in their order."""

MOST_KNOWN = 10_000
_VALUE = struct.calcsize("d")


class Layouts:
    """Remembers which layouts the store has, so that each is written once."""

    def __init__(self) -> None:
        """Know none yet: a layout that is written again does no harm."""
        self._known: dict[tuple[int, Layout], int] = {}

    def learn(self, new: Mapping[tuple[int, Layout], LayoutRow]) -> None:
        """Take in layouts that are durable now."""
        if len(self._known) + len(new) > MOST_KNOWN:
            self._known.clear()
        self._known.update((place, row[0]) for place, row in new.items())

    def forget(self) -> None:
        """Forget all, because some were deleted."""
        self._known.clear()

    def rows(
        self, samples: Sequence[Sample], ids: Mapping[CheckId, int]
    ) -> tuple[list[SampleRow], dict[tuple[int, Layout], LayoutRow]]:
        """Return `samples` as rows, and the layouts among theirs that the store may not have yet."""
        new: dict[tuple[int, Layout], LayoutRow] = {}
        return [self._row(ids[sample.check], sample, new) for sample in samples], new

    def _row(self, check_id: int, sample: Sample, new: dict[tuple[int, Layout], LayoutRow]) -> SampleRow:
        at, measures, reason, detail = micros(sample.at), sample.measures, sample.reason, sample.detail
        layout = values = None
        if measures:
            place = at // DAY, tuple([(measure.name, measure.labels) for measure in measures])
            layout = self._known.get(place)
            if layout is None:
                new[place] = row = new.get(place) or _layout_row(*place)
                layout = row[0]
            values = pack([measure.value for measure in measures])
        return (
            at,
            check_id,
            sample.state.value,
            reason.value if reason is not None else None,
            clean(detail) if detail else None,
            sample.took // MICROSECOND,
            layout,
            values,
        )


def sample_reader() -> Callable[[CheckId, Sequence[Any]], Sample]:
    """Return what turns rows of `samples`, each with the body of its layout behind it, into samples of a check."""
    layout_of = cache(read_layout)  # One query's rows share few layouts.

    def read(check: CheckId, row: Sequence[Any]) -> Sample:
        at, _, state, reason, detail, took, _, values, body = row
        found = Reason(reason) if reason is not None else None
        named = zip(layout_of(body), unpack(values), strict=True)
        measures = tuple([Measure(name, value, labels) for (name, labels), value in named])
        return Sample(check, moment(at), took * MICROSECOND, State(state), found, detail or "", measures)

    return read


def read_layout(body: str | None) -> Layout:
    """Return the layout that a row of `layouts` holds; an empty one where there is no row."""
    return tuple((name, labels_of(pairs)) for name, pairs in json.loads(body)) if body else ()


def pack(values: Sequence[float]) -> bytes:
    """Return `values` as the column `figures`."""
    try:
        return struct.pack(f"<{len(values)}d", *values)
    except struct.error:  # Python's integers know no bounds.
        return pack([_bounded(value) for value in values])


def unpack(packed: bytes | None) -> tuple[float, ...]:
    """Return the values that the column `figures` holds."""
    return struct.unpack(f"<{len(packed) // _VALUE}d", packed) if packed else ()


def _bounded(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _layout_row(day: int, layout: Layout) -> LayoutRow:
    """Return the row of a layout, whose number follows from what it says: nobody needs to ask the store for it."""
    body = to_json(layout)
    digest = hashlib.blake2b(f"{day} {body}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True), day, body
