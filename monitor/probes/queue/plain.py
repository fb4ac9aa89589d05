"""Queues that are a plain list, sorted set or stream: what can be told of one without knowing who made it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, TypeAdapter

from monitor.expect import Json
from monitor.keyvalue import number
from monitor.model import Failure, Reason, State
from monitor.probes.queue.look import Look, nameless

if TYPE_CHECKING:
    from monitor.keyvalue import Talk
    from monitor.network import Note

PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
"""How many of a unit make a second."""

ENDS = {"left": 0, "right": -1}


class Elements(NamedTuple):
    """What a list holds: the next is taken at `end`, and the JMESPath `age` finds when it came, counted in `unit`."""

    end: Literal["left", "right"]
    age: str | None
    unit: str | None


def _paired(flat: Any) -> dict[str, Any]:  # noqa: ANN401 - any reply
    if not isinstance(flat, list):
        raise ValueError("names and values in turn")  # noqa: TRY004 - pydantic tells only ValueError
    return {str(name, "utf-8"): value for name, value in zip(flat[::2], flat[1::2], strict=True)}


def _entry_id(text: bytes) -> bytes:
    milliseconds, _, rest = text.partition(b"-")
    if not (milliseconds.isdigit() and rest.isdigit()):
        raise ValueError("milliseconds and a number")
    return text


class Group(BaseModel):
    """A group of consumers, as XINFO tells of it."""

    name: bytes
    pending: int
    last_delivered: bytes = Field(alias="last-delivered-id")
    lag: int | None = None


COUNT = TypeAdapter(tuple[int])
ELEMENT = TypeAdapter(tuple[bytes | None])
MEMBERS = TypeAdapter(tuple[list[bytes]])
COUNTS_AND_SCORED = TypeAdapter(tuple[int, int, tuple[bytes, float] | tuple[()]])
GROUPS = TypeAdapter(tuple[list[Annotated[Group, BeforeValidator(_paired)]]])
Entries = list[tuple[Annotated[bytes, AfterValidator(_entry_id)], Any]]
ENTRIES = TypeAdapter(tuple[Entries])
ENTRIES_AND_PENDING = TypeAdapter(tuple[Entries, list[tuple[bytes, bytes, int, int]]])


async def read_list(talk: Talk, note: Note, now: float, queue: str, elements: Elements) -> Look:
    """Return what is in a list; its length is noted at once.

    Raises `Failure` (unknown) when the next element does not say when it came.
    """
    (length,) = await talk.need(COUNT, ("LLEN", queue))
    note("length", length)
    (element,) = await talk.need(ELEMENT, ("LINDEX", queue, ENDS[elements.end]))
    return Look(
        now=now,
        waiting=length,
        oldest=_found(element, elements) if elements.age and element is not None else None,
        head=nameless(element),
    )


async def read_zset(talk: Talk, note: Note, now: float, queue: str, unit: str | None) -> Look:
    """Return what is in a sorted set whose scores are moments in `unit`; without one, no moments.

    Its length, and how much of it is due and deferred, are noted at once.
    """
    (length,) = await talk.need(COUNT, ("ZCARD", queue))
    note("length", length)
    if unit is None:
        (members,) = await talk.need(MEMBERS, ("ZRANGE", queue, 0, 0))
        return Look(now, waiting=length, head=nameless(members[0]) if members else "")
    until = int(now * PER_SECOND[unit])
    due, deferred, first = await talk.need(
        COUNTS_AND_SCORED,
        ("ZCOUNT", queue, "-inf", until),
        ("ZCOUNT", queue, f"({until}", "+inf"),
        ("ZRANGEBYSCORE", queue, "-inf", until, "WITHSCORES", "LIMIT", 0, 1),
    )
    note("due", due)
    note("deferred", deferred)
    member, score = first or (None, None)
    oldest = None if score is None else score / PER_SECOND[unit]
    return Look(now, waiting=due, oldest=oldest, head=nameless(member))


async def read_stream(talk: Talk, note: Note, now: float, queue: str, group: str) -> Look:
    """Return what is in a stream for `group`; without one, all entries wait. Their ids are the moments they came.

    Raises `Failure` (missing) when there is no such group.
    """
    (length,) = await talk.need(COUNT, ("XLEN", queue))
    note("length", length)
    if not group:
        (first,) = await talk.need(ENTRIES, ("XRANGE", queue, "-", "+", "COUNT", 1))
        return Look(now, waiting=length, oldest=_came(first), head=_id(first))
    (groups,) = await talk.need(GROUPS, ("XINFO", "GROUPS", queue))
    found = next((each for each in groups if each.name == group.encode()), None)
    if found is None:
        raise Failure(Reason.MISSING, f"the stream {queue} has no group {group}")
    first, pending = await talk.need(
        ENTRIES_AND_PENDING,
        ("XRANGE", queue, b"(" + found.last_delivered, "+", "COUNT", 1),
        ("XPENDING", queue, group, "-", "+", 1),
    )
    return Look(
        now=now,
        waiting=found.lag if first else 0,  # Redis 6 tells no lag, nor does 7 once entries were deleted.
        oldest=_came(first),
        head=_id(first),
        running=found.pending,
        longest=pending[0][2] / 1e3 if pending else 0.0,
    )


def _id(entries: Entries) -> str:
    return entries[0][0].decode() if entries else ""


def _came(entries: Entries) -> float | None:
    return int(_id(entries).partition("-")[0]) / 1e3 if entries else None


def _found(element: bytes, elements: Elements) -> float:
    """Return when `element` came; all else that it says is somebody's, and never repeated."""
    try:
        found = Json(element).find(elements.age or "")
    except Failure:
        found = None
    seconds = _moment(found, elements.unit)
    if seconds is None:
        raise Failure(Reason.BODY, f"{elements.age} finds no moment in the next element of the list", State.UNKNOWN)
    return seconds


def _moment(found: Any, unit: str | None) -> float | None:  # noqa: ANN401 - any JSON value
    value = None if found is None or isinstance(found, bool) else number(str(found))
    if value is not None:
        return value / PER_SECOND[unit] if unit else None
    try:
        moment = datetime.fromisoformat(found) if isinstance(found, str) else None
    except ValueError:
        return None
    return moment.timestamp() if moment and moment.tzinfo else None
