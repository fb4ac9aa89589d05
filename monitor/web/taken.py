"""What became of something that was reported over HTTP, and the answer that says so."""

from __future__ import annotations

import enum
from datetime import timedelta
from http import HTTPStatus
from typing import NamedTuple

from aiohttp import hdrs, web

RETRY_AFTER = timedelta(seconds=5)


class Reply(NamedTuple):
    """What is said to somebody who did something: whether it is done or only noted, and the sentence for him."""

    done: bool
    said: str


class Taken(enum.Enum):
    """What became of a report: it is durable, it is in memory only, or this instance must not take it."""

    DURABLE = enum.auto()
    IN_MEMORY = enum.auto()
    ELSEWHERE = enum.auto()


def answer_of(taken: Taken) -> web.Response:
    """Return the answer to who reported it."""
    later = {hdrs.RETRY_AFTER: str(round(RETRY_AFTER.total_seconds()))}
    if taken is Taken.DURABLE:
        return web.Response(text="ok\n")
    if taken is Taken.IN_MEMORY:
        text = "202: taken; in memory only, until the store can be reached\n"
        return web.Response(status=HTTPStatus.ACCEPTED, text=text, headers=later)
    text = "503: another instance leads, or none yet; try again\n"
    return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=text, headers=later)
