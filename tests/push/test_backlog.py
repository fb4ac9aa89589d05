"""What waits is bounded, in time and in bytes; what goes is counted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.push.backlog import LARGEST, LONGEST, Backlog, Batch
from tests.fakes import START


@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from([10, LARGEST // 3, LARGEST]), st.booleans())))
def test_it_keeps_the_newest_in_order_and_counts_what_it_drops(steps: list[tuple[int, int, bool]]) -> None:
    """Whatever comes and goes: never older than ten minutes, never larger than 32 MB, no sample unaccounted for."""
    backlog, bodies, at = Backlog(), {size: bytes(size) for size in (10, LARGEST // 3, LARGEST)}, START
    waiting: list[Batch] = []
    for seconds, size, taken in steps:
        at += timedelta(seconds=seconds)
        waiting.append(Batch(bodies[size], 7, at))
        dropped = backlog.add(waiting[-1])
        del waiting[: dropped // 7]
        assert backlog.samples == 7 * len(waiting)
        assert backlog.oldest is waiting[0]
        assert at - waiting[0].at <= LONGEST
        assert sum(len(batch.body) for batch in waiting) <= LARGEST
        if taken:
            assert backlog.settle(waiting.pop(0))
    assert bool(backlog) is bool(waiting)


def test_nothing_is_dropped_before_it_must_be() -> None:
    backlog = Backlog()
    assert [backlog.add(Batch(b"x", 1, START + timedelta(minutes=n))) for n in range(13)] == [0] * 11 + [1, 1]
    assert backlog.oldest.at == START + timedelta(minutes=2)


def test_what_was_dropped_meanwhile_is_not_settled_twice() -> None:
    """It may have been under way when there was no more room for it."""
    backlog = Backlog()
    old, new = Batch(b"", 1, START), Batch(b"", 2, START + timedelta(hours=1))
    backlog.add(old)
    assert backlog.add(new) == 1
    assert not backlog.settle(old)
    assert backlog.settle(new)
    assert not backlog.settle(new)
    with pytest.raises(IndexError):
        _ = backlog.oldest
