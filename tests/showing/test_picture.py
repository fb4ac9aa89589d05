"""Everything at one moment: what colours a check and a system, and what does not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import Config, Skipped, System
from monitor.model import (
    DOWN,
    Alert,
    AlertKey,
    CheckId,
    Drill,
    Level,
    Measure,
    Phase,
    Scope,
    Severity,
    Silence,
    State,
    labels,
)
from monitor.showing import Picture
from monitor.showing.system import ASIDE, for_everybody, together
from monitor.situation import Situation
from monitor.units import Unit
from monitor.view import Condition, Overview
from tests.examples import SECOND, SITE, left_out, sample
from tests.fakes import START
from tests.plans import plan, threshold

if TYPE_CHECKING:
    from monitor.model import Sample
    from monitor.plan import Plan
    from monitor.view import CheckView, SystemView

BASE = CheckId("shop", "database")
SLOW = threshold("duration", warning="> 300ms", critical="> 500ms")
HOUR = timedelta(hours=1)


class Bench:
    """A picture of one system, fed by hand."""

    def __init__(self, *plans: Plan, skipped: tuple[Skipped, ...] = (), public: bool = False) -> None:
        self.plans = {plan.id: plan for plan in plans}
        self.config = Config(self.plans, {"shop": System("shop", "The shop", public=public)}, skipped=skipped)
        self.situation = Situation()
        self.situation.configure(self.plans, (), START)
        self.picture = Picture(self.situation)

    def see(self, one: Sample) -> None:
        self.situation.watched[one.check].see(one)
        self.picture.strip(one.check).add(one, self.situation.silences.values())

    def fire(self, name: str, severity: Severity, check: CheckId = SITE, **of: str) -> Alert:
        key = AlertKey(check, name, labels(of))
        one = Alert(key, name, {severity: Level(Phase.FIRING, 0, timedelta())}, severity=severity, since=START)
        self.situation.board.put(one)
        return one

    def system(self, at: float = 0) -> SystemView:
        (system,) = self.picture.systems(self.config, START + at * SECOND)
        return system

    def check(self, at: float = 0, check: CheckId = SITE) -> CheckView:
        return next(view for view in self.system(at).checks if view.id == check)


@pytest.mark.parametrize(
    ("newest", "condition"),
    [
        (None, Condition.WAITING),
        (sample(0), Condition.UP),
        (sample(0, State.DOWN), Condition.FAILING),
        (sample(0, State.UNKNOWN), Condition.UNKNOWN),
        (left_out(0), Condition.LEFT_OUT),
    ],
)
def test_a_check_of_which_nothing_fires_stands_as_its_newest_run_found_it(
    newest: Sample | None, condition: Condition
) -> None:
    bench = Bench(plan())
    if newest is not None:
        bench.see(newest)
    assert bench.check().condition is condition


@pytest.mark.parametrize("severity", list(Severity))
def test_what_fires_colours_a_check_whatever_its_newest_run_found(severity: Severity) -> None:
    """It is not over before it was seen to recover."""
    bench = Bench(plan(SLOW))
    bench.see(sample(0, State.UP, Measure("duration", 0.1)))
    bench.fire(DOWN, severity)
    view = bench.check()
    assert view.condition == str(severity)
    assert view.since == START
    assert [one.alert.key.name for one in view.alerts] == [DOWN]


def test_a_drill_colours_nothing_and_is_shown() -> None:
    bench = Bench(plan())
    bench.see(sample(0))
    one = bench.fire("drill", Severity.CRITICAL)
    drill = Drill("act", "ann", START, HOUR, Severity.CRITICAL)
    bench.situation.board.put(Alert(one.key, severity=Severity.CRITICAL, since=START, drill=drill))
    view = bench.check()
    assert view.condition is Condition.UP
    assert view.since is None
    assert view.alerts[0].alert.drill == drill


def test_what_is_silenced_colours_all_the_same_and_says_until_when() -> None:
    bench = Bench(plan(SLOW))
    bench.see(sample(0, State.UP, Measure("duration", 0.6)))
    bench.fire("duration", Severity.CRITICAL)
    bench.situation.silences["a"] = Silence("a", Scope("shop"), START, START + HOUR, "ann", maintenance=True)
    view = bench.check()
    assert view.condition is Condition.CRITICAL
    assert view.alerts[0].silenced_until == START + HOUR
    assert view.alerts[0].value == "600 ms"
    assert view.alerts[0].figure == "duration, critical > 500ms"
    assert bench.system().maintenance == START + HOUR
    assert bench.system(3_600).maintenance is None


@given(st.lists(st.sampled_from(Condition), min_size=1))
def test_a_system_is_as_bad_as_its_worst_check_but_for_those_that_do_not_run(conditions: list[Condition]) -> None:
    counting = [one for one in conditions if one not in ASIDE] or conditions
    assert together(conditions) is min(counting, key=lambda one: one.rank)


def test_each_figure_says_its_value_as_messages_do() -> None:
    expiry = threshold("expiry", unit=Unit.TIMESTAMP, warning="< 14d")
    bench = Bench(plan(SLOW, expiry))
    in_a_week = (START + timedelta(days=7)).timestamp()
    bench.see(sample(0, State.UP, Measure("duration", 0.412), Measure("expiry", in_a_week)))
    first, second = bench.check().figures
    assert (first.value, first.shown) == (0.412, "412 ms")
    assert first.figures == {Severity.WARNING: "> 300ms", Severity.CRITICAL: "> 500ms"}
    assert (second.value, second.shown) == (7 * 86_400, "7 d")


def test_the_worst_series_come_first_and_no_more_than_twenty() -> None:
    watched = threshold("age", warning="< 10s")
    bench = Bench(plan(watched))
    measures = [Measure("age", float(number), labels({"job": f"{number:02}"})) for number in range(40)]
    bench.see(sample(0, State.UP, *measures))
    bench.fire("age", Severity.WARNING, job="39")
    bench.fire("age", Severity.WARNING, job="gone")
    shown = [dict(figure.labels)["job"] for figure in bench.check().figures]
    assert shown == ["39", "gone", *(f"{number:02}" for number in range(18))]


def test_a_threshold_without_a_value_is_shown_too() -> None:
    bench = Bench(plan(SLOW))
    (figure,) = bench.check().figures
    assert (figure.value, figure.shown, figure.labels) == (None, "", ())


def test_skipped_checks_come_last_with_the_reason_and_make_nothing_worse() -> None:
    skipped = Skipped("shop/queue", "QUEUE_URL is not set", plan=plan(check=CheckId("shop", "queue")))
    bench = Bench(plan(), skipped=(skipped, Skipped("ops", "HOOK is not set")))
    bench.see(sample(0))
    view = bench.check(check=CheckId("shop", "queue"))
    assert (view.condition, view.skipped, view.kind) == (Condition.SKIPPED, "QUEUE_URL is not set", "scripted")
    assert bench.system().condition is Condition.UP


def test_what_did_not_change_is_not_made_again() -> None:
    bench = Bench(plan(), plan(check=BASE))
    bench.see(sample(0))
    site, base = bench.check(), bench.check(check=BASE)
    bench.see(sample(10))
    assert bench.check(10) != site
    assert bench.check(10, BASE) is base


def test_everybody_sees_title_condition_and_uptime_of_what_is_public_and_nothing_else() -> None:
    bench = Bench(plan(), public=True)
    bench.see(sample(0))
    shown = for_everybody(Overview(START, (bench.system(),), leader="host-7", problems=("It hurts.",)))
    (system,) = shown.systems
    assert (system.title, system.condition, len(system.strip)) == ("The shop", Condition.UP, 24)
    assert (system.checks, system.runbook, system.maintenance) == ((), "", None)
    assert (shown.problems, shown.leader) == ((), "")
    closed = Bench(plan())
    assert for_everybody(Overview(START, (closed.system(),))).systems == ()
