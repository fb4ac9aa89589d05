"""What every store keeps to, whatever stands behind it."""

from __future__ import annotations

import asyncio
import itertools
import math
from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.model import (
    AlertKey,
    Attempt,
    AttemptResult,
    Change,
    CheckId,
    Deploy,
    EventKind,
    Keepsake,
    Measure,
    Owed,
    Reason,
    Sample,
    Severity,
    State,
)
from monitor.store import Hour, HourMeasure, Retention, StoreUnavailable
from monitor.store.sql import HOURS_A_PAGE
from tests.fakes import START
from tests.store import values
from tests.store.files import leading
from tests.store.values import BEGINNING, HOUR, KEY, SECOND, SITE, alert, attempt, event, note, sample, step

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.store import Store

ANY_EXAMPLE = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
BASKET = CheckId("shop", "basket")
NUMBERS = itertools.count()
"""Keep examples that share a store apart."""


async def everything(store: Store) -> list[object]:
    """Return all that a store can be asked for."""
    replayed = [found async for found in store.replay(BEGINNING)]
    told = [await store.alerts(), await store.owed(), replayed, await store.journal(BEGINNING)]
    told += [await store.acts(), await store.silences(BEGINNING), await store.posts()]
    return [*told, await store.keepsakes(), await store.deploys(BEGINNING)]


async def test_an_empty_store_holds_nothing(store: Store) -> None:
    assert await everything(store) == [[]] * 9
    assert await store.samples(SITE, BEGINNING) == []
    assert await store.hours(SITE, BEGINNING) == []


async def test_a_change_without_content_is_written(store: Store) -> None:
    await store.write([Change()])
    await store.write([])
    assert await everything(store) == [[]] * 9


@ANY_EXAMPLE
@given(written=values.samples)
async def test_a_sample_comes_back_as_it_was(store: Store, written: Sample) -> None:
    """Any text, any number, to the microsecond; only what no database takes as text is replaced."""
    check = CheckId(f"{written.check.system} {next(NUMBERS)}", written.check.check)
    await store.write([Change(samples=(replace(written, check=check),))])
    (found,) = await store.samples(check, BEGINNING)
    assert found.at == written.at
    assert found.at.tzinfo is UTC
    assert (found.took, found.state, found.reason) == (written.took, written.state, written.reason)
    refused = dict.fromkeys(range(0xD800, 0xE000), "?") | {0: "�"}
    assert found.detail == written.detail.translate(refused)
    assert [(measure.name, measure.labels) for measure in found.measures] == [
        (measure.name, measure.labels) for measure in written.measures
    ]
    for came, went in zip(found.measures, written.measures, strict=True):
        assert came.value == went.value or (math.isnan(came.value) and math.isnan(went.value))


async def test_an_integer_beyond_every_float_becomes_infinite(store: Store) -> None:
    measures = tuple(Measure(name, value) for name, value in (("a", 10**400), ("b", -(10**400)), ("c", 7)))
    await store.write([Change(samples=(replace(sample(), measures=measures),))])
    (found,) = await store.samples(SITE, BEGINNING)
    assert [measure.value for measure in found.measures] == [math.inf, -math.inf, 7.0]


@ANY_EXAMPLE
@given(written=values.alerts)
async def test_an_alert_comes_back_as_it_was(store: Store, written: values.Alert) -> None:
    await store.write([Change(alerts=(written,))])
    found = [known for known in await store.alerts() if known.key == written.key]
    assert found == ([] if written.idle else [written])
    assert [known.incident for known in found] == ([] if written.idle else [written.incident])


@ANY_EXAMPLE
@given(written=values.events)
async def test_an_event_comes_back_as_it_was(store: Store, written: values.Event) -> None:
    await store.write([Change(events=(written,))])
    found = await store.journal(BEGINNING, written.key, limit=100_000)
    assert written in found
    assert written.id in {known.id for known in found}


@ANY_EXAMPLE
@given(written=values.notifications)
async def test_a_notification_comes_back_as_it_was(store: Store, written: values.Notification) -> None:
    written = replace(written, id=f"{written.id} {next(NUMBERS)}")
    await store.write([Change(owed=(written,))])
    assert Owed(written) in await store.owed()


async def test_what_is_written_twice_is_there_once(store: Store) -> None:
    await store.write([step(1), step(2)])
    once = await everything(store)
    await store.write([step(1), step(2)])
    await store.write([step(1), step(1), step(2)])
    assert await everything(store) == once
    assert len(await store.owed()) == 2
    assert await store.samples(SITE, BEGINNING) == [sample(START + SECOND, 1), sample(START + 2 * SECOND, 2)]


async def test_what_was_written_first_stays_under_its_id(store: Store) -> None:
    await store.write([Change(samples=(sample(value=1.0),), owed=(note("a", START),))])
    await store.write([Change(samples=(sample(value=2.0),), owed=(note("a", START + HOUR),))])
    assert await store.samples(SITE, BEGINNING) == [sample(value=1.0)]
    assert [owed.notification.at for owed in await store.owed()] == [START]


async def test_of_an_alert_the_last_state_stays(store: Store) -> None:
    other = AlertKey(SITE, "down", (("region", "eu"),))
    await store.write([Change(alerts=(alert(1), alert(7, other))), Change(alerts=(alert(2),))])
    assert sorted(known.levels[Severity.CRITICAL].count for known in await store.alerts()) == [2, 7]
    await store.write([Change(alerts=(alert(3),)), Change(alerts=(values.Alert(other),))])
    assert await store.alerts() == [alert(3)]
    await store.write([Change(alerts=(values.Alert(KEY),)), Change(alerts=(alert(4),))])
    assert await store.alerts() == [alert(4)]


async def test_of_a_keepsake_the_last_one_stays_until_it_is_empty(store: Store) -> None:
    """Each topic of a check by itself, also of one that has no sample yet."""
    other = Keepsake(BASKET, "leftovers", "[2]")
    await store.write([Change(keepsakes=(Keepsake(SITE, "leftovers", "[1]"), other))])
    await store.write([Change(keepsakes=(Keepsake(SITE, "leftovers", "[1, 3]"),)), Change(keepsakes=(other,))])
    assert set(await store.keepsakes()) == {other, Keepsake(SITE, "leftovers", "[1, 3]")}
    await store.write([Change(keepsakes=(Keepsake(SITE, "leftovers"), Keepsake(SITE, "never there")))])
    assert await store.keepsakes() == [other]


async def test_of_a_deploy_the_last_state_stays_and_the_newest_is_first(store: Store) -> None:
    first = Deploy("shop", START, START + HOUR, (("api", "1.0", "1.1"), ("", "", "2")))
    second = Deploy("shop", START + SECOND, START + HOUR, back=True, protocol=("Health: up",), failed=False)
    await store.write([Change(deploys=(first, second))])
    ended = replace(first, reports=2, failed=True)
    await store.write([Change(deploys=(ended,))])
    assert await store.deploys(BEGINNING) == [second, ended]
    assert await store.deploys(START) == [second]


@pytest.mark.parametrize("result", [AttemptResult.DELIVERED, AttemptResult.REJECTED, AttemptResult.SUPERSEDED])
async def test_a_final_attempt_settles_its_notification_for_good(store: Store, result: AttemptResult) -> None:
    await store.write([Change(owed=(note("a"), note("b")))])
    await store.write([Change(attempts=(attempt("a", result),))])
    assert [owed.notification.id for owed in await store.owed()] == ["b"]
    await store.write(
        [Change(owed=(note("a"),)), Change(attempts=(attempt("a", AttemptResult.RETRY, START + SECOND),))]
    )
    assert [owed.notification.id for owed in await store.owed()] == ["b"]


async def test_a_notification_may_be_settled_in_the_change_that_owes_it(store: Store) -> None:
    await store.write([Change(owed=(note("a"),), attempts=(attempt("a", AttemptResult.DELIVERED),))])
    assert await store.owed() == []


async def test_a_refused_notification_says_how_often_and_when_it_is_due(store: Store) -> None:
    due = START + HOUR
    await store.write([
        Change(owed=(note("a"),)),
        Change(attempts=(attempt("a", AttemptResult.BEGUN), attempt("a", AttemptResult.RETRY, START, START + SECOND))),
        Change(attempts=(attempt("a", AttemptResult.RETRY, START + SECOND, due),)),
    ])  # fmt: skip
    assert await store.owed() == [Owed(note("a"), attempts=2, due=due, delivery="delivery of a")]


async def test_a_send_that_was_begun_is_due_at_once_under_its_old_delivery(store: Store) -> None:
    begun = Attempt("a", START + HOUR, AttemptResult.BEGUN, "second delivery")
    refused = attempt("a", AttemptResult.RETRY, START, START + 2 * HOUR)
    await store.write([Change(owed=(note("a"),), attempts=(refused, begun))])
    assert await store.owed() == [Owed(note("a"), attempts=1, due=None, delivery="second delivery")]


async def test_an_attempt_without_its_notification_does_no_harm(store: Store) -> None:
    await store.write([Change(attempts=(attempt("lost", AttemptResult.DELIVERED),), samples=(sample(),))])
    assert await store.owed() == []
    assert await store.samples(SITE, BEGINNING) == [sample()]


async def test_the_oldest_is_owed_first(store: Store) -> None:
    await store.write([Change(owed=(note("c", START + SECOND), note("b"), note("a")))])
    assert [owed.notification.id for owed in await store.owed()] == ["b", "a", "c"]


async def test_samples_are_those_of_the_check_after_a_moment_oldest_first(store: Store) -> None:
    mine = [sample(START + number * SECOND, number) for number in range(6)]
    others = [sample(START + number * SECOND, number, BASKET) for number in range(6)]
    for one, other in zip(reversed(mine), others, strict=True):
        await store.write([Change(samples=(one, other))])
    assert await store.samples(SITE, START) == mine[1:]
    assert await store.samples(SITE, START, limit=2) == mine[4:]
    assert await store.samples(SITE, START, until=mine[3].at) == mine[1:4]
    assert await store.samples(SITE, START, limit=2, until=mine[3].at) == mine[2:4]
    assert await store.samples(SITE, START + HOUR) == []
    assert await store.samples(CheckId("no", "such"), BEGINNING) == []


async def test_a_replay_has_the_samples_of_all_checks_in_order(store: Store) -> None:
    """More than a page of them, several at the same moment."""
    many = [sample(START + number // 3 * SECOND, number, CheckId("shop", f"c{number % 3}")) for number in range(1_600)]
    await store.write([Change(samples=tuple(reversed(many)))])
    replayed = [found async for found in store.replay(START)]
    assert [found.at for found in replayed] == sorted(found.at for found in replayed)
    assert set(replayed) == set(many[3:])
    assert len(replayed) == len(many[3:])


async def test_samples_with_different_measures_keep_them_apart(store: Store) -> None:
    kinds = [(), (Measure("a", 1.0),), (Measure("a", 2.0, (("x", "1"),)),), (Measure("b", 3.0), Measure("a", 4.0))]
    made = [replace(sample(START + number * SECOND), measures=kinds[number % 4]) for number in range(40)]
    made += [replace(found, at=found.at + timedelta(days=1)) for found in made]
    for found in made:
        await store.write([Change(samples=(found,))])
    assert await store.samples(SITE, BEGINNING) == made


async def test_the_journal_is_newest_first_by_key_and_limited(store: Store) -> None:
    other = AlertKey(SITE, "slow")
    lines = [event(START + number // 2 * SECOND, list(EventKind)[number]) for number in range(6)]
    await store.write([Change(events=(*lines, event(START + SECOND, key=other)))])
    assert await store.journal(BEGINNING, KEY) == lines[::-1]
    assert await store.journal(START, KEY) == lines[:1:-1]
    assert await store.journal(BEGINNING, KEY, limit=2) == lines[:3:-1]
    assert len(await store.journal(BEGINNING)) == 7
    assert await store.journal(BEGINNING, other) == [event(START + SECOND, key=other)]


async def test_dispatches_are_newest_first_each_with_its_attempts(store: Store) -> None:
    """Settled or not; attempts in the order they were written, those of others and of the past are left out."""
    notes = [note(f"n{number}", START + number // 2 * SECOND) for number in range(4)]
    tried = [attempt("n3", AttemptResult.BEGUN), attempt("n3", AttemptResult.RETRY, START, START + HOUR)]
    done = attempt("n3", AttemptResult.DELIVERED, START + SECOND)
    await store.write([Change(owed=tuple(notes), attempts=(*tried, attempt("n0", AttemptResult.REJECTED)))])
    await store.write([Change(attempts=(done, attempt("unknown", AttemptResult.BEGUN)))])
    found = await store.dispatches(BEGINNING)
    assert [one.notification for one in found] == notes[::-1]
    assert [len(one.attempts) for one in found] == [3, 0, 0, 1]
    assert found[0].attempts == (*tried, done)
    assert [one.delivered_at for one in found] == [START + SECOND, None, None, None]
    assert await store.dispatches(START) == found[:2]
    assert await store.dispatches(BEGINNING, limit=1) == found[:1]


async def test_every_check_that_had_a_sample_is_known(store: Store) -> None:
    assert await store.checks() == []
    await store.write([Change(samples=(sample(), sample(check=BASKET)), events=(event(),))])
    await store.write([Change(samples=(sample(START + SECOND),))])
    assert await store.checks() == [BASKET, SITE]


async def test_everything_is_there_after_a_restart(address: str) -> None:
    first = await leading(address)
    await first.write([step(number) for number in range(5)])
    before = await everything(first)
    await first.close()
    second = await leading(address)
    await second.write([step(4)])
    assert await everything(second) == before
    await second.close()


async def test_writers_and_readers_work_side_by_side(store: Store) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(30):
            group.create_task(store.write([step(number)]))
            group.create_task(store.owed())
            group.create_task(store.samples(SITE, BEGINNING))
    assert len(await store.owed()) == 30
    assert len(await store.samples(SITE, BEGINNING)) == 30


async def test_a_closed_store_is_unavailable(store: Store) -> None:
    await store.write([step(1)])
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.write([step(2)])
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.alerts()


def recomputed(written: Sequence[Sample], hour: datetime, check: CheckId = SITE) -> Hour:
    """Return what an hour adds up to, the plain way."""
    inside = [found for found in written if found.check == check and hour <= found.at < hour + HOUR]
    figures: dict[tuple[str, values.Labels], list[float]] = {}
    for found in sorted(inside, key=lambda one: one.at):
        for name, value, labels in found.measures:
            if math.isfinite(value):
                figures.setdefault((name, labels), []).append(value)
    up, down, unknown = (sum(found.state is state for found in inside) for state in State)
    measures = tuple(
        HourMeasure(*key, len(some), sum(some), min(some), max(some)) for key, some in sorted(figures.items())
    )
    return Hour(check, hour, up, down, unknown, measures)


def same(found: Hour, wanted: Hour) -> bool:
    """Return whether two hours are equal but for the last digits of sums."""
    rough = [replace(one, measures=tuple(replace(m, sum=0.0) for m in one.measures)) for one in (found, wanted)]
    sums = [(a.sum, b.sum) for a, b in zip(found.measures, wanted.measures, strict=True)]
    return rough[0] == rough[1] and all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) for a, b in sums)


measured = st.builds(
    sample,
    st.integers(0, 4 * 3_600).map(lambda seconds: START + seconds * SECOND),
    st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf]),
    st.sampled_from([SITE, BASKET]),
    st.sampled_from(State),
)
batches = st.lists(st.tuples(st.lists(measured, max_size=6), st.integers(0, 6)), max_size=6)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=batches)
async def test_hours_equal_a_recomputation_however_late_samples_come(
    address_of: values.AddressOf, tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[list[Sample], int]]
) -> None:
    """Samples in any order, `tidy` at any moment in between, even an earlier one, and a restart."""
    address = address_of(tmp_path_factory.mktemp("hours"))
    written: dict[tuple[CheckId, datetime], Sample] = {}
    for batch, hours in batches:
        store = await leading(address)
        await store.write([Change(samples=tuple(batch))])
        for found in batch:
            written.setdefault((found.check, found.at), found)
        await store.tidy(START + hours * HOUR)
        await store.close()
    store = await leading(address)
    for _ in range(2):
        await store.tidy(START + 9 * HOUR)
        for check in (SITE, BASKET):
            begun = sorted({at.replace(minute=0, second=0) for known, at in written if known == check})
            wanted = [recomputed(list(written.values()), hour, check) for hour in begun]
            found_hours = await store.hours(check, BEGINNING)
            assert len(found_hours) == len(wanted)
            assert all(map(same, found_hours, wanted))
    await store.close()


async def test_a_run_left_out_comes_back_as_one_and_is_no_part_of_its_hour(store: Store) -> None:
    """Neither of its states nor of its measures; an hour of nothing else is done too, and has nothing in it."""
    for at in (START + SECOND, START + HOUR, START + HOUR + SECOND):
        await store.write([Change(samples=(replace(sample(at, state=State.UNKNOWN), reason=None),))])
    await store.write([Change(samples=(sample(START),))])
    assert [found.left_out for found in await store.samples(SITE, BEGINNING)] == [False, True, True, True]
    await store.tidy(START + 2 * HOUR)
    first, second = await store.hours(SITE, BEGINNING)
    assert (first.up, first.down, first.unknown, first.measures[0].count) == (1, 0, 0, 1)
    assert (second.up, second.down, second.unknown, second.measures) == (0, 0, 0, ())


async def test_an_hour_appears_when_it_is_over(store: Store) -> None:
    await store.write([Change(samples=(sample(START + SECOND), sample(START + HOUR)))])
    await store.tidy(START + HOUR - timedelta(microseconds=1))
    assert await store.hours(SITE, BEGINNING) == []
    await store.tidy(START + HOUR)
    assert [hour.at for hour in await store.hours(SITE, BEGINNING)] == [START]
    await store.tidy(START + 2 * HOUR)
    assert [hour.at for hour in await store.hours(SITE, BEGINNING)] == [START, START + HOUR]
    assert [hour.at for hour in await store.hours(SITE, START + SECOND)] == [START + HOUR]


async def test_hours_are_replayed_with_the_measures_that_are_asked_for(store: Store) -> None:
    """More than a page of them, of one check, from a moment on; none is lost or twice where a page ends."""
    count = HOURS_A_PAGE + 20
    kept = Measure("x", 1.0, (("type", "a"),)), Measure("x", 2.0), Measure("y", 3.0)
    made = [replace(sample(START + number * HOUR), measures=kept) for number in range(count)]
    await store.write([Change(samples=(*made, sample(START + HOUR, check=BASKET)))])
    await store.tidy(START + count * HOUR)
    whole = await store.hours(SITE, START + HOUR)
    found = [hour async for hour in store.replay_hours(SITE, START + HOUR, {"x", "z"})]
    assert len(found) == len(whole) == count - 1
    assert found == [replace(hour, measures=tuple(one for one in hour.measures if one.name == "x")) for hour in whole]
    assert [hour async for hour in store.replay_hours(SITE, START + count * HOUR, {"x"})] == []
    assert [hour async for hour in store.replay_hours(CheckId("no", "such"), BEGINNING, {"x"})] == []


async def test_others_have_their_turn_while_hours_are_replayed(store: Store) -> None:
    """One row is decoded at a time."""
    await store.write([Change(samples=tuple(sample(START + number * HOUR) for number in range(30)))])
    await store.tidy(START + 30 * HOUR)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    seen = [turns async for _ in store.replay_hours(SITE, BEGINNING, {"duration"})]
    beside.cancel()
    assert len(set(seen)) == len(seen) == 30


async def test_a_sum_beyond_every_float_is_infinite(store: Store) -> None:
    await store.write([Change(samples=(sample(START, 1.7e308), sample(START + SECOND, 1.7e308)))])
    await store.tidy(START + HOUR)
    (hour,) = await store.hours(SITE, BEGINNING)
    assert hour.measures == (HourMeasure("duration", (), 2, math.inf, 1.7e308, 1.7e308),)


async def test_samples_past_their_time_go_and_their_hours_stay(address: str) -> None:
    store = await leading(address, Retention(samples=timedelta(hours=3)))
    made = [sample(START + number * 20 * timedelta(minutes=1), number) for number in range(18)]
    await store.write([Change(samples=tuple(made))])
    now = START + 6 * HOUR
    await store.tidy(now)
    assert await store.samples(SITE, BEGINNING) == [found for found in made if found.at >= now - timedelta(hours=3)]
    assert await store.hours(SITE, BEGINNING) == [recomputed(made, START + number * HOUR) for number in range(6)]
    await store.close()


async def test_a_sample_older_than_what_is_kept_changes_no_hour(address: str) -> None:
    """Its hour's other samples are gone, so it cannot be computed anew."""
    store = await leading(address, Retention(samples=timedelta(hours=3)))
    await store.write([Change(samples=(sample(START, 1.0), sample(START + SECOND, 2.0)))])
    await store.tidy(START + 9 * HOUR)
    before = await store.hours(SITE, BEGINNING)
    await store.write([Change(samples=(sample(START + 2 * SECOND, 3.0),))])
    for _ in range(2):
        await store.tidy(START + 9 * HOUR)
        assert await store.hours(SITE, BEGINNING) == before
        assert await store.samples(SITE, BEGINNING) == []
    await store.close()


async def test_measures_survive_that_older_layouts_were_deleted(address: str) -> None:
    store = await leading(address, Retention(samples=timedelta(days=1)))
    old, new = sample(START, 1.0), sample(START + timedelta(days=5), 2.0)
    await store.write([Change(samples=(old,))])
    await store.write([Change(samples=(new,))])
    await store.tidy(new.at + HOUR)
    await store.write([Change(samples=(old, replace(new, at=new.at + SECOND)))])
    assert await store.samples(SITE, BEGINNING) == [old, new, replace(new, at=new.at + SECOND)]
    await store.close()


async def test_what_is_settled_goes_after_its_time_and_what_is_owed_stays(address: str) -> None:
    store = await leading(address, Retention(hours=timedelta(days=9), journal=timedelta(days=5)))
    new = START + timedelta(days=6)
    await store.write([
        Change(samples=(sample(),), events=(event(), event(new)), alerts=(alert(2),)),
        Change(owed=(note("settled"), note("owed")), attempts=(attempt("settled", AttemptResult.DELIVERED),)),
        Change(attempts=(attempt("owed", AttemptResult.RETRY, START, new), attempt("orphan", AttemptResult.RETRY))),
    ])  # fmt: skip
    await store.tidy(START + timedelta(days=7))
    assert await store.journal(BEGINNING) == [event(new)]
    assert await store.owed() == [Owed(note("owed"), 1, new, "delivery of owed")]
    assert await store.alerts() == [alert(2)]
    await store.write([Change(owed=(note("settled"),))])
    assert "settled" in {owed.notification.id for owed in await store.owed()}, "its row was still there"
    assert len(await store.hours(SITE, BEGINNING)) == 1
    await store.tidy(START + timedelta(days=10))
    assert await store.hours(SITE, BEGINNING) == []
    await store.close()


async def test_more_than_a_step_is_deleted_and_nobody_waits_for_all_of_it(address: str) -> None:
    store = await leading(address, Retention(samples=timedelta(hours=1)))
    many = tuple(sample(START + number * timedelta(milliseconds=100)) for number in range(12_000))
    await store.write([Change(samples=many)])
    tidying = asyncio.create_task(store.tidy(START + 9 * HOUR))
    between = 0
    while not tidying.done():
        await store.write([Change(samples=(sample(START + 9 * HOUR + between * SECOND),))])
        between += not tidying.done()
    await tidying
    assert between > 3
    assert len(await store.samples(SITE, BEGINNING)) >= between
    assert await store.samples(SITE, BEGINNING) == await store.samples(SITE, START + 8 * HOUR)
    await store.close()


async def test_more_than_a_step_of_the_journal_is_deleted(address: str) -> None:
    store = await leading(address, Retention(journal=timedelta(days=5)))
    lines = tuple(event(START + number * timedelta(milliseconds=1)) for number in range(5_001))
    await store.write([Change(events=lines)])
    await store.tidy(START + timedelta(days=9))
    assert await store.journal(BEGINNING) == []
    await store.close()


async def test_thousands_of_samples_at_one_moment_are_deleted(address: str) -> None:
    store = await leading(address, Retention(samples=timedelta(hours=1)))
    await store.write([Change(samples=tuple(sample(check=CheckId("many", f"c{number}")) for number in range(5_050)))])
    await store.tidy(START + 9 * HOUR)
    assert [found async for found in store.replay(BEGINNING)] == []
    await store.close()


async def test_tidy_may_be_cancelled_anywhere_and_called_again(address: str) -> None:
    store = await leading(address, Retention(samples=timedelta(hours=2)))
    made = [sample(START + number * timedelta(minutes=1), number) for number in range(60 * 6)]
    await store.write([Change(samples=tuple(made))])
    for pause in range(0, 60, 3):
        task = asyncio.create_task(store.tidy(START + 8 * HOUR))
        for _ in range(pause):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await store.tidy(START + 8 * HOUR)
    hours = await store.hours(SITE, BEGINNING)
    assert len(hours) == 6
    assert all(same(hour, recomputed(made, hour.at)) for hour in hours)
    assert await store.samples(SITE, BEGINNING) == []
    await store.close()


async def test_a_reason_for_every_failure_is_kept(store: Store) -> None:
    made = tuple(
        replace(sample(START + n * SECOND, state=State.DOWN), reason=reason) for n, reason in enumerate(Reason)
    )
    await store.write([Change(samples=made)])
    assert await store.samples(SITE, BEGINNING) == list(made)
