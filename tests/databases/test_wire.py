"""What arrives is held to the form of PostgreSQL's messages, wherever the stream is cut into pieces."""

from __future__ import annotations

import asyncio
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.databases.wire import LONGEST, LONGEST_FIRST, TYPES, Answer, Framing, _Guarded

messages = st.lists(st.tuples(st.sampled_from(sorted(TYPES)), st.binary(max_size=40)), max_size=8)


def stream(parts: list[tuple[int, bytes]]) -> bytes:
    return b"".join(bytes([kind]) + struct.pack("!i", len(body) + 4) + body for kind, body in parts)


def faults(data: bytes, cuts: list[int]) -> list[str]:
    """Return what a guard says of each piece of `data`."""
    framing = Framing()
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [framing.fault(data[start:end]) for start, end in pairwise(places)]


@given(parts=messages, cuts=st.lists(st.integers(0, 400)))
def test_messages_pass_however_they_are_cut(parts: list[tuple[int, bytes]], cuts: list[int]) -> None:
    assert not any(faults(stream(parts), cuts))


@given(
    parts=messages,
    kind=st.integers(0, 255),
    length=st.integers(-(2**31), 2**31 - 1),
    cuts=st.lists(st.integers(0, 400)),
)
def test_the_first_message_that_is_none_is_a_fault(
    parts: list[tuple[int, bytes]], kind: int, length: int, cuts: list[int]
) -> None:
    """And no message before it: its fault is told in the piece in which its head ends, or sooner."""
    data = stream(parts) + bytes([kind]) + struct.pack("!i", length)
    longest = LONGEST if parts else LONGEST_FIRST
    well = kind in TYPES and 4 <= length <= longest
    assert any(faults(data, cuts)) is not well


@pytest.mark.parametrize(("length", "said"), [(LONGEST, ""), (LONGEST + 1, "16.8 MB in one message")])
def test_a_message_may_be_as_large_as_a_check_has_use_for(length: int, said: str) -> None:
    framing = Framing()
    assert framing.fault(stream([(ord("Z"), b"I")])) == ""
    assert said in framing.fault(b"D" + struct.pack("!i", length))


@pytest.mark.parametrize(
    ("answer", "well"), [(b"S", True), (b"N", True), (b"SS", False), (b"H", False), (b"E\0", False)]
)
def test_the_answer_to_our_wish_for_tls_is_one_letter(answer: bytes, *, well: bool) -> None:
    """More would be what somebody in the middle has to say (CVE-2021-23222)."""
    assert bool(Answer().fault(answer)) is not well


class Recorder(asyncio.Protocol):
    """A protocol of the driver that knows what happened to it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def pause_writing(self) -> None:
        self.seen.append("pause")

    def resume_writing(self) -> None:
        self.seen.append("resume")

    def eof_received(self) -> None:
        self.seen.append("eof")

    def connection_lost(self, exc: Exception | None) -> None:
        self.seen.append(f"lost: {exc}")


def test_whatever_else_happens_reaches_the_driver() -> None:
    inner = Recorder()
    guarded = _Guarded(inner, "the place")
    guarded.pause_writing()
    guarded.resume_writing()
    guarded.eof_received()
    guarded.connection_lost(ConnectionResetError("by peer"))
    assert inner.seen == ["pause", "resume", "eof", "lost: by peer"]
