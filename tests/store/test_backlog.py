"""What waits to be written: order, the last state of each alert, bounds."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from monitor.model import AttemptResult, Change
from monitor.store.backlog import MOST_OTHERS, MOST_SAMPLES, Backlog
from tests.fakes import START
from tests.store.values import SECOND, alert, attempt, event, note, sample, step

steps = st.lists(st.integers(0, 30), max_size=12)


def merged(numbers: list[int]) -> Change:
    """Return several steps as one change."""
    changes = [step(number) for number in numbers]
    return Change(
        tuple(found for change in changes for found in change.samples),
        (alert(numbers[-1]),) if numbers else (),
        tuple(found for change in changes for found in change.events),
        tuple(found for change in changes for found in change.owed),
        tuple(found for change in changes for found in change.attempts),
        changes[-1].keepsakes if changes else (),
        changes[-1].deploys if changes else (),
        changes[-1].silences if changes else (),
        changes[-1].posts if changes else (),
        tuple({act.id: act for change in changes for act in change.done}.values()),
    )


@given(first=steps, second=steps, third=steps)
def test_what_is_put_back_stands_before_what_came_meanwhile(
    first: list[int], second: list[int], third: list[int]
) -> None:
    backlog = Backlog()
    for number in first:
        backlog.add(step(number))
    taken = backlog.take(10**6)
    assert taken == merged(first)
    assert not backlog
    for number in second:
        backlog.add(step(number))
    backlog.put_back(taken)
    for number in third:
        backlog.add(step(number))
    assert bool(backlog) == bool(first or second or third)
    assert backlog.take(10**6) == merged(first + second + third)
    assert not backlog


@given(numbers=steps, most=st.integers(1, 5))
def test_all_but_samples_leave_at_once_and_samples_in_order(numbers: list[int], most: int) -> None:
    """No alert is ever written without what it owes."""
    backlog = Backlog()
    for number in numbers:
        backlog.add(step(number))
    parts = []
    while backlog:
        parts.append(backlog.take(most))
    assert [found for part in parts for found in part.samples] == list(merged(numbers).samples)
    assert all(len(part.samples) <= most for part in parts)
    assert [replace(part, samples=()) for part in parts[:1]] == [replace(merged(numbers), samples=())][: len(parts)]
    assert all(replace(part, samples=()) == Change() for part in parts[1:])


def test_beyond_the_bound_the_oldest_samples_are_lost_and_counted() -> None:
    backlog = Backlog()
    for number in range(MOST_SAMPLES + 5):
        backlog.keep(sample(START + number * SECOND))
    assert backlog.lost_samples == 5
    taken = backlog.take(10)
    backlog.add(Change(samples=tuple(sample(START - number * SECOND) for number in range(4))))
    backlog.put_back(taken)
    assert backlog.lost_samples == 9
    assert backlog.take(1).samples == (sample(START + 9 * SECOND),)


def test_beyond_the_bound_the_oldest_of_the_rest_are_lost_and_counted() -> None:
    backlog = Backlog()
    for number in range(MOST_OTHERS + 3):
        one = f"note {number}"
        events = (event(START + number * SECOND),)
        backlog.add(Change((), (alert(number),), events, (note(one),), (attempt(one, AttemptResult.RETRY),)))
    assert backlog.lost_others == 9
    taken = backlog.take(0)
    assert [found.id for found in taken.owed[:1]] == ["note 3"]
    assert [found.notification for found in taken.attempts[:1]] == ["note 3"]
    assert taken.events[0] == event(START + 3 * SECOND)
    assert taken.alerts == (alert(MOST_OTHERS + 2),)
