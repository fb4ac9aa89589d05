"""What happens to one sample, and to passing time: from verdicts to what is written, shown and owed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from monitor.model import (
    BLIND,
    DOWN,
    NO_DATA,
    Acknowledgement,
    Alert,
    AlertKey,
    Change,
    CheckId,
    EventKind,
    Measure,
    Notification,
    Page,
    Sample,
    Severity,
    State,
    labels,
)
from monitor.pipeline import Pipeline
from monitor.routing import Call, Route
from monitor.situation import OURSELVES
from monitor.surroundings import notification
from tests.examples import SECOND, SITE, left_out, sample
from tests.fakes import START, FakeClock
from tests.plans import Scripted, plan, threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from monitor.plan import Plan

W, X = Severity.WARNING, Severity.CRITICAL
UP, LOST, DARK = State.UP, State.DOWN, State.UNKNOWN
ASLEEP = None
"""A run that was left out on purpose."""
BASE = CheckId("shop", "database")
ROUTES = (Route(("ops",), repeat=timedelta(hours=1)), Route(("phone",), severities=frozenset({X})))


@dataclass
class Store:
    """Keeps what is written, as the real one would give it back: alerts that are not idle, notifications owed."""

    durable: bool = True
    kept: list[Sample] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def keep(self, sample: Sample) -> None:
        self.kept.append(sample)

    def post(self, change: Change) -> None:
        self.changes.append(change)

    async def commit(self, change: Change) -> bool:
        self.changes.append(change)
        return self.durable

    @property
    def alerts(self) -> dict[AlertKey, Alert]:
        newest = {alert.key: alert for change in self.changes for alert in change.alerts}
        return {key: alert for key, alert in newest.items() if not alert.idle}

    @property
    def live(self) -> list[AlertKey]:
        return [key for key, alert in self.alerts.items() if alert.live]

    def events(self, name: str = "") -> list[EventKind]:
        events = (event for change in self.changes for event in change.events)
        return [event.kind for event in events if not name or event.key.name == name]


@dataclass
class Screen:
    """Keeps what is shown."""

    samples: list[Sample] = field(default_factory=list)
    alerts: dict[AlertKey, Alert] = field(default_factory=dict)
    cut: list[int] = field(default_factory=list)

    def left_out(self, _check: CheckId, count: int) -> None:
        self.cut.append(count)

    def sample(self, sample: Sample) -> None:
        self.samples.append(sample)

    def alert(self, alert: Alert) -> None:
        self.alerts[alert.key] = alert


class Bench:
    """A pipeline with everything around it standing still, fed by hand."""

    def __init__(self, *plans: Plan, store: Store | None = None) -> None:
        self.clock, self.store, self.screen = FakeClock(), store or Store(), Screen()
        self.owed: list[tuple[Notification, bool]] = []
        self.asked: list[CheckId] = []
        self.answers: dict[CheckId, State | None] = {}
        self.pipeline = Pipeline(self.clock, self.store, self.screen, self.owe, self.ask_again)
        self.configure(*plans)

    def configure(self, *plans: Plan) -> None:
        self.pipeline.configure({plan.id: plan for plan in plans}, ROUTES)

    def owe(self, notifications: Sequence[Notification], uncertain: bool) -> None:
        self.owed += [(notification, uncertain) for notification in notifications]

    async def ask_again(self, check: CheckId) -> None:
        self.asked.append(check)
        state = self.answers.get(check, UP)
        now = self.clock.now()
        await self.pipeline.take(left_out(now, check) if state is None else sample(now, state, check=check))

    async def take(self, at: float, state: State | None = UP, *values: float, check: CheckId = SITE) -> None:
        """Take a sample at `at` seconds, with `values` as its duration; no state: the run was left out."""
        await self.clock.advance(START + at * SECOND - self.clock.now())
        if state is None:
            await self.pipeline.take(left_out(at, check))
            return
        measures = [Measure("duration", value) for value in values]
        await self.pipeline.take(sample(at, state, *measures, check=check, detail="expected 200, got 502"))

    async def tick(self, at: float) -> None:
        await self.clock.advance(START + at * SECOND - self.clock.now())
        await self.pipeline.tick()

    def told(self, channel: str = "ops") -> list[tuple[str, EventKind]]:
        return [(note.key.name, note.kind) for note, _ in self.owed if note.channel == channel]


async def test_a_healthy_sample_is_only_kept_and_shown() -> None:
    """Nothing is decided, nothing is urgent."""
    bench = Bench(plan(threshold("duration", warning="> 300ms")))
    await bench.take(0, UP, 0.1)
    assert len(bench.store.kept) == len(bench.screen.samples) == 1
    assert bench.store.changes == []


async def test_an_outage_pages_and_resolves() -> None:
    """Three failures open it, two successes end it; each step is durable before it is owed."""
    bench = Bench(plan())
    for at in (0, 10, 20):
        await bench.take(at, LOST)
    assert bench.told() == bench.told("phone") == [(DOWN, EventKind.OPENED)]
    note = bench.owed[0][0]
    assert note.page.title == "Shop: Site: down"
    assert note.page.summary == "status: expected 200, got 502"
    assert note.page.remedy == ("Restart it.",)
    assert note.severity is X
    await bench.take(30)
    await bench.take(40)
    assert bench.told() == bench.told("phone") == [(DOWN, EventKind.OPENED), (DOWN, EventKind.RESOLVED)]
    assert bench.owed[-1][0].quiet
    assert bench.owed[-1][0].incident == note.incident
    assert bench.store.live == []
    assert bench.store.events() == [EventKind.PENDING, EventKind.OPENED, EventKind.RESOLVED]
    owed = [note for change in bench.store.changes for note in change.owed]
    assert owed == [note for note, _ in bench.owed]


async def test_how_an_incident_stands_can_be_asked_until_it_is_over() -> None:
    """What is said of it is owed to nobody."""
    bench = Bench(plan())
    await bench.take(0, LOST)
    pending = next(iter(bench.pipeline.alerts)).incident
    assert bench.pipeline.about(pending) is None
    for at in (10, 20):
        await bench.take(at, LOST)
    incident, owed = bench.owed[0][0].incident, len(bench.owed)
    note = bench.pipeline.about(incident)
    assert note
    assert (note.incident, note.kind, note.severity) == (incident, EventKind.REPEATED, X)
    assert note.key == bench.owed[0][0].key
    assert note.quiet
    assert note.page.remedy == ("Restart it.",)
    assert bench.pipeline.about("another") is None
    for at in (30, 40):
        await bench.take(at)
    assert bench.pipeline.about(incident) is None
    assert len(bench.owed) == owed * 2


async def test_each_failure_count_is_durable_at_once() -> None:
    """A restart forgets no count."""
    bench = Bench(plan())
    await bench.take(0, LOST)
    await bench.take(10, LOST)
    (alert,) = bench.store.alerts.values()
    assert alert.levels[X].count == 2
    assert [len(change.samples) for change in bench.store.changes] == [1, 1]


async def test_a_figure_crossed_pages_at_its_severity_with_value_and_figure() -> None:
    """Warning to ops; worse to the phone as well, and the same alert; back again quietly."""
    bench = Bench(plan(threshold("duration", warning="> 300ms", critical="> 500ms")))
    for at, value in ((0, 0.1), (10, 0.4), (20, 0.7), (30, 0.4), (40, 0.1)):
        await bench.take(at, UP, value)
    kinds = [EventKind.OPENED, EventKind.WORSENED, EventKind.EASED, EventKind.RESOLVED]
    assert [kind for _, kind in bench.told()] == kinds
    assert [kind for _, kind in bench.told("phone")] == [EventKind.OPENED, *kinds[2:]]
    worse = next(note for note, _ in bench.owed if note.kind is EventKind.WORSENED)
    assert (worse.page.value, worse.page.figure) == ("700 ms", "duration, critical > 500ms")
    assert worse.page.remedy == ("Scale out.",)
    assert len({note.page.title for note, _ in bench.owed}) == 1


async def test_series_beyond_the_limit_are_counted_and_logged_once() -> None:
    """Each time they are left out; the log names the check the first time only."""
    bench = Bench(plan(threshold("duration", warning="> 300ms")))
    many = tuple(Measure("duration", 0.1, labels({"k": str(number)})) for number in range(1_002))
    with capture_logs() as logs:
        for _ in range(3):
            await bench.pipeline.take(replace(sample(at=bench.clock.now()), measures=many))
            await bench.clock.advance(10 * SECOND)
    assert bench.screen.cut == [2, 2, 2]
    assert logs == [{"event": "series_left_out", "check": "shop/site", "most": 1_000, "log_level": "warning"}]


async def test_an_outage_holds_back_the_checks_own_figures() -> None:
    """One cause, one page; what is still crossed when it is over is told then."""
    bench = Bench(plan(threshold("duration", warning="> 300ms"), failures=1))
    await bench.take(0, LOST, 0.9)
    assert bench.told() == [(DOWN, EventKind.OPENED)]
    assert EventKind.HELD in bench.store.events("duration")
    await bench.take(10, UP, 0.9)
    await bench.take(20, UP, 0.9)
    await bench.tick(21)
    assert bench.told() == [(DOWN, EventKind.OPENED), (DOWN, EventKind.RESOLVED), ("duration", EventKind.OPENED)]


async def test_a_need_that_fails_holds_back_its_dependents() -> None:
    """The database is down, so nobody hears of the site; if that is still down when the database is back, they do."""
    bench = Bench(plan(needs=(BASE,), failures=1), plan(check=BASE, failures=1))
    await bench.take(0, LOST, check=BASE)
    await bench.take(1, LOST)
    assert [note.key.check for note, _ in bench.owed if note.channel == "ops"] == [BASE]
    await bench.take(10, UP, check=BASE)
    await bench.take(20, UP, check=BASE)
    await bench.tick(21)
    assert [note.key.check for note, _ in bench.owed if note.channel == "ops"] == [BASE, BASE]
    await bench.take(25, LOST)
    assert [note.key.check for note, _ in bench.owed if note.channel == "ops"] == [BASE, BASE, SITE]


async def test_a_dependent_about_to_page_looks_at_its_needs_first() -> None:
    """The database broke a moment ago and nobody had looked yet."""
    bench = Bench(plan(needs=(BASE,), failures=1), plan(check=BASE, failures=1))
    bench.answers[BASE] = LOST
    await bench.take(5, LOST)
    assert bench.asked == [BASE]
    assert [note.key.check for note, _ in bench.owed if note.channel == "ops"] == [BASE]


async def test_a_need_that_is_well_holds_nothing_back() -> None:
    """It was asked, and the dependent pages."""
    bench = Bench(plan(needs=(BASE,), failures=1), plan(check=BASE))
    await bench.take(5, LOST)
    assert bench.asked == [BASE]
    assert [note.key.check for note, _ in bench.owed if note.channel == "ops"] == [SITE]


async def test_a_need_that_failed_once_and_is_unknown_since_holds_nothing_back() -> None:
    """Nobody can tell how it is, so it explains nothing."""
    bench = Bench(plan(needs=(BASE,), failures=1), plan(check=BASE))
    await bench.take(0, LOST, check=BASE)
    await bench.take(10, DARK, check=BASE)
    bench.answers[BASE] = DARK
    await bench.take(11, LOST)
    assert [note.key.check for note, _ in bench.owed if note.channel == "ops"] == [SITE]


async def test_a_need_that_gives_no_data_holds_nothing_back() -> None:
    """Even if it was down when it was last seen."""
    bench = Bench(plan(needs=(BASE,), failures=1), plan(check=BASE, failures=1))
    await bench.take(0, LOST, check=BASE)
    bench.answers[BASE] = DARK
    for at in (10, 20, 30, 40):
        await bench.take(at, LOST)
        await bench.tick(at)
    assert SITE in {note.key.check for note, _ in bench.owed if note.key.name == DOWN}


async def test_a_page_waits_a_few_seconds_for_its_needs_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The need hangs."""
    bench = Bench(plan(needs=(BASE,), failures=1), plan(check=BASE))

    async def hang(_check: CheckId) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("monitor.pipeline.NEEDS_PATIENCE", SECOND / 100)
    bench.pipeline._ask_again = hang
    await bench.take(5, LOST)
    assert bench.told() == [(DOWN, EventKind.OPENED)]


async def test_what_is_stopped_while_it_is_written_is_owed_all_the_same() -> None:
    """A reload cancels the run whose page was just decided; it is queued for the store already."""
    bench = Bench(plan(failures=1))
    forever = asyncio.Event()

    async def slow(change: Change) -> bool:
        bench.store.changes.append(change)
        await forever.wait()
        return True

    bench.store.commit = slow  # type: ignore[method-assign]
    run = asyncio.create_task(bench.pipeline.take(sample(0, LOST)))
    await bench.clock.settle()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert bench.told() == [(DOWN, EventKind.OPENED)]
    assert all(uncertain for _, uncertain in bench.owed)


async def test_a_restart_resolves_no_data_only_when_something_was_seen() -> None:
    """Having just begun to look is no sign of life."""
    first = Bench(plan(), plan(check=BASE), plan(check=CheckId("shop", "third")))
    await first.take(0, check=BASE)
    await first.take(0, check=CheckId("shop", "third"))
    await first.take(29, check=BASE)
    await first.take(29, check=CheckId("shop", "third"))
    await first.tick(31)
    second = Bench(plan(), plan(check=BASE), plan(check=CheckId("shop", "third")))
    second.pipeline.restore(first.store.alerts.values())
    await second.tick(1)
    assert second.told() == []
    await second.take(5)
    await second.tick(6)
    assert second.told() == [(NO_DATA, EventKind.RESOLVED)]


async def test_after_the_machine_slept_nothing_is_silent_before_it_was_looked_at() -> None:
    """Nobody could look."""
    bench = Bench(plan())
    await bench.take(0)
    await bench.tick(1)
    await bench.tick(3600)
    assert bench.told() == []


async def test_nothing_is_expected_of_what_runs_only_when_asked_for() -> None:
    """It has no gaps, and when it is all there is, nobody is blind."""
    others = [plan(check=CheckId("shop", name)) for name in ("a", "b", "c")]
    bench = Bench(*(replace(each, check=Scripted(regular=False)) for each in (plan(), *others)))
    await bench.tick(1)
    for second in range(2, 4000, 20):
        await bench.tick(second)
    assert bench.told() == []


async def test_a_fallback_is_not_told_what_is_over_or_what_it_hears_anyway() -> None:
    """No stale firing, no second page."""
    bench = Bench(plan(failures=1))
    await bench.take(0, LOST)
    note = bench.owed[0][0]
    await bench.pipeline.fall_back(note, "phone")
    assert [kind for _, kind in bench.told("phone")] == [EventKind.OPENED]
    await bench.take(10)
    await bench.take(20)
    await bench.pipeline.fall_back(note, "mail")
    assert bench.told("mail") == []


async def test_samples_of_the_future_do_not_blind_the_windows() -> None:
    """They are of a clock that has been set back since."""
    bench = Bench(plan(threshold("avg(duration, 1m)", warning="> 300ms")))
    bench.pipeline.recall(sample(3600, UP, Measure("duration", 0.1)))
    await bench.take(10, UP, 0.9)
    assert bench.told() == [("avg(duration, 1m)", EventKind.OPENED)]


async def test_a_changed_check_keeps_what_its_windows_know() -> None:
    """A new title resolves nothing."""
    slow = threshold("avg(duration, 1m)", warning="> 300ms")
    bench = Bench(plan(slow))
    await bench.take(0, UP, 0.9)
    bench.configure(plan(slow, title="Another", fingerprint="2"))
    await bench.take(10, UP, 0.1)
    assert bench.told() == [("avg(duration, 1m)", EventKind.OPENED)]
    assert bench.pipeline.unsettled() == []


async def test_unknown_decides_nothing() -> None:
    """It opens nothing, resolves nothing, resets no count."""
    bench = Bench(plan())
    for at, state in ((0, LOST), (10, DARK), (20, LOST), (30, DARK), (40, LOST), (50, DARK), (60, UP), (70, DARK)):
        await bench.take(at, state)
    assert bench.told() == [(DOWN, EventKind.OPENED)]
    await bench.take(80)
    assert bench.told()[-1] == (DOWN, EventKind.RESOLVED)


async def test_nothing_but_unknown_for_three_intervals_is_no_data() -> None:
    """A warning of its own, which resolves nothing and ends with the first known run."""
    bench = Bench(plan(failures=1))
    await bench.take(0, LOST)
    for at in (10, 20):
        await bench.take(at, DARK)
    await bench.tick(29)
    assert bench.told() == [(DOWN, EventKind.OPENED)]
    await bench.tick(30)
    assert bench.told()[-1] == (NO_DATA, EventKind.OPENED)
    assert bench.owed[-1][0].severity is W
    await bench.take(40, LOST)
    await bench.tick(41)
    assert bench.told()[-1] == (NO_DATA, EventKind.RESOLVED)
    assert DOWN in {alert.key.name for alert in bench.pipeline.alerts}


async def test_many_without_data_are_one_notice_that_we_are_blind() -> None:
    """Not one for each."""
    names = [CheckId("shop", f"c{n}") for n in range(10)]
    bench = Bench(*(plan(check=name) for name in names))
    await bench.tick(31)
    assert bench.told() == [(BLIND, EventKind.OPENED)]
    for name in names[:-1]:
        await bench.take(40, UP, check=name)
    await bench.tick(41)
    assert bench.told() == [(BLIND, EventKind.OPENED), (BLIND, EventKind.RESOLVED), (NO_DATA, EventKind.OPENED)]
    assert {note.key.check for note, _ in bench.owed} == {OURSELVES, names[-1]}


async def test_reminders_come_while_it_goes_on() -> None:
    """Every hour to ops, as its route says, four hours to the phone."""
    bench = Bench(plan(failures=1))
    for minute in range(0, 125, 1):
        await bench.take(minute * 60, LOST)
        await bench.tick(minute * 60 + 1)
    assert [kind for _, kind in bench.told()] == [EventKind.OPENED, EventKind.REPEATED, EventKind.REPEATED]
    assert [kind for _, kind in bench.told("phone")] == [EventKind.OPENED]


async def test_what_is_taken_out_of_the_file_while_firing_is_closed_as_removed() -> None:
    """The check, or only its threshold; whoever was told hears it."""
    slow = threshold("duration", warning="> 300ms")
    bench = Bench(plan(slow), plan(check=BASE, failures=1))
    await bench.take(0, UP, 0.9)
    await bench.take(0, LOST, check=BASE)
    bench.configure(plan(fingerprint="2"))
    await bench.tick(5)
    assert sorted(kind for _, kind in bench.told()) == ["opened", "opened", "removed", "removed"]
    assert bench.store.live == []
    assert bench.pipeline.alerts == []
    await bench.take(10, LOST, check=BASE)
    assert len(bench.screen.samples) == 2


async def test_a_fallback_is_owed_and_hears_the_end() -> None:
    """The twin has an id of its own, the same whenever it is made."""
    bench = Bench(plan(failures=1))
    await bench.take(0, LOST)
    note = bench.owed[0][0]
    await bench.pipeline.fall_back(note, "mail")
    twin = bench.owed[-1][0]
    assert (twin.channel, twin.fallback_for, twin.incident) == ("mail", "ops", note.incident)
    assert bench.store.changes[-1].events[0].detail == f"{note.id} to mail"
    await bench.take(10)
    await bench.take(20)
    assert bench.told("mail") == [(DOWN, EventKind.OPENED), (DOWN, EventKind.RESOLVED)]


async def test_a_fallback_that_never_heard_of_it_is_told_that_it_is_new() -> None:
    """Only ops took the warning; so a page for mail that never arrives leaves mail with an end that tells all."""
    bench = Bench(plan(threshold("duration", warning="> 300ms", critical="> 500ms")))
    await bench.take(0, UP, 0.4)
    await bench.take(10, UP, 0.7)
    worse = next(note for note, _ in bench.owed if note.kind is EventKind.WORSENED)
    await bench.pipeline.fall_back(worse, "mail")
    assert bench.told("mail") == [("duration", EventKind.OPENED)]


async def test_while_the_store_is_away_what_is_owed_is_uncertain() -> None:
    """Criticals go out all the same."""
    bench = Bench(plan(failures=1), store=Store(durable=False))
    await bench.take(0, LOST)
    assert all(uncertain for _, uncertain in bench.owed)


async def test_alerts_begin_beside_others_that_are_named() -> None:
    """What else began then stands in the page."""
    bench = Bench(plan(failures=1), plan(check=BASE, failures=1))
    await bench.take(0, LOST, check=BASE)
    await bench.take(60, LOST)
    assert bench.owed[-1][0].page.beside == ("Shop: Database: down",)


class Vendor(Scripted):
    """Tells of a vendor."""

    tells_of_vendor = True


async def test_incidents_of_the_systems_own_vendors_explain_and_come_first() -> None:
    """However long they have lasted; those of another system's vendors explain nothing."""
    incident = threshold("duration", warning="> 1s")
    vendors = [replace(plan(incident, check=CheckId(name, "status")), check=Vendor()) for name in ("shop", "shed")]
    bench = Bench(plan(failures=1), plan(check=BASE, failures=1), *vendors)
    for vendor in vendors:
        await bench.take(0, UP, 2.0, check=vendor.id)
    await bench.take(3_000, LOST, check=BASE)
    await bench.take(3_060, LOST)
    assert bench.owed[-1][0].page.beside == ("Shop: Status: duration", "Shop: Database: down")


async def test_refilling_windows_is_no_sign_of_life() -> None:
    """Old samples fill the windows but say nothing of now."""
    bench = Bench(plan(threshold("avg(duration, 1m)", warning="> 300ms")))
    await bench.tick(29)
    bench.pipeline.recall(sample(25, UP, Measure("duration", 0.9)))
    bench.pipeline.recall(sample(1, check=BASE))
    await bench.tick(31)
    assert bench.told() == [(NO_DATA, EventKind.OPENED)]


async def test_a_memory_that_comes_late_is_joined_with_what_was_seen_meanwhile() -> None:
    """The store was away at the start: it is still the old incident, and both who were told hear its end."""
    first = Bench(plan(failures=1))
    await first.take(0, LOST)
    (remembered,) = first.store.alerts.values()
    second = Bench(plan(failures=1))
    await second.take(300, LOST)
    old = replace(remembered, told=(*remembered.told[:1], replace(remembered.told[0], channel="former")))
    second.pipeline.restore([old])
    await second.take(310)
    await second.take(320)
    assert {note.channel for note, _ in second.owed if note.kind is EventKind.RESOLVED} == {"ops", "phone", "former"}
    assert second.owed[-1][0].page.since == START
    assert second.pipeline.alerts == []


async def test_what_is_remembered_late_is_written_again() -> None:
    """A shorter outage came and went meanwhile, and that it is over waits to be written under the same name."""
    first, second = Bench(plan(failures=1)), Bench(plan(failures=1))
    await first.take(0, LOST)
    (remembered,) = first.store.alerts.values()
    second.pipeline.begin()
    for at, state in ((300, LOST), (310, UP), (320, UP)):
        await second.take(at, state)
    second.pipeline.restore([remembered])
    assert [replace(alert, changes=()) for alert in second.store.alerts.values()] == [replace(remembered, changes=())]


Story = list[tuple[State | None, float, int]]
stories = st.lists(
    st.tuples(st.sampled_from([UP, LOST, DARK, ASLEEP]), st.sampled_from([0.1, 0.4, 0.7]), st.integers(1, 40)),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(story=stories, cut=st.integers(0, 25))
async def test_a_restart_at_any_point_changes_nothing(story: Story, cut: int) -> None:
    """The second process, given what the first one wrote, owes exactly what one process would have owed."""
    slow = threshold("avg(duration, 60s)", warning="> 300ms", critical="> 500ms", hold=15 * SECOND)
    whole, first = Bench(plan(slow)), Bench(plan(slow))
    seen: list[Sample] = []
    benches, at = [first], 0
    for number, (state, value, later) in enumerate(story):
        at += later
        if number == cut:
            second = Bench(plan(slow), store=replace(first.store, changes=list(first.store.changes)))
            await second.clock.advance(first.clock.now() - START)
            for one in seen:
                second.pipeline.recall(one)
            second.pipeline.restore(first.store.alerts.values())
            benches.append(second)
        for bench in (whole, benches[-1]):
            await bench.take(at, state, *([value] if state in {UP, LOST} else []))
        seen.append(whole.screen.samples[-1])
    told = [note for bench in benches for note, _ in bench.owed]
    nothing = Page("", "", "", "", "")
    assert [replace(note, page=nothing) for note in told] == [replace(note, page=nothing) for note, _ in whole.owed]
    assert {alert.key: alert for alert in benches[-1].pipeline.alerts} == {
        key: whole.store.alerts[key] for key in whole.store.live
    }


async def test_a_run_left_out_opens_and_resolves_nothing() -> None:
    """It resets no count; what was told stays as it was, and says why nothing is seen of it now."""
    bench = Bench(plan(threshold("duration", warning="> 300ms")))
    for number, state in enumerate((LOST, ASLEEP, LOST, ASLEEP, LOST, ASLEEP, UP, ASLEEP)):
        await bench.take(10 * number, state, *([0.9] if state is UP else []))
    assert bench.told() == [(DOWN, EventKind.OPENED)]
    assert [state for _, state in bench.told("phone")] == [EventKind.OPENED]
    await bench.take(3_670, ASLEEP)
    assert bench.told() == [(DOWN, EventKind.OPENED), (DOWN, EventKind.REPEATED)]
    assert bench.owed[-1][0].page.summary == "It was left out on purpose: it sleeps."
    await bench.take(3_680, UP, 0.1)
    assert bench.told()[-1] == (DOWN, EventKind.RESOLVED)


async def test_time_asleep_is_no_part_of_a_for() -> None:
    """Neither before it nor after it."""
    bench = Bench(plan(threshold("duration", warning="> 300ms", hold=25 * SECOND)))
    for at, state in ((0, UP), (10, UP), (20, ASLEEP), (30, UP), (40, UP)):
        await bench.take(at, state, *([0.9] if state is UP else []))
    assert bench.told() == []
    await bench.take(50, UP, 0.9)
    assert bench.told() == [("duration", EventKind.OPENED)]


async def test_a_check_that_sleeps_for_hours_is_not_without_data() -> None:
    """Nor does it make us blind, however many sleep, and even if none was ever awake."""
    names = [CheckId("shop", f"c{n}") for n in range(5)]
    bench = Bench(*(plan(check=name) for name in names))
    for at in range(0, 3_600, 20):
        for name in names:
            await bench.take(at, ASLEEP, check=name)
        await bench.tick(at + 1)
    assert bench.told() == []
    assert bench.store.changes == []
    assert len(bench.store.kept) == 5 * 180


async def test_no_data_ends_when_it_is_known_to_sleep() -> None:
    """Whether it sleeps could not be asked for a while. The outage from before is not resolved by that."""
    bench = Bench(plan(failures=1))
    await bench.take(0, LOST)
    for at in (10, 20, 30):
        await bench.take(at, DARK)
    await bench.tick(31)
    assert bench.told()[-1] == (NO_DATA, EventKind.OPENED)
    await bench.take(40, ASLEEP)
    await bench.tick(41)
    assert bench.told() == [(DOWN, EventKind.OPENED), (NO_DATA, EventKind.OPENED), (NO_DATA, EventKind.RESOLVED)]
    assert bench.owed[-1][0].page.summary == "It was left out on purpose: it sleeps."


async def test_an_end_of_blindness_may_be_that_they_sleep() -> None:
    """After a restart, with the notice still open."""
    names = [CheckId("shop", f"c{n}") for n in range(4)]
    first, second = (Bench(*(plan(check=name) for name in names)) for _ in range(2))
    await first.tick(31)
    second.pipeline.restore(alert for alert in first.store.alerts.values() if alert.key.name == BLIND)
    for name in names:
        await second.take(5, ASLEEP, check=name)
    await second.tick(6)
    assert second.told() == [(BLIND, EventKind.RESOLVED)]


async def test_a_need_that_sleeps_explains_nothing() -> None:
    """Also if it was down before it fell asleep, and while nobody can ask about it."""
    bench = Bench(plan(needs=(BASE,), failures=1), plan(check=BASE, failures=1))
    await bench.take(0, LOST, check=BASE)
    await bench.take(10, ASLEEP, check=BASE)
    bench.answers[BASE] = ASLEEP
    await bench.take(11, LOST)
    assert [note.key.check for note, _ in bench.owed if note.channel == "ops"] == [BASE, SITE]
    second = Bench(plan(needs=(BASE,), failures=1), plan(check=BASE, failures=1))
    await second.take(0, LOST, check=BASE)
    await second.take(10, ASLEEP, check=BASE)
    second.answers[BASE] = DARK
    await second.take(11, LOST)
    assert [note.key.check for note, _ in second.owed if note.channel == "ops"] == [BASE, SITE]


async def test_a_dependent_that_sleeps_is_not_paged_for_when_its_need_is_back() -> None:
    """It failed along, and nobody has looked at it since; once somebody has, and it still fails, it is told."""
    bench = Bench(plan(needs=(BASE,), failures=1), plan(check=BASE, failures=1))
    await bench.take(0, LOST, check=BASE)
    await bench.take(1, LOST)
    for at in (10, 20, 30):
        await bench.take(at, UP, check=BASE)
        await bench.take(at + 1, ASLEEP)
        await bench.tick(at + 2)
    assert {note.key.check for note, _ in bench.owed} == {BASE}
    await bench.take(41, LOST)
    assert {note.key.check for note, _ in bench.owed} == {BASE, SITE}


@settings(max_examples=60, deadline=None)
@given(story=stories)
async def test_a_run_left_out_decides_just_what_an_unknown_one_does(story: Story) -> None:
    """Nothing; only that the check has data, and may be told apart."""
    slow = threshold("avg(duration, 60s)", warning="> 300ms", critical="> 500ms", hold=15 * SECOND)
    bench, other = Bench(plan(slow)), Bench(plan(slow))
    at = 0
    for state, value, later in story:
        at += later
        values = [value] if state in {UP, LOST} else []
        await bench.take(at, state, *values)
        await other.take(at, DARK if state is ASLEEP else state, *values)
        await bench.tick(at)
        await other.tick(at)
        if state is ASLEEP:
            assert AlertKey(SITE, NO_DATA) not in {
                alert.key for alert in bench.pipeline.alerts if alert.severity is not None
            }
    told, wanted = ([one for one in each.told() if one[0] != NO_DATA] for each in (bench, other))
    assert told == wanted
    kept, known = (
        {alert.key: replace(alert, told=()) for alert in each.pipeline.alerts if alert.key.name != NO_DATA}
        for each in (bench, other)
    )
    assert kept == known


async def answered(bench: Bench, incident: str = "", *channels: str) -> list[Notification]:
    """Return what is owed because a step of the outage's remedy found something."""
    before = len(bench.owed)
    note = bench.owed[0][0]
    await bench.pipeline.answer(note.key, incident or note.incident, {"Restart it.": "api 20"}, channels)
    return [note for note, _ in bench.owed[before:]]


async def test_what_steps_found_is_told_quietly_to_those_who_were_told() -> None:
    """Only where a message can be silent, journalled, and told again with the next reminder."""
    bench = Bench(plan(failures=1))
    await bench.take(0, LOST)
    (note,) = await answered(bench, "", "ops", "nobody")
    assert (note.channel, note.kind, note.quiet) == ("ops", EventKind.ANSWERED, True)
    assert note.page.remedy == ("Restart it.",)
    assert note.page.answers == ("api 20",)
    assert bench.store.events()[-1] is EventKind.ANSWERED
    assert bench.store.changes[-1].events[-1].detail == "api 20"
    assert note.incident == bench.owed[0][0].incident
    await bench.take(3_601, LOST)
    await bench.tick(3_601)
    reminder = bench.owed[-1][0]
    assert (reminder.kind, reminder.page.answers) == (EventKind.REPEATED, ("api 20",))


async def test_what_steps_found_of_an_incident_that_is_over_is_told_to_nobody() -> None:
    """Nor in the next one."""
    bench = Bench(plan(failures=1))
    await bench.take(0, LOST)
    assert await answered(bench, "another", "ops") == []
    await bench.take(10)
    await bench.take(20)
    assert await answered(bench, "", "ops") == []
    await bench.take(30, LOST)
    assert bench.owed[-1][0].page.answers == ()


async def test_the_next_page_tells_what_helped_the_last_times() -> None:
    """And so it does after a restart; a resolve has no use for it."""
    bench, again = Bench(plan(failures=1)), Bench(plan(failures=1))
    kept = bench.pipeline._situation.noted.add(AlertKey(SITE, DOWN), "restarted the worker", "ana", START)
    assert again.pipeline.remind(kept) == kept
    for each in (bench, again):
        await each.take(0, LOST)
        assert each.owed[0][0].page.before == ("restarted the worker (ana, 5 Jan)",)
    await bench.take(10)
    await bench.take(20)
    assert bench.owed[-1][0].page.before == ()


async def test_a_page_tells_what_it_may_have_in_common_with_others() -> None:
    """What its plan knows, a vendor's incident, and the reason; of a run that is up, none."""

    class Status(Scripted):
        tells_of_vendor: ClassVar = True

        @property
        def tells_of(self) -> str:
            return "Render"

    vendor = plan(check=BASE, failures=1)
    vendor = replace(vendor, check=Status(every=10 * SECOND, timeout=5 * SECOND))
    bench = Bench(plan(threshold("duration", critical="> 1s"), failures=1, kin=(("platform", "Render"),)), vendor)
    await bench.take(0, UP, 2)
    assert bench.owed[0][0].page.shares == (("platform", "Render"),)
    await bench.take(1, LOST, check=BASE)
    await bench.take(10, LOST)
    shares = (("platform", "Render"), ("incident", "Render"), ("reason", "status"))
    assert bench.owed[-1][0].page.shares == shares


async def test_who_has_taken_it_is_told_until_that_lapses() -> None:
    """And, when it lapses, who had."""
    bench = Bench(plan(failures=1))
    await bench.take(0, LOST)
    situation, (alert,) = bench.pipeline._situation, bench.pipeline.alerts
    taken = Acknowledgement("ana", START, X, START + 60 * SECOND)
    alert = replace(alert, acknowledged=taken, rung_at=START, changes=(START, START + SECOND))

    def told(kind: EventKind, at: float) -> Page:
        return notification(situation, alert, Call("ops", kind, X, quiet=False), START + at * SECOND).page

    assert told(EventKind.REPEATED, 59).taken == told(EventKind.LAPSED, 60).taken == taken
    assert told(EventKind.REPEATED, 60).taken is told(EventKind.RESOLVED, 59).taken is None
    assert told(EventKind.ESCALATED, 60).rung == START
    assert (told(EventKind.FLAPPING, 60).changes, told(EventKind.REPEATED, 60).changes) == (2, 0)
