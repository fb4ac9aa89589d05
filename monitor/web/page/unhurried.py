"""A long page, made and sent in parts: the loop stands still for one part, not for the page."""

from __future__ import annotations

import asyncio
import time
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

TURN = 0.005
"""Seconds of work after which everything else goes first."""
FASTEST, GZIP = 1, 31


async def unhurried(pieces: Iterable[str], *, gzip: bool) -> AsyncIterator[bytes]:
    """Yield what `pieces` are together, as it is made."""
    packer = zlib.compressobj(FASTEST, wbits=GZIP) if gzip else None
    for turn in _turns(pieces):
        part = turn.encode(errors="replace")
        if packed := packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH) if packer else part:
            yield packed
        await asyncio.sleep(0)
    if packer:
        yield packer.flush()


def _turns(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the text that is made in one turn each."""
    texts: list[str] = []
    until = time.perf_counter() + TURN
    for piece in pieces:
        texts.append(piece)
        if time.perf_counter() >= until:
            yield "".join(texts)
            texts.clear()
            until = time.perf_counter() + TURN
    yield "".join(texts)
