from datetime import timedelta
from typing import ClassVar

import pytest

from monitor.config.fields import RetentionFields, SystemFields
from monitor.config.planning import make_plan
from monitor.config.section import Context, Section
from monitor.config.variables import Variables
from monitor.config.yaml_file import Document
from monitor.model import CheckId
from monitor.plan import Plan
from monitor.probes.base import Check, MeasureSpec, Run, ThresholdFields
from monitor.units import Unit

KEPT = RetentionFields(samples=timedelta(days=1))


class Gauge(Check):
    """A kind with a measure of each unit, and thresholds of its own."""

    kind: str = "gauge"
    measures: ClassVar[tuple[MeasureSpec, ...]] = (
        MeasureSpec("duration", Unit.SECONDS, "how long it took"),
        MeasureSpec("share", Unit.RATIO, "how full it is"),
        MeasureSpec("load", Unit.RATIO, "how full it would have to be", exceeds=True),
        MeasureSpec("size", Unit.BYTES, "how large it is"),
        MeasureSpec("count", Unit.NUMBER, "how many there are"),
        MeasureSpec("events", Unit.NUMBER, "how many events there were", ("type", "shop")),
        MeasureSpec("expiry", Unit.TIMESTAMP, "when it ends"),
    )

    def declared(self) -> tuple[MeasureSpec, ...]:
        return (*self.measures, MeasureSpec("found", Unit.NUMBER, "what a query gives"))

    @property
    def host(self) -> str:
        return "localhost"

    async def probe(self, run: Run) -> None:
        raise AssertionError(run)

    def implied(self) -> tuple[ThresholdFields, ...]:
        return (
            ThresholdFields(watch="size", name="size", critical="> 1GB"),
            ThresholdFields(watch="none", name="none"),
        )


class Odd(Gauge):
    """A kind that says the same twice, and uses a label of ours."""

    measures: ClassVar[tuple[MeasureSpec, ...]] = (
        MeasureSpec("count", Unit.NUMBER, "how many there are", ("system", "state")),
        MeasureSpec("count", Unit.NUMBER, "how many there are"),
        MeasureSpec("size", Unit.BYTES, "how large it is"),
    )


def planned(check: Check, kept: RetentionFields = KEPT) -> tuple[Plan, list[str]]:
    context = Context(Variables({}))
    section = Section(Document("shop.yaml", {"system": "shop"}), ("checks", "site"), context)
    plan = make_plan(CheckId("shop", "site"), check, SystemFields(checks={}), section, kept)
    return plan, [fault.message for fault in context.faults]


def faults_of(watch: str, **figures: str) -> list[str]:
    fields = ThresholdFields.model_validate({"watch": watch, "name": "own", **figures})
    faults = planned(Gauge(thresholds=[fields]))[1]
    return [fault for fault in faults if "none" not in fault]


def test_a_threshold_of_the_kind_that_its_measures_do_not_fit_is_told() -> None:
    """A kind's own mistake must not go unseen."""
    plan, faults = planned(Gauge())
    assert [threshold.name for threshold in plan.thresholds] == ["size"]
    assert faults == ["a check of kind gauge has no measure 'none'"]


def test_measures_that_are_there_twice_or_have_a_label_of_ours_are_told() -> None:
    faults = planned(Odd())[1]
    assert "the measure count is there twice" in faults
    assert "the measure count has a label system, which every series has already" in faults


@pytest.mark.parametrize(
    ("watch", "figure"),
    [
        ("share", "> 100%"),
        ("share", ">= 101%"),
        ("share", "< 0%"),
        ("share", "<= -1%"),
        ("share", "== 150%"),
        ("avg(share, 1h)", "> 100%"),
        ("p50(share, 1h)", "> 100%"),
        ("rate(count, 1h)", "< 0/s"),
        ("increase(count, 1h)", "< 0"),
    ],
)
def test_a_figure_outside_of_what_can_be_measured_never_fires(watch: str, figure: str) -> None:
    assert faults_of(watch, critical=figure) == [f"{figure!r} can never be true of {watch}"]


@pytest.mark.parametrize(
    ("watch", "figure"),
    [
        ("share", ">= 0%"),
        ("share", "> -1%"),
        ("share", "<= 100%"),
        ("share", "< 101%"),
        ("share", "!= 150%"),
        ("increase(count, 1h)", ">= 0"),
    ],
)
def test_a_figure_beyond_what_can_be_measured_always_fires(watch: str, figure: str) -> None:
    assert faults_of(watch, critical=figure) == [f"{figure!r} is always true of {watch}"]


@pytest.mark.parametrize(
    ("watch", "figure"),
    [
        ("share", ">= 100%"),
        ("share", "<= 0%"),
        ("share", "== 100%"),
        ("share", "!= 0%"),
        ("share", "> 80%"),
        ("load", "> 100%"),
        ("max(load, 1h)", "> 250%"),
        ("count", "< -5"),
        ("count", ">= 0"),
        ("sum(share, 1h)", "> 500%"),
        ("change(share, 1h)", "< -50%"),
        ("change(share, 1h)", "> 200%"),
        ("sum(duration, 1h)", "> 1m"),
        ("increase(duration, 1h)", "> 1m"),
        ("duration", "> 9s"),
    ],
)
def test_a_figure_that_may_or_may_not_be_crossed_is_fine(watch: str, figure: str) -> None:
    """A sum or a change may leave the range of the values that it is made of."""
    assert faults_of(watch, critical=figure) == []


@pytest.mark.parametrize(
    ("info", "warning", "critical"),
    [
        ("> 70%", "> 80%", "> 90%"),
        ("< 30%", "< 20%", "< 10%"),
        ("> 80%", "", "> 80%"),
        (">= 80%", "> 80%", ""),
        ("", "!= 50%", "> 90%"),
        ("== 1%", "", "== 2%"),
        ("> 70%", "== 50%", "> 90%"),
    ],
)
def test_figures_that_get_worse_in_one_direction_are_fine(info: str, warning: str, critical: str) -> None:
    """Equal ones too: a level may differ in its `for` alone. What is equal or not has no direction."""
    assert faults_of("share", info=info, warning=warning, critical=critical) == []


@pytest.mark.parametrize(
    ("info", "warning", "critical", "count"),
    [
        ("> 80%", "> 70%", "> 90%", 1),
        ("> 80%", "> 70%", "> 60%", 2),
        ("< 10%", "", "< 20%", 1),
        ("< 10%", "> 20%", "", 1),
    ],
)
def test_figures_that_do_not_are_faults(info: str, warning: str, critical: str, count: int) -> None:
    assert len(faults_of("share", info=info, warning=warning, critical=critical)) == count


@pytest.mark.parametrize(
    ("watch", "every", "held"),
    [
        ("p95(count, 210s)", "10s", True),
        ("p95(count, 201s)", "10s", True),
        ("p95(count, 200s)", "10s", False),
        ("p50(count, 21s)", "10s", True),
        ("avg(count, 5s)", "10s", True),
        ("rate(count, 10s)", "10s", False),
        ("rate(count, 11s)", "10s", True),
        ("avg(count, 1d)", "10s", True),
    ],
)
def test_a_window_must_hold_what_its_function_needs(watch: str, every: str, held: bool) -> None:
    """The window is (t-w, t]: a run exactly w ago is out."""
    target = "< 5/s" if watch.startswith("rate") else "< 5"
    check = Gauge.model_validate({"every": every, "thresholds": [{"watch": watch, "target": target}]})
    faults = [fault for fault in planned(check)[1] if "window" in fault]
    assert (not faults) is held


@pytest.mark.parametrize(
    ("watch", "figure"),
    [
        ("usual(count, 1h)", "> 3"),
        ("usual(duration, 1d, 100ms)", "< 0.3"),
        ("usual(rate(count, 5m), 0.1/s)", "> 3"),
        ("drift(events by type, 1d)", "> 30%"),
        ("drift(rate(events, 1d) by shop, 100)", ">= 100%"),
        ("drift(events, 1d)", "> 0"),
        ("unseen(events by type)", "> 0"),
        ("unseen(found)", "> 0"),
        ('unseen(events{shop="a"})', "> 0"),
    ],
)
def test_what_looks_back_is_a_threshold_like_any_other(watch: str, figure: str) -> None:
    """What a file's own query gives may have labels that only the query knows."""
    assert faults_of(watch, warning=figure) == []


@pytest.mark.parametrize(
    ("watch", "figure", "fault"),
    [
        ("usual(count, 1h, 5MB)", "> 3", "'usual(count, 1h, 5MB)': '5MB' is not a plain number"),
        ("usual(duration, 1h, 5)", "> 3", "'usual(duration, 1h, 5)' needs a unit such as 5ms"),
        ("usual(duration, 1h)", "> 3s", "'> 3s': '3s' is not a plain number"),
        ("usual(expiry, 1h)", "> 3", "usual(expiry, 1h): expiry is a moment, judged by the time left; …"),
        ("usual(rate(share, 1h))", "> 3", "usual(rate(share, 1h)): share is in ratio and no counter; …"),
        ("usual(rate(count, 10s))", "> 3", "a window of 10 s holds 1 runs every 30 s, usual(rate(count, 10s)) needs 2"),
        ("drift(events by kind, 1d)", "> 3%", "events has no label 'kind'"),
        ("drift(count, 1d)", "> 3%", "count has no label whose values drift could tell apart"),
        ("drift(events, 1d)", "> 100%", "'> 100%' can never be true of drift(events, 1d)"),
        ("drift(events, 1d)", ">= 0%", "'>= 0%' is always true of drift(events, 1d)"),
        ("drift(events, 1d)", "> 3", "'> 3' needs a unit such as 3%"),
        ("unseen(count)", "> 0", "count has no label whose values unseen could tell apart"),
        ("unseen(events)", "< 0", "'< 0' can never be true of unseen(events)"),
        ("unseen(events, 2d)", "> 0", "the window is longer than samples are kept (1 d)"),
    ],
)
def test_what_makes_no_sense_of_the_past_is_a_fault(watch: str, figure: str, fault: str) -> None:
    (found,) = faults_of(watch, warning=figure)
    assert found == fault or (fault.endswith("…") and found.startswith(fault[:-1]))


def test_what_is_usual_at_an_hour_needs_a_run_in_each() -> None:
    every = {"every": "61m", "thresholds": [{"watch": "usual(count, 1d)", "warning": "> 3"}]}
    faults = planned(Gauge.model_validate(every))[1]
    assert "what is usual is known by the hour, and it runs every 1 h 1 min" in faults
    assert not any("usual" in fault for fault in planned(Gauge.model_validate({**every, "every": "1h"}))[1])


@pytest.mark.parametrize(
    ("watch", "days", "enough"),
    [
        ("usual(count, 1d)", 14, True),
        ("usual(count, 1d)", 13, False),
        ("unseen(events)", 14, True),
        ("unseen(events)", 13, False),
        ("drift(events, 1d)", 15, True),
        ("drift(events, 1d)", 14, False),
    ],
)
def test_hours_must_be_kept_for_as_long_as_it_looks_back(watch: str, days: int, enough: bool) -> None:
    """Else it would be silent for ever."""
    check = Gauge.model_validate(
        {"thresholds": [{"watch": watch, "target": "< 1" if "drift" not in watch else "< 1%"}]}
    )
    faults = [fault for fault in planned(check, RetentionFields(hours=timedelta(days=days)))[1] if "looks" in fault]
    needed = "15 d" if "drift" in watch else "14 d"
    assert faults == ([] if enough else [f"{watch} looks back {needed}, and hours are kept {days} d"])


def test_the_least_amount_and_the_zone_are_part_of_the_plan() -> None:
    check = Gauge.model_validate({"thresholds": [{"watch": "usual(size, 1h, 25MB)", "warning": "> 3"}]})
    plan = planned(check)[0]
    assert plan.thresholds[0].watch.floor == 25e6
    assert plan.zone == "UTC"


def test_a_remedy_is_lines_or_steps() -> None:
    text = planned(Gauge(remedy="Look.\n\n  Act.\n"))[0].remedy
    steps = planned(Gauge.model_validate({"remedy": ["Look.", {"do": "Act."}]}))[0].remedy
    assert text == steps == ("Look.", "Act.")
