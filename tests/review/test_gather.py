"""What a week came to, read from real stores: which figure would have stayed silent, and what it would have missed."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.model import (
    AlertKey,
    Attempt,
    AttemptResult,
    Change,
    CheckId,
    EventKind,
    Scope,
    Silence,
    State,
)
from monitor.review import as_lines, gather, read_week
from monitor.review.week import Proposal
from monitor.units import Unit
from monitor.uptime import Uptime
from tests.examples import SITE, notification, sample
from tests.fakes import START
from tests.plans import plan, threshold
from tests.review.weeks import DAY, END, HOUR, MINUTE, lived, runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.model import Sample
    from monitor.plan import Plan
    from monitor.store import Store
    from monitor.thresholds import Threshold

SECONDS = timedelta(seconds=1)
SLOW = threshold("duration", warning="> 300ms", critical="> 2s", hold=20 * SECONDS)
ONCE = [3.0, 20.0, 50.0]
"""Hours of the week at which the page is slow."""


def at(hour: float, minutes: float) -> datetime:
    return START + hour * HOUR + minutes * MINUTE


async def proposed(store: Store, rule: Plan, samples: Sequence[Sample], *taken: datetime) -> Proposal:
    """Return what is proposed for the only rule that is noisy."""
    await lived(store, rule, samples, taken)
    (found,) = (await read_week(store, {rule.id: rule}, END)).proposals.values()
    return found


def slow(*peaks: float, length: int = 12) -> list[Sample]:
    """Return a week in which the page was slow now and then, as slow as `peaks` say."""
    return [
        run for hour, peak in zip([*ONCE, 90.0, 110.0], peaks, strict=False) for run in runs(hour, *[peak] * length)
    ]


async def test_the_figure_that_would_have_stayed_silent(store: Store) -> None:
    """The worst value was 712 ms; a worse one that ana took would still have paged."""
    found = await proposed(store, plan(SLOW), slow(0.45, 0.62, 0.712, 2.3), at(90, 3))
    assert found == Proposal("warning: > 300ms", "warning: > 750ms", 3)


async def test_every_level_that_it_crossed_is_changed(store: Store) -> None:
    found = await proposed(store, plan(SLOW), slow(0.45, 2.6, 0.7))
    assert found.text == "warning: > 3s, critical: > 3s"


async def test_what_a_figure_would_have_missed_is_said(store: Store) -> None:
    """Somebody took what was less slow than the others and as short: nothing else tells them apart."""
    rule = plan(SLOW)
    await lived(store, rule, slow(0.8, 0.9, 0.7, 0.4), [at(90, 3)])
    week = await read_week(store, {SITE: rule}, END)
    (found,) = week.proposals.values()
    assert (found.text, [one.taken[0].who for one in found.missed]) == ("warning: > 900ms", ["ana"])
    told = as_lines(week)[-1][0]
    assert "Leave it: with `warning: > 900ms` in place of `warning: > 300ms` it would have missed 1" in told
    assert "(ana on 9 Jan 06:03)" in told


async def test_a_longer_wait_where_a_figure_would_miss_what_was_taken(store: Store) -> None:
    """What nobody took lasted 50 s, what ana took for three minutes: 1 min parts them."""
    short = [run for hour in ONCE for run in runs(hour, *[0.9] * 6)]
    found = await proposed(store, plan(SLOW), [*short, *runs(90, *[0.4] * 30)], at(90, 4))
    assert found == Proposal("for: 20s", "for: 55s", 3)


@pytest.mark.parametrize(("rule", "peak"), [
    (threshold("duration", warning="> 1s", hold=20 * SECONDS), 4.99),
    (threshold("duration", unit=Unit.RATIO, warning="> 30%", hold=20 * SECONDS), 0.995),
    (threshold("duration", warning="!= 100ms", hold=20 * SECONDS), 0.4),
])  # fmt: skip
async def test_a_longer_wait_where_no_figure_would_do(store: Store, rule: Threshold, peak: float) -> None:
    """Above the check's own deadline of 5 s, or 100 %, nothing is left to cross; and != has nothing beyond."""
    found = await proposed(store, plan(rule), slow(peak, peak, peak))
    assert found == Proposal("for: 20s", "for: 1m55s", 3)


async def test_where_nothing_would_have_kept_it_silent(store: Store) -> None:
    """Each outage was longer than any count of failures that anybody would wait for."""
    down = [run for hour in ONCE for run in runs(hour, *[0.1] * 70, state=State.DOWN)]
    found = await proposed(store, plan(), down)
    assert found == Proposal(why="No figure that can still fire would have kept it silent.")


async def test_a_count_of_failures_for_an_outage(store: Store) -> None:
    """Five failed in a row: with six it would have stayed silent, and eight that ana took would have paged."""
    rule = plan()
    down = [run for hour in ONCE for run in runs(hour, *[0.1] * 5, state=State.DOWN)]
    down += runs(90, *[0.1] * 8, state=State.DOWN)
    found = await proposed(store, rule, down, at(90, 2.5))
    assert found == Proposal("down: {critical: 3}", "down: {critical: 6}", 3)


async def test_a_window_function_is_judged_by_its_own_values(store: Store) -> None:
    """The average of two minutes is far below the worst single value."""
    rule = plan(threshold("avg(duration, 2m)", warning="> 300ms"))
    found = await proposed(store, rule, slow(0.9, 0.9, 0.9, length=6))
    assert found.text == "warning: > 500ms"


async def test_a_figure_that_was_changed_since_needs_no_other(store: Store) -> None:
    await lived(store, plan(SLOW), slow(0.45, 0.62, 0.712))
    now = plan(replace(SLOW, figures=(replace(SLOW.figures[0], value=1.0, text="> 1s"), SLOW.figures[1])))
    (found,) = (await read_week(store, {SITE: now}, END)).proposals.values()
    assert found.why == "With what is written now, warning: > 1s, critical: > 2s, it would have stayed silent."


async def test_why_nothing_is_proposed(store: Store) -> None:
    """The rule is gone, or compares with a past that samples do not hold."""
    await lived(store, plan(SLOW), slow(0.45, 0.62, 0.712))
    usual = replace(threshold("usual(duration, 5m)", unit=Unit.NUMBER, warning="> 2"), name="duration")
    told = [await read_week(store, plans, END) for plans in ({}, {SITE: plan()}, {SITE: plan(usual)})]
    assert [one.why for week in told for one in week.proposals.values()] == [
        "It is no longer in the configuration.",
        "It is no longer in the configuration.",
        "What would have kept it silent cannot be told: it compares with weeks of a past.",
    ]


async def test_samples_that_are_gone_propose_nothing(store: Store) -> None:
    daemon = await lived(store, plan(SLOW), [])
    await daemon.take(slow(0.45, 0.62, 0.712))
    attempts = [Attempt(note.id, note.at, AttemptResult.DELIVERED, "d") for note in daemon.owed]
    await store.write([replace(each, samples=()) for each in daemon.changes])
    await store.write([Change(attempts=tuple(attempts))])
    (found,) = (await read_week(store, {SITE: plan(SLOW)}, END)).proposals.values()
    assert "not all of its samples are kept" in found.why


async def test_too_many_samples_propose_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What went on for days is no noise that a figure would end."""
    monkeypatch.setattr(gather, "MOST_SAMPLES", 20)
    found = await proposed(store, plan(SLOW), slow(0.45, 0.62, 0.712))
    assert "there are too many" in found.why


async def test_two_pages_are_no_noise_nor_are_three_that_were_taken(store: Store) -> None:
    await lived(store, plan(SLOW), slow(0.45, 0.62, 0.7, 0.7), [at(3, 3), at(20, 3)])
    week = await read_week(store, {SITE: plan(SLOW)}, END)
    assert not week.proposals
    assert len(as_lines(week)) == 3


async def test_what_else_happened_in_the_week(store: Store) -> None:
    """Silences but for maintenance, what was rejected, flapped and escalated, and the uptime of each system."""
    site = Scope("shop", "site")
    silences = [
        Silence("1", site, START - DAY, START + 2 * DAY, "ana"),
        Silence("2", site, START + DAY, START + 4 * DAY, "ben"),
        Silence("3", Scope("blog"), START - DAY, END, "runbook", maintenance=True),
        Silence("4", Scope("blog"), START, START + DAY, "ana"),
    ]
    flaps = [replace(notification("site", EventKind.FLAPPING, at=1), id=name, channel=name) for name in "ab"]
    reasons = ["channel_not_found", "the newest"]
    bad = [notification("mail", at=n, channel="lead") for n in range(2)]
    refused = [Attempt(n.id, n.at, AttemptResult.REJECTED, "d", why) for n, why in zip(bad, reasons, strict=True)]
    hours = [sample(START + n * HOUR / 2, State.DOWN if n == 3 else State.UP) for n in range(4)]
    await store.write(
        [Change(silences=tuple(silences), owed=(*flaps, *bad), attempts=tuple(refused), samples=tuple(hours))]
    )
    await store.tidy(START + 3 * HOUR)
    week = await read_week(store, {SITE: plan()}, END)
    assert week.silenced == {"shop/site": 5 * DAY}
    assert week.flapped == {AlertKey(CheckId("shop", "site"), "down"): 1}
    assert {name: tuple(one) for name, one in week.rejected.items()} == {"lead": (2, "the newest")}
    assert week.uptime == {"shop": Uptime(1.5 * HOUR, 0.5 * HOUR)}
    assert [line for line, _ in as_lines(week)][1:] == [
        "Flapped: shop/site down.",
        "Silent for most of it: shop/site, 5 d.",
        "Messages rejected: lead 2 (the newest).",
        "Uptime: shop 75.000 %.",
    ]


async def test_a_quiet_week(store: Store) -> None:
    week = await read_week(store, {}, END)
    assert [line for line, _ in as_lines(week)] == ["The week from 4 Jan to 11 Jan", "A quiet week: nobody was paged."]


async def test_what_happened_after_the_week_is_left_to_the_next(store: Store) -> None:
    """A review that is sent late tells of the same seven days."""
    await lived(store, plan(SLOW), slow(0.45, 0.62, 0.712))
    week = await read_week(store, {SITE: plan(SLOW)}, at(20, 10))
    assert len(week.incidents) == 2
    assert not week.proposals


async def test_nobody_waits_for_it(store: Store) -> None:
    """Incidents of two hours each, every 10 s, are judged again; the loop comes round all the while."""
    rule = plan(threshold("max(duration, 5m)", warning="> 300ms", hold=20 * SECONDS))
    samples = [run for n in range(6) for run in runs(20 * n, *[0.45] * 700)]
    await lived(store, rule, samples)
    longest, last = 0.0, time.perf_counter()
    reading = asyncio.create_task(read_week(store, {SITE: rule}, END))
    while not reading.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    (found,) = reading.result().proposals.values()
    assert found.text == "warning: > 450ms"
    assert longest < 0.5
