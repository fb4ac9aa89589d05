"""What people are shown, on every real store: by who leads, who waits, before and after a restart, without a store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.config import Skipped
from monitor.incidents import Incident
from monitor.model import (
    BLIND,
    DOWN,
    Act,
    Alert,
    AlertKey,
    Change,
    CheckId,
    Deed,
    Deploy,
    Level,
    Measure,
    Notification,
    Page,
    Phase,
    Reason,
    Sample,
    Scope,
    Severity,
    Silence,
    State,
    Told,
    labels,
)
from monitor.model.alert import EventKind
from monitor.probes.base import MeasureSpec
from monitor.situation import OURSELVES
from monitor.store import StoreUnavailable, StoreUnusable
from monitor.units import Unit
from monitor.view import Condition
from monitor.viewing import Feed, Viewing
from tests.examples import SECOND, SITE, left_out, sample
from tests.fakes import START, FakeClock
from tests.plans import Scripted, plan, threshold
from tests.viewing.rigs import HOUR, Instance

if TYPE_CHECKING:
    from monitor.plan import Plan
    from monitor.store import Store

BASE = CheckId("shop", "database")
SLOW = threshold("duration", warning="> 300ms", critical="> 500ms")
MEAN = threshold("avg(duration, 30m)", warning="> 300ms")
LONG = threshold("avg(duration, 2h)", warning="> 300ms")
MINUTE = timedelta(minutes=1)


class Timed(Scripted):
    """A kind that declares what it measures."""

    measures = (
        MeasureSpec("duration", Unit.SECONDS, "how long it took"),
        MeasureSpec("phase", Unit.SECONDS, "each part", ("phase",)),
    )


def site(**fields: Any) -> Plan:  # noqa: ANN401 - any field
    return replace(plan(SLOW, MEAN, LONG, failures=2, **fields), check=Timed(every=10 * MINUTE, timeout=5 * SECOND))


def took(at: float, seconds: float, state: State = State.UP, check: CheckId = SITE) -> Sample:
    return sample(at, state, Measure("duration", seconds), check=check)


def day(hours: int = 30) -> list[Sample]:
    """Return a run every ten minutes: an outage, slowness that goes on, one that is unknown, one left out."""
    found = []
    for number in range(hours * 6):
        at = number * 600.0
        if number in range(24, 30):
            found.append(took(at, 0.1, State.DOWN))
        elif number == 50:
            found.append(sample(at, State.UNKNOWN))
        elif number == 51:
            found.append(left_out(at))
        else:
            found.append(took(at, 0.6 if number > hours * 6 - 10 else 0.1))
    return found


@pytest.mark.parametrize("tidied", [0, 5, 20, 30], ids="summed up to hour {}".format)
async def test_strip_and_uptime_are_the_same_after_a_restart(store: Store, tidied: int) -> None:
    """Whatever the store has summed up when the process ends, and for whoever waits as for who leads."""
    clock = FakeClock()
    before = Instance(store, clock, site())
    worked_on = Silence("a", Scope("shop"), START + 9 * HOUR, START + 10 * HOUR, "ann", maintenance=True)
    await before.pipeline.hush([worked_on], [])
    runs = day()
    await before.take(*runs[: tidied * 6 + 1])
    await store.tidy(clock.now())
    await before.take(*runs[tidied * 6 + 1 :])
    shown = before.view()
    after, waiting = Instance(store, clock, site()), Instance(store, clock, site(), leads=False)
    after.pipeline.restore(await store.alerts())
    waiting.viewing.overview()
    await after.tick()
    await waiting.tick(timedelta())
    for instance in (after, waiting):
        view = instance.view()
        assert view.strip == shown.strip
        assert (view.day, view.month) == (shown.day, shown.month)
        assert (view.state, view.reason, view.at, view.took) == (shown.state, shown.reason, shown.at, shown.took)
        assert view.condition is Condition.CRITICAL
        assert instance.viewing.overview().systems[0].strip == shown.strip
    assert {cell.worst for cell in shown.strip} == {None, Severity.CRITICAL}
    assert sum(cell.up for cell in shown.strip) < 24 * 6 - 6, "what was worked on does not count"


async def test_what_fired_before_the_day_began_still_colours_its_hours(store: Store) -> None:
    """One that goes on, unchanged for days; one that got worse, and one that ended, within the day."""
    clock = FakeClock()
    plans = [
        plan(threshold("x", unit=Unit.NUMBER, warning="> 1", critical="> 5"), check=CheckId("shop", n)) for n in "abc"
    ]
    before = Instance(store, clock, *plans)

    def x(at: timedelta, **values: float) -> list[Sample]:
        return [
            sample(START + at, State.UP, Measure("x", value), check=CheckId("shop", name))
            for name, value in values.items()
        ]

    await before.take(*x(SECOND, a=2, b=2, c=6))
    await before.take(*x(40 * HOUR + MINUTE, a=2, b=9, c=0))
    await before.take(*x(50 * HOUR, a=2, b=9, c=0))
    shown = [[cell.worst for cell in view.strip] for view in before.viewing.overview().systems[0].checks]
    after = Instance(store, clock, *plans)
    after.pipeline.restore(await store.alerts())
    await after.tick()
    assert [[cell.worst for cell in view.strip] for view in after.viewing.overview().systems[0].checks] == shown
    warning, critical = Severity.WARNING, Severity.CRITICAL
    assert shown[0] == [warning] * 24
    assert shown[1] == [warning] * 13 + [critical] * 11
    assert shown[2] == [critical] * 14 + [None] * 10


async def test_who_waits_shows_what_the_store_has_and_who_leads(store: Store) -> None:
    clock = FakeClock()
    leader = Instance(store, clock, site(), plan(check=BASE))
    await leader.take(*(took(number * 60, 0.1) for number in range(100)), sample(6_000, State.DOWN, check=BASE))
    waiting = Instance(store, clock, site(), plan(check=BASE), leads=False)
    first = waiting.viewing.overview()
    assert (first.leads, first.leader) == (False, "host-7")
    assert {view.condition for view in first.systems[0].checks} == {Condition.WAITING}
    await waiting.tick()
    assert [view.condition for view in waiting.viewing.overview().systems[0].checks] == [
        Condition.UP,
        Condition.FAILING,
    ]
    await leader.take(*(took(6_003 + number * 10, 0.6) for number in range(4)))
    await waiting.tick()
    view, original = waiting.view(), leader.view()
    assert view.condition is original.condition is Condition.CRITICAL
    assert [one.alert for one in view.alerts] == [one.alert for one in original.alerts]
    assert [figure.value for figure in view.figures[:2]] == [figure.value for figure in original.figures[:2]]
    assert view.figures[2].value is None, "two hours are more than is read"
    assert original.figures[2].value is not None
    await leader.take(took(6_050, 0.1))
    await waiting.tick()
    assert waiting.view().strip == leader.view().strip


async def test_who_waits_reads_nothing_while_nobody_asks(store: Store) -> None:
    waiting = Instance(store, FakeClock(), site(), leads=False)
    await waiting.tick()
    assert waiting.opened == 0
    waiting.viewing.overview()
    await waiting.tick()
    await waiting.tick(SECOND)
    assert waiting.opened == 1
    await waiting.tick(2 * MINUTE)
    assert waiting.opened == 1


async def test_who_waits_begins_anew_after_a_long_time_or_with_another_configuration(store: Store) -> None:
    clock = FakeClock()
    leader = Instance(store, clock, site())
    await leader.take(took(0, 0.1))
    waiting = Instance(store, clock, site(), leads=False)
    waiting.viewing.overview()
    await waiting.tick()
    await leader.take(took(3_600, 0.1), took(7_200, 0.1, State.DOWN))
    waiting.viewing.overview()
    await waiting.tick()
    assert waiting.view().condition is Condition.FAILING
    waiting.config = replace(waiting.config, plans={BASE: plan(check=BASE)})
    assert waiting.viewing.overview().systems[0].checks == (), "what is not watched here yet is not shown"
    await waiting.tick()
    assert waiting.view().id == BASE


async def test_a_check_that_seldom_runs_is_remembered_by_who_waits_and_after_a_restart(store: Store) -> None:
    clock = FakeClock()
    daily = replace(plan(threshold("age", warning="> 1d")), check=Timed(every=timedelta(days=1), timeout=SECOND))
    leader = Instance(store, clock, daily)
    await leader.take(sample(0, State.UP, Measure("age", 40.0)))
    clock.skip(5 * HOUR)
    await store.tidy(clock.now())
    waiting, after = Instance(store, clock, daily, leads=False), Instance(store, clock, daily)
    waiting.viewing.overview()
    await waiting.tick()
    await after.tick(timedelta())
    assert after.view().condition is Condition.UP
    assert waiting.view().figures[0].shown == "40 s"


async def test_while_the_store_is_away_the_last_picture_is_shown_and_a_sentence_says_so(store: Store) -> None:
    clock = FakeClock()
    leader, waiting = Instance(store, clock, site()), Instance(store, clock, site(), leads=False)
    await leader.take(took(0, 0.1))
    waiting.viewing.overview()
    await waiting.tick()
    for instance in (leader, waiting):
        instance.away = "no answer"
        instance.problems = ["It hurts."]
        await instance.tick()
        shown = instance.viewing.overview()
        assert shown.problems[0] == "It hurts."
        assert "no answer" in shown.problems[1]
        assert shown.systems[0].condition is Condition.UP
        with pytest.raises(StoreUnavailable):
            await instance.viewing.check(SITE)
        instance.away = ""
        await instance.tick()
        assert instance.viewing.overview().problems == ("It hurts.",)


async def test_that_we_are_blind_is_a_problem_of_the_daemon() -> None:
    leader = Instance(None, FakeClock(), site())  # type: ignore[arg-type] # not asked
    level = {Severity.WARNING: Level(Phase.FIRING, 0, timedelta())}
    blind = Alert(AlertKey(OURSELVES, BLIND), "Most checks give no data", level, severity=Severity.WARNING, since=START)
    leader.picture.situation.board.put(blind)
    assert leader.viewing.overview().problems == ("Most checks give no data",)


async def test_what_was_told_of_an_alert_is_shown_with_it(store: Store) -> None:
    clock = FakeClock()
    leader = Instance(store, clock, site())
    await leader.take(took(0, 0.6))
    (alert,) = [one for one in leader.pipeline.alerts if one.key.name == "duration"]
    told = replace(alert, told=(Told("ops", Severity.CRITICAL, START),))
    leader.picture.situation.board.put(told)
    note = Notification(
        "n",
        "ops",
        alert.incident,
        alert.key,
        EventKind.OPENED,
        Severity.CRITICAL,
        START,
        Page("t", "s", *SITE, "duration"),
    )
    await store.write([Change(owed=(note,))])
    leader.viewing.overview()
    await leader.tick()
    assert [(one.channel, one.delivered_at) for one in leader.view().alerts[0].heard] == [("ops", None)]


async def test_everything_about_one_check(store: Store) -> None:
    clock = FakeClock()
    secret = site(remedy=("Look.",), remedy_for={Reason.DNS: ("Ask.",)}, needs=(BASE,))
    queue = Skipped("shop/queue", "QUEUE_URL is not set", plan=plan(check=CheckId("shop", "queue")))
    leader = Instance(store, clock, secret, skipped=(queue, Skipped("ops", "HOOK is not set")))
    parts = [Measure("phase", seconds, labels({"phase": name})) for name, seconds in (("tls", 0.2), ("dns", 0.1))]
    await leader.take(*(sample(number * 600, State.UP, *parts) for number in range(60)), sample(36_000, State.DOWN))
    await store.tidy(clock.now())
    detail = await leader.viewing.check(SITE)
    assert detail is not None
    assert detail.view == leader.view()
    assert [one.at for one in detail.samples] == [START + 600 * number * SECOND for number in range(60, 30, -1)]
    assert list(detail.phases.items()) == [("tls", 0.2), ("dns", 0.1)]
    assert (detail.remedy, detail.remedy_for, detail.needs) == (("Look.",), {Reason.DNS: ("Ask.",)}, (BASE,))
    assert detail.configuration["every"] == "10 min"
    assert detail.configuration["writes"] is False
    assert detail.configuration["thresholds"] == [
        "duration: warning > 300ms, critical > 500ms",
        "avg(duration, 30m): warning > 300ms",
        "avg(duration, 2h): warning > 300ms",
    ]
    assert detail.measures["duration"] == (Unit.SECONDS, "how long it took")
    other = await leader.viewing.check(CheckId("shop", "queue"))
    assert other is not None
    assert other.view.condition is Condition.SKIPPED
    assert await leader.viewing.check(CheckId("shop", "no-such")) is None


async def test_a_plot_is_of_single_runs_where_they_are_and_of_hours_before(store: Store) -> None:
    clock = FakeClock()
    leader = Instance(store, clock, site())
    await leader.take(*day(40))
    await store.tidy(clock.now())
    deploys = (
        Deploy("shop", START + 39 * HOUR, START + 40 * HOUR, (("", "1", "2"),)),
        Deploy("other", START + 39 * HOUR, START + 40 * HOUR),
    )
    await store.write([Change(deploys=deploys)])
    plot = await leader.viewing.plot(SITE, "duration", 6 * HOUR)
    assert plot is not None
    assert len(plot.series[()]) == 36
    assert plot.lines[0].text == "duration: warning > 300ms"
    assert next(mark.kind for mark in plot.marks) == "alert"
    assert [mark.text for mark in plot.marks if mark.kind == "deploy"] == ["deploy of 2, before 1"]
    assert (await leader.viewing.deploys(START, "shop"))[0].version == "2"
    assert len(await leader.viewing.deploys(START)) == 2
    whole = await leader.viewing.plot(SITE, "duration", timedelta(days=3_000))
    assert whole is not None
    assert whole.until - whole.since == leader.config.retention.hours
    assert whole.dark
    assert await leader.viewing.plot(SITE, "no-such", HOUR) is None
    assert await leader.viewing.plot(BASE, "duration", HOUR) is None
    soon = await leader.viewing.plot(SITE, "duration", timedelta())
    assert soon is not None
    assert soon.until - soon.since == MINUTE


async def test_incidents_and_samples_are_read_and_bounded(store: Store) -> None:
    clock = FakeClock()
    leader = Instance(store, clock, site(), plan(check=BASE, failures=1))
    await leader.take(took(0, 0.6), sample(1, State.DOWN, check=BASE), took(600, 0.1), took(1_200, 0.1))
    act = Act("a", clock.now(), Deed.ACKNOWLEDGE, "ann", Scope(*BASE))
    await leader.pipeline.carry_out(act)
    await leader.writer.write()

    async def of(system: str = "", check: str = "") -> list[tuple[str, bool]]:
        found = await leader.viewing.incidents(START - HOUR, system, check)
        assert all(isinstance(one, Incident) for one in found)
        return [(one.key.name, one.goes_on) for one in found]

    assert (DOWN, True) in await of()
    assert await of("shop", "site") == [(name, goes_on) for name, goes_on in await of() if name != DOWN]
    assert await of("other") == []
    found = await leader.viewing.samples(SITE, START - HOUR, START + 700 * SECOND, 1)
    assert [one.at for one in found] == [START + 600 * SECOND]


async def test_a_new_check_gets_its_past_and_one_that_is_gone_is_forgotten(store: Store) -> None:
    clock = FakeClock()
    leader = Instance(store, clock, site())
    await leader.take(took(0, 0.1))
    await store.tidy(clock.now() + HOUR)
    other = Instance(store, clock, plan(check=BASE))
    await other.tick()
    assert not other.view().day.up
    other.config = replace(other.config, plans={SITE: site()})
    other.pipeline.configure(other.config.plans, ())
    await other.tick(HOUR)
    assert other.view().strip[-2].up == 1
    assert BASE not in other.picture._strips


async def test_once_an_hour_what_the_store_summed_up_counts(store: Store) -> None:
    """Maintenance that was noted too late takes its runs out afterwards."""
    clock = FakeClock()
    leader = Instance(store, clock, site())
    await leader.tick(timedelta())
    await leader.take(took(0, 0.1, State.DOWN), took(600, 0.1))
    late = Silence("a", Scope("shop"), START, START + 5 * MINUTE, "ann", maintenance=True)
    await store.write([Change(silences=(late,))])
    await store.tidy(START + HOUR)
    assert leader.view().strip[-1].down == 1
    await leader.tick(HOUR + 10 * MINUTE)
    assert leader.view().strip[-2][1:3] == (1, 0)


async def test_what_the_store_holds_of_others_or_of_the_future_is_passed_over(store: Store) -> None:
    """A clock that was wrong left a run in the future; a check that is gone left runs, and an alert that goes on."""
    clock = FakeClock()
    leader = Instance(store, clock, site(), plan(check=BASE, failures=1))
    await leader.take(took(0, 0.1), sample(60, State.DOWN, check=BASE))
    await store.write([Change(samples=(took(7_200, 0.1, State.DOWN),))])
    after, waiting = Instance(store, clock, site()), Instance(store, clock, site(), leads=False)
    waiting.viewing.overview()
    for instance in (after, waiting):
        await instance.tick()
        assert instance.view().condition is Condition.UP
        assert sum(cell.down for cell in instance.view().strip) == 0


async def test_a_run_that_was_not_summed_up_for_long_is_found_with_its_values(store: Store) -> None:
    """It ran an hour before the process ended, and then nobody was there for two days."""
    clock = FakeClock()
    leader = Instance(store, clock, site())
    await leader.take(took(0, 0.412), sample(10, State.DOWN), took(20, 0.413))
    clock.skip(48 * HOUR)
    after = Instance(store, clock, site())
    await after.tick()
    assert after.view().figures[0].shown == "413 ms"
    assert after.view().at == START + 20 * SECOND
    assert after.view().month == leader.view().month


async def test_what_reading_meets_is_told_as_a_store_that_cannot_be_read() -> None:
    leader = Instance(None, FakeClock(), site())  # type: ignore[arg-type] # not reached

    async def broken() -> Store:
        raise StoreUnusable("it is of a newer release")

    leader.look = broken  # type: ignore[method-assign]
    leader.viewing = Viewing(leader.clock, leader.picture, leader.means())
    with pytest.raises(StoreUnavailable, match="newer release"):
        await leader.viewing.deploys(START)
    await leader.tick()
    assert "newer release" in leader.viewing.overview().problems[0]


async def test_more_checks_than_are_made_at_once(store: Store) -> None:
    """Others have their turns meanwhile."""
    checks = [CheckId("shop", f"check-{number}") for number in range(60)]
    leader = Instance(store, FakeClock(), *(plan(check=check) for check in checks))
    await leader.take(*(sample(0, check=check) for check in checks))
    leader.viewing.overview()
    await leader.tick()
    assert {view.condition for view in leader.viewing.overview().systems[0].checks} == {Condition.UP}


def test_values_that_no_threshold_sees_are_passed_on() -> None:
    leader = Instance(None, FakeClock(), site())  # type: ignore[arg-type] # not asked
    Feed(leader.beyond, leader.clock, lambda: leader.picture).left_out(SITE, 3)
    assert leader.beyond.seen == [(SITE, 3)]


async def test_what_cannot_be_shown_ends_nothing_and_is_said(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the page must not keep the daemon from paging; when it has gone, so has the sentence."""
    instance = Instance(store, FakeClock(), plan())
    await instance.take(sample(0))

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(instance.viewing, "tick", fails)
        running = asyncio.create_task(instance.viewing.run())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not running.done()
        assert "could not be brought up to date" in instance.viewing.overview().problems[0]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await instance.tick()
    assert instance.viewing.overview().problems == ()


async def test_it_runs_until_it_is_ended_and_passes_everything_on(store: Store) -> None:
    clock = FakeClock()
    leader = Instance(store, clock, site())
    task = asyncio.create_task(leader.viewing.run())
    await leader.take(took(0, 0.6))
    leader.viewing.overview()
    await clock.advance(2 * SECOND)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert leader.picture._made.keys() == {SITE}
    assert leader.beyond.seen[0] == took(0, 0.6)
    assert "duration" in {one.key.name for one in leader.beyond.seen if isinstance(one, Alert)}
